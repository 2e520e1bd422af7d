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
		if _, mark := rook.Marks()[key]; !mark {
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

func TestTheServiceOfAMonIsKnownByItsPortsAndItsSelector(t *testing.T) {
	port := func(number int32) corev1.ServicePort {
		return corev1.ServicePort{Port: number, TargetPort: intstr.FromInt32(number), Protocol: corev1.ProtocolTCP}
	}
	for name, c := range map[string]struct {
		change func(*corev1.Service)
		port   uint16
		owned  bool
	}{
		"as Rook makes it":                     {func(*corev1.Service) {}, 6789, true},
		"with the second version alone":        {func(s *corev1.Service) { s.Spec.Ports = s.Spec.Ports[1:] }, 3300, true},
		"with another port":                    {func(s *corev1.Service) { s.Spec.Ports = append(s.Spec.Ports, port(22)) }, 0, false},
		"to another port of the pod":           {func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromInt32(22) }, 0, false},
		"without a port":                       {func(s *corev1.Service) { s.Spec.Ports = nil }, 0, false},
		"for other pods":                       {func(s *corev1.Service) { s.Spec.Selector["mon"] = "b" }, 0, false},
		"for pods of any kind":                 {func(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "evil"} }, 0, false},
		"of another name":                      {func(s *corev1.Service) { s.Name = "rook-ceph-mon-b" }, 0, false},
		"that another CephCluster owns":        {func(s *corev1.Service) { s.OwnerReferences[0].UID = "another" }, 6789, false},
		"that nobody owns":                     {func(s *corev1.Service) { s.OwnerReferences = nil }, 6789, false},
		"that something else of that UID owns": {func(s *corev1.Service) { s.OwnerReferences[0].Kind = "Pod" }, 6789, false},
	} {
		t.Run(name, func(t *testing.T) {
			service := &corev1.Service{
				ObjectMeta: metav1.ObjectMeta{
					Namespace: "rook-ceph", Name: "rook-ceph-mon-a", Labels: map[string]string{rook.AppLabel: rook.MonApp},
					OwnerReferences: []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "my-cluster", UID: theCluster.UID}},
				},
				Spec: corev1.ServiceSpec{
					Ports: []corev1.ServicePort{port(6789), port(3300)},
					Selector: map[string]string{
						"app": "rook-ceph-mon", "ceph_daemon_id": "a", "mon": "a", "mon_cluster": "rook-ceph", "rook_cluster": "rook-ceph",
					},
				},
			}
			c.change(service)
			require.Equal(t, c.port, rook.MonPort(service))
			require.Equal(t, c.owned, rook.IsMonServiceOf(service, theCluster))
			require.False(t, rook.IsMonServiceOf(service, rook.Cluster{Namespace: "rook-ceph"}), "a CephCluster that is not known owns nothing")
		})
	}
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
