package rookstandin

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Node is a node of the cluster.
type Node struct {
	Name    string
	Address string
}

// crushLocation returns where an OSD of the node is in the CRUSH map.
func (n Node) crushLocation() string {
	return "root=default host=" + strings.ReplaceAll(n.Name, ".", "-")
}

// DefaultNodes are the nodes where none are given.
var DefaultNodes = []Node{{"node-1", "192.168.0.1"}, {"node-2", "192.168.0.2"}, {"node-3", "192.168.0.3"}}

// StartCeph returns a Ceph cluster whose daemons are the mon and OSD Deployments that are stored in the namespace: a
// daemon starts as soon as its Deployment is stored with a replica. It lives until the context ends.
func StartCeph(ctx context.Context, c client.WithWatch, namespace string) (*Ceph, error) {
	f, err := follow(ctx, c, func() client.ObjectList { return &appsv1.DeploymentList{} }, client.InNamespace(namespace))
	if err != nil {
		return nil, err
	}
	ceph := NewCeph()
	n := &daemonStarter{client: c, ceph: ceph, running: map[string]string{}}
	go f.run(ctx, func(event watch.EventType, o client.Object) {
		if d, ok := o.(*appsv1.Deployment); ok {
			n.see(ctx, event, d)
		}
	})
	return ceph, nil
}

// daemonStarter starts and stops the daemons of the model as the nodes would.
type daemonStarter struct {
	client client.Client
	ceph   *Ceph
	// running holds the command lines with which the daemons were started.
	running map[string]string
}

func (n *daemonStarter) see(ctx context.Context, event watch.EventType, d *appsv1.Deployment) {
	id, isMon := d.Labels["ceph_daemon_id"], d.Labels["app"] == monApp
	if _, canary := d.Labels[canaryLabel]; id == "" || canary || !isMon && d.Labels["app"] != osdApp {
		return
	}
	stop := event == watch.Deleted || d.DeletionTimestamp != nil || d.Spec.Replicas != nil && *d.Spec.Replicas == 0
	commands := commandLines(d)
	switch {
	case stop && isMon:
		n.ceph.StopMon(id)
		if event == watch.Deleted {
			n.ceph.DeleteMon(id)
		}
	case stop:
		n.ceph.StopOSD(id)
	case n.running[d.Name] == commands:
		return
	case isMon:
		hosts, members := n.monHost(ctx, d.Namespace)
		n.ceph.StartMon(MonStart{
			ID:         id,
			MkfsAddr:   publicAddr(d.Spec.Template.Spec.InitContainers, "init-mon-fs"),
			PublicAddr: publicAddr(d.Spec.Template.Spec.Containers, "mon"),
			MonHost:    hosts, InitialMembers: members,
		})
	default:
		hosts, _ := n.monHost(ctx, d.Namespace)
		n.ceph.StartOSD(id, publicAddr(d.Spec.Template.Spec.Containers, "osd"), hosts)
	}
	if stop {
		commands = ""
	}
	n.running[d.Name] = commands
}

// monHost reads the Secret as the environment of a container is made from it.
func (n *daemonStarter) monHost(ctx context.Context, namespace string) (hosts []netip.Addr, members []string) {
	secret := &corev1.Secret{}
	if err := n.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: ConfigSecret}, secret); err != nil {
		return nil, nil
	}
	return parseMonHost(secretText(secret, "mon_host")), strings.Split(secretText(secret, "mon_initial_members"), ",")
}

// secretText reads a key; stringData is what a fake API server leaves unfolded.
func secretText(secret *corev1.Secret, key string) string {
	if text, ok := secret.StringData[key]; ok {
		return text
	}
	return string(secret.Data[key])
}

// publicAddr returns the --public-addr of a container; it is not valid where there is none or it is the pod's own.
func publicAddr(containers []corev1.Container, name string) netip.Addr {
	i := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == name })
	if i < 0 {
		return netip.Addr{}
	}
	for _, arg := range containers[i].Args {
		if text, ok := strings.CutPrefix(arg, "--public-addr="); ok {
			address, _ := netip.ParseAddr(text)
			return address
		}
	}
	return netip.Addr{}
}

func commandLines(d *appsv1.Deployment) string {
	var lines strings.Builder
	pod := d.Spec.Template.Spec
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		lines.WriteString(c.Name + "\x00" + strings.Join(c.Command, "\x00") + "\x00" + strings.Join(c.Args, "\x00") + "\n")
	}
	return lines.String()
}
