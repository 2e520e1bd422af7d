package rook

import (
	"maps"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
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
var serviceLabels = []string{AppLabel, clusterLabel, DaemonTypeLabel, DaemonIDLabel, osdLabel, OSDIDLabel, ManagedLabel, ManagedByLabel, OperatorNamespaceLabel}

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
	}
	maps.Copy(labels, Marks())
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

// The ports of a mon, by the second and the first version of Ceph's protocol (rook v1.19 pkg/operator/ceph/cluster/mon/service.go).
const (
	monPortV2 = 3300
	monPortV1 = 6789
)

// MonPort returns the port under which Rook lists the mon of a Service: the first version's, unless the mon has the second
// alone. It is zero for a Service that is not as Rook makes it: of other ports or of another selector, it would export
// something else than a mon.
func MonPort(service *corev1.Service) uint16 {
	kind, id, ok := ParseName(service.Name)
	if !ok || kind != Mon || service.Labels[AppLabel] != MonApp {
		return 0
	}
	selected := map[string]string{
		AppLabel: MonApp, DaemonIDLabel: id, string(Mon): id, clusterLabel: service.Namespace, monClusterLabel: service.Namespace,
	}
	if !maps.Equal(service.Spec.Selector, selected) {
		return 0
	}
	port := uint16(0)
	for _, p := range service.Spec.Ports {
		isMons := p.Protocol == corev1.ProtocolTCP && p.TargetPort == intstr.FromInt32(p.Port)
		switch {
		case isMons && p.Port == monPortV1:
			port = monPortV1
		case isMons && p.Port == monPortV2:
			port = max(port, monPortV2)
		default:
			return 0
		}
	}
	return port
}

// IsMonServiceOf says whether Rook made the Service for a mon of the CephCluster.
func IsMonServiceOf(service *corev1.Service, cluster Cluster) bool {
	return MonPort(service) != 0 && cluster.UID != "" && OwnerCluster(service) == cluster.UID
}

// OwnerCluster returns the UID of the CephCluster that owns an object, or nothing.
func OwnerCluster(object metav1.Object) types.UID {
	for _, owner := range object.GetOwnerReferences() {
		if isCephCluster(owner) {
			return owner.UID
		}
	}
	return ""
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
