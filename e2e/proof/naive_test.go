package proof_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// way is a way to give one mon a global IP.
type way struct {
	name string
	// containers are those that are told the global IP; monHost is whether mon_host is.
	containers []string
	monHost    bool
	works      bool
}

var ways = []way{
	{name: "daemon-alone", containers: []string{"mon"}},
	{name: "daemon-and-mon-host", containers: []string{"mon"}, monHost: true},
	{name: "mon-host-left", containers: []string{"init-mon-fs", "mon"}},
	{name: "all-of-it", containers: []string{"init-mon-fs", "mon"}, monHost: true, works: true},
}

// naiveWaysFail starts a mon in each way and sees which of them serves at its global IP.
func (p *proof) naiveWaysFail(ctx context.Context, pt point) {
	template := &appsv1.Deployment{}
	require.NoError(pt, p.east.node.Client.Get(ctx, client.ObjectKey{Namespace: plainNamespace, Name: "rook-ceph-mon-a"}, template))
	for _, w := range ways {
		pt.Run(w.name, func(t *testing.T) { p.try(ctx, point{T: t, report: pt.report}, w, template) })
	}
}

func (p *proof) try(ctx context.Context, pt point, w way, template *appsv1.Deployment) {
	m := p.startMon(ctx, pt, w, template)
	defer func() { _, _ = m.cluster.node.Kubectl(ctx, nil, "delete", "namespace", m.namespace, "--wait=false") }()
	require.NoError(pt, until(ctx, 90*time.Second, func() error { _, err := m.status(ctx); return err }))
	inEast := p.plain.shell
	// What answers to nobody takes connections all the same.
	for _, address := range []netip.Addr{m.global, m.clusterIP} {
		require.NoError(pt, until(ctx, time.Minute, func() error { return inEast.connects(ctx, address) }))
	}
	if !w.works {
		inEast.doesNotReach(ctx, pt, m.global)
		// It had time to find its place by now.
		status := need(m.status(ctx))(pt)
		require.True(pt, status.Rank < 0 || status.address() == m.clusterIP, "rank %d at %s", status.Rank, status.address())
		known := "nowhere"
		if address := status.address(); address.IsValid() {
			known = "at its ClusterIP " + address.String()
		}
		pt.evidence("%s: rank %d, %s in its monmap; at its global IP %s it does not answer", w.name, status.Rank, known, m.global)
		return
	}
	require.NoError(pt, until(ctx, time.Minute, func() error {
		_, err := inEast.at(m.global).Run(ctx, nil, "ceph", "--connect-timeout", brief, "quorum_status")
		return err
	}))
	status := need(m.status(ctx))(pt)
	require.Zero(pt, status.Rank)
	require.Equal(pt, m.global, status.address())
	inEast.doesNotReach(ctx, pt, m.clusterIP)
	pt.evidence("%s: rank 0 at its global IP %s, and it answers there; dialled at its ClusterIP %s it does not", w.name, m.global, m.clusterIP)
}

// naiveMon is a mon that was started by hand.
type naiveMon struct {
	cluster           *cluster
	namespace         string
	clusterIP, global netip.Addr
}

// startMon starts a copy of the mon of the plain cluster, as the way says, in a namespace of its own.
func (p *proof) startMon(ctx context.Context, pt point, w way, template *appsv1.Deployment) naiveMon {
	c := p.east.node.Client
	m := naiveMon{cluster: p.east, namespace: "naive-" + w.name}
	require.NoError(pt, c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: m.namespace}}))
	require.NoError(pt, c.Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: m.namespace, Name: "rook-ceph-default"}}))
	copied := func(o client.Object, meta *metav1.ObjectMeta, name string, edit func()) {
		require.NoError(pt, c.Get(ctx, client.ObjectKey{Namespace: plainNamespace, Name: name}, o))
		*meta = metav1.ObjectMeta{Namespace: m.namespace, Name: name}
		edit()
		require.NoError(pt, c.Create(ctx, o))
	}
	service := &corev1.Service{}
	copied(service, &service.ObjectMeta, template.Name, func() { service.Spec.ClusterIP, service.Spec.ClusterIPs = "", nil })
	m.clusterIP = netip.MustParseAddr(service.Spec.ClusterIP)
	m.global = p.east.export(ctx, pt, m.namespace, service.Name)

	address := map[bool]netip.Addr{false: m.clusterIP, true: m.global}
	for _, name := range []string{"rook-ceph-config", "rook-ceph-mons-keyring", "rook-ceph-mon"} {
		secret := &corev1.Secret{}
		copied(secret, &secret.ObjectMeta, name, func() {
			if _, ok := secret.Data["mon_host"]; ok {
				// It is alone, and is not to find the two others of the cluster that it is a copy from.
				secret.Data["mon_host"], secret.Data["mon_initial_members"] = []byte(monHost(address[w.monHost])), []byte("a")
			}
		})
	}
	override := &corev1.ConfigMap{}
	copied(override, &override.ObjectMeta, "rook-config-override", func() {})

	d := template.DeepCopy()
	d.ObjectMeta = metav1.ObjectMeta{Namespace: m.namespace, Name: d.Name, Labels: d.Labels}
	pod := &d.Spec.Template.Spec
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range containers {
			for j, arg := range containers[i].Args {
				if strings.HasPrefix(arg, "--public-addr=") {
					containers[i].Args[j] = "--public-addr=" + address[slices.Contains(w.containers, containers[i].Name)].String()
				}
			}
		}
	}
	for i := range pod.Volumes {
		// The store of a mon is its own.
		if path := pod.Volumes[i].HostPath; path != nil {
			path.Path = strings.ReplaceAll(path.Path, plainNamespace, m.namespace)
		}
	}
	require.NoError(pt, c.Create(ctx, d))
	return m
}

func (m naiveMon) status(ctx context.Context) (monStatus, error) {
	pods := &corev1.PodList{}
	if err := m.cluster.node.Client.List(ctx, pods, client.InNamespace(m.namespace)); err != nil {
		return monStatus{}, fmt.Errorf("list the pods of %s: %w", m.namespace, err)
	}
	if len(pods.Items) == 0 {
		return monStatus{}, fmt.Errorf("there is no pod of the mon in %s", m.namespace)
	}
	return askMon(ctx, m.cluster.node, m.namespace, pods.Items[0].Name, "a")
}
