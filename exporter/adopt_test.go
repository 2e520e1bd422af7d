package exporter

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// rooksOwner is what Rook gives in its own multi-cluster mode.
func rooksOwner() []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: testCluster, UID: testUID}}
}

func rooksService(name string) *corev1.Service {
	service := rook.OSDService(rookDaemon(name), aCluster().cluster)
	service.Labels[rook.ManagedByLabel] = "rook-ceph-operator"
	delete(service.Labels, rook.ManagedLabel)
	service.OwnerReferences = rooksOwner()
	service.Spec.ClusterIP, service.Spec.ClusterIPs = "10.96.1.0", []string{"10.96.1.0"}
	return service
}

func TestWhatRookLeftOfItsOwnModeIsTakenOver(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	export := l.made(osd0)
	export.SetLabels(nil)
	export.SetOwnerReferences(rooksOwner())
	l.create(export, rooksService(osd0), deployment(osd0, "242.0.1.0"))
	before := l.exportObject(osd0)
	l.settle()
	taken := l.exportObject(osd0)
	require.Equal(t, rook.Manager, taken.GetLabels()[rook.ManagedByLabel])
	require.Empty(t, taken.GetOwnerReferences())
	require.Equal(t, before.GetUID(), taken.GetUID(), "it is the same object, with the same address")
	require.Equal(t, rook.Manager, l.service(osd0).Labels[rook.ManagedByLabel])
	require.Empty(t, l.service(osd0).OwnerReferences)
}

func TestWhatIsNotRooksIsNotTakenOver(t *testing.T) {
	for name, c := range map[string]struct {
		manager string
		owners  []metav1.OwnerReference
		rooks   bool
	}{
		"an export of Rook":                {"", rooksOwner(), true},
		"a Service of Rook":                {"rook-ceph-operator", rooksOwner(), true},
		"what nobody owns":                 {"", nil, false},
		"what somebody else owns":          {"", []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "c"}}, false},
		"what somebody else says he made":  {"argocd", rooksOwner(), false},
		"what we made in an early release": {rook.Manager, rooksOwner(), false},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.rooks, rook.IsRooks(c.manager, c.owners)) })
	}
}

func TestInRooksOwnModeNothingIsTakenOver(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(func(content map[string]any) {
		content["spec"] = map[string]any{"network": map[string]any{"multiClusterService": map[string]any{"enabled": true}}}
	}))
	export := l.made(osd0)
	export.SetLabels(nil)
	export.SetOwnerReferences(rooksOwner())
	l.create(export, rooksService(osd0), deployment(osd0, "242.0.1.0"))
	l.settle()
	require.Equal(t, rooksOwner(), l.exportObject(osd0).GetOwnerReferences())
	require.Equal(t, "rook-ceph-operator", l.service(osd0).Labels[rook.ManagedByLabel])
}
