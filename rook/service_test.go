package rook_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestTheServiceOfAnOSDIsTheOneOfRooksOwnMultiClusterMode(t *testing.T) {
	written := goldenNamed(t, "osd-v1.20.6-node").in
	osd, code := rook.Identify(written)
	require.Empty(t, code)
	cluster := rook.Cluster{Namespace: "rook-ceph", Name: "my-cluster", UID: "uid-1"}
	svc := rook.OSDService(osd, cluster)

	require.Equal(t, "rook-ceph-osd-3", svc.Name)
	require.Equal(t, "rook-ceph", svc.Namespace)
	require.Empty(t, svc.OwnerReferences, "it does not end with the CephCluster, for its address would be freed")
	require.Equal(t, rook.Manager, svc.Labels[rook.ManagedByLabel])
	for key, value := range svc.Labels {
		if key != rook.ManagedByLabel {
			require.Equal(t, written.Labels[key], value, key)
		}
	}
	for key, value := range svc.Spec.Selector {
		require.Equal(t, written.Spec.Template.Labels[key], value, "the pods are selected by %s", key)
	}
	require.Equal(t, corev1.ServiceSpec{
		Type:     corev1.ServiceTypeClusterIP,
		Selector: map[string]string{"app": "rook-ceph-osd", "ceph-osd-id": "3"},
		Ports: []corev1.ServicePort{
			{Name: "osd-port-v1", Port: 6801, TargetPort: intstr.FromInt32(6801), Protocol: corev1.ProtocolTCP},
			{Name: "osd-port-v2", Port: 6800, TargetPort: intstr.FromInt32(6800), Protocol: corev1.ProtocolTCP},
		},
	}, svc.Spec)

	cluster.Msgr2Only = true
	require.Equal(t, []corev1.ServicePort{
		{Name: "osd-port-v2", Port: 6800, TargetPort: intstr.FromInt32(6800), Protocol: corev1.ProtocolTCP},
	}, rook.OSDService(osd, cluster).Spec.Ports)
}

func TestTheControllerOwnsWithoutBlockingDeletion(t *testing.T) {
	ref := rook.ControlledBy(rook.Cluster{Name: "c", UID: "u"})
	require.Equal(t, metav1.OwnerReference{
		APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "c", UID: "u", Controller: new(true), BlockOwnerDeletion: new(false),
	}, ref)
}

func TestOnlyAGlobalIPIsDroppedFromAMonService(t *testing.T) {
	globalIPs := map[netip.Addr]struct{}{netip.MustParseAddr("242.0.0.1"): {}, netip.MustParseAddr("fd42::1"): {}}
	for name, c := range map[string]struct {
		clusterIP string
		dropped   bool
	}{
		"a global IP":                        {"242.0.0.1", true},
		"a global IP of IPv6 in another way": {"FD42:0::1", true},
		"a ClusterIP":                        {"10.96.0.1", false},
		"none asked for":                     {"", false},
		"headless":                           {"None", false},
	} {
		t.Run(name, func(t *testing.T) {
			svc := &corev1.Service{Spec: corev1.ServiceSpec{ClusterIP: c.clusterIP, ClusterIPs: []string{c.clusterIP}, Type: corev1.ServiceTypeClusterIP}}
			before := svc.DeepCopy()
			require.Equal(t, c.dropped, rook.DropClusterIP(svc, globalIPs))
			if c.dropped {
				before.Spec.ClusterIP, before.Spec.ClusterIPs = "", nil
			}
			require.Equal(t, before, svc)
		})
	}
}
