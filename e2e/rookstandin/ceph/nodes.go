package ceph

import (
	"context"
	"net/netip"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/follow"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// Node is a node of the cluster.
type Node struct {
	Name    string
	Address string
}

// Start returns a Ceph cluster whose daemons are the mon and OSD Deployments that are stored in the namespace: a
// daemon starts as soon as its Deployment is stored with a replica. It lives until the context ends.
func Start(ctx context.Context, c client.WithWatch, namespace string) (*Cluster, error) {
	ceph := New()
	ceph.stored, ceph.namespace = c, namespace
	run, err := follow.Start(ctx, c, &appsv1.DeploymentList{}, NewStarter(c, ceph).See, client.InNamespace(namespace))
	if err != nil {
		return nil, err
	}
	go run()
	return ceph, nil
}

// Starter starts and stops the daemons of the model as the nodes would.
type Starter struct {
	client client.Client
	ceph   *Cluster
	// running holds the command lines with which the daemons were started.
	running map[string]string
}

// NewStarter returns a starter that reads mon_host by the client.
func NewStarter(c client.Client, ceph *Cluster) *Starter {
	return &Starter{client: c, ceph: ceph, running: map[string]string{}}
}

// See starts or stops the daemon of a Deployment; other objects it leaves alone.
func (n *Starter) See(ctx context.Context, event watch.EventType, o client.Object) {
	d, ok := o.(*appsv1.Deployment)
	if !ok {
		return
	}
	id, isMon := d.Labels["ceph_daemon_id"], d.Labels["app"] == shapes.MonApp
	if id == "" || shapes.IsCanary(d) || !isMon && d.Labels["app"] != shapes.OSDApp {
		return
	}
	stop := event == watch.Deleted || d.DeletionTimestamp != nil || d.Spec.Replicas != nil && *d.Spec.Replicas == 0
	commands := shapes.CommandLines(d)
	switch {
	case isMon && event == watch.Deleted:
		n.ceph.DeleteMon(id)
	case isMon && stop:
		n.ceph.StopMon(id)
	case stop:
		n.ceph.StopOSD(id)
	case n.running[d.Name] == commands:
		return
	case isMon:
		hosts, members := n.monHost(ctx, d.Namespace)
		mkfs := publicAddr(d.Spec.Template.Spec.InitContainers, "init-mon-fs")
		n.ceph.StartMon(MonStart{ID: id, MkfsAddr: mkfs, MonHost: hosts, InitialMembers: members})
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
func (n *Starter) monHost(ctx context.Context, namespace string) (hosts []netip.Addr, members []string) {
	secret := &corev1.Secret{}
	if err := n.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: shapes.ConfigSecret}, secret); err != nil {
		return nil, nil
	}
	return shapes.ParseMonHost(shapes.SecretText(secret, "mon_host")), strings.Split(shapes.SecretText(secret, "mon_initial_members"), ",")
}

// publicAddr returns the --public-addr of a container; it is not valid where there is none or it is the pod's own.
func publicAddr(containers []corev1.Container, name string) netip.Addr {
	for i := range containers {
		for _, arg := range containers[i].Args {
			if text, ok := strings.CutPrefix(arg, "--public-addr="); ok && containers[i].Name == name {
				address, _ := netip.ParseAddr(text)
				return address
			}
		}
	}
	return netip.Addr{}
}
