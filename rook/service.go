package rook

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The ports of an OSD, which Ceph takes from 6800 up in a network namespace of its own. They are exported under the
// names that Rook's own multi-cluster mode gives them.
const (
	osdPortV1Name = "osd-port-v1"
	osdPortV2Name = "osd-port-v2"
	osdPortV1     = 6801
	osdPortV2     = 6800
)

// serviceLabels are those that OSDService sets, and all that are read of the Service of any daemon.
var serviceLabels = []string{AppLabel, clusterLabel, DaemonTypeLabel, DaemonIDLabel, osdLabel, OSDIDLabel, ManagedByLabel}

// OSDService returns the Service through which an OSD is exported. It is never headless: the global IP of a headless
// Service would not be reachable from within its own cluster. It follows from the number of the OSD and its CephCluster
// alone, so that it can be made before Rook writes the Deployment, and need not be written again when Rook has: a write
// while Globalnet allocates can give a Service a second address (measured on Globalnet 0.19).
func OSDService(osd Daemon, cluster Cluster) *corev1.Service {
	labels := map[string]string{
		AppLabel:        OSDApp,
		clusterLabel:    osd.Namespace,
		DaemonTypeLabel: string(OSD),
		DaemonIDLabel:   osd.ID,
		osdLabel:        osd.ID,
		OSDIDLabel:      osd.ID,
		ManagedByLabel:  Manager,
	}
	ports := []corev1.ServicePort{servicePort(osdPortV2Name, osdPortV2)}
	if !cluster.Msgr2Only {
		ports = []corev1.ServicePort{servicePort(osdPortV1Name, osdPortV1), servicePort(osdPortV2Name, osdPortV2)}
	}
	return &corev1.Service{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{
			Name:      osd.Name(),
			Namespace: osd.Namespace,
			Labels:    labels,
		},
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: map[string]string{AppLabel: OSDApp, OSDIDLabel: osd.ID},
			Ports:    ports,
		},
	}
}

// ClusterIPs returns the Service's own addresses.
func ClusterIPs(service *corev1.Service) []netip.Addr {
	texts := service.Spec.ClusterIPs
	if len(texts) == 0 {
		texts = []string{service.Spec.ClusterIP}
	}
	var addrs []netip.Addr
	for _, text := range texts {
		if addr := addressOrNone(text); addr.IsValid() {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

func servicePort(name string, port int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: port, TargetPort: intstr.FromInt32(port), Protocol: corev1.ProtocolTCP}
}

// DropClusterIP clears the ClusterIP that a Service asks for if it is one of the known global IPs, and says whether it
// did. Rook asks for the address of the mon endpoints when it re-creates the lost Service of a mon.
func DropClusterIP(svc *corev1.Service, globalIPs map[netip.Addr]struct{}) bool {
	asked := addressOrNone(svc.Spec.ClusterIP)
	if _, global := globalIPs[asked]; !asked.IsValid() || !global {
		return false
	}
	svc.Spec.ClusterIP = ""
	svc.Spec.ClusterIPs = nil
	return true
}
