package rook

import (
	"strings"
	"unique"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ClusterFields are the paths of what ReadCluster reads of a CephCluster, besides its metadata.
var ClusterFields = [][]string{
	{"spec", "network", "provider"},
	{"spec", "network", "hostNetwork"},
	{"spec", "network", "selectors"},
	{"spec", "network", "addressRanges", "public"},
	{"spec", "network", "addressRanges", "cluster"},
	{"spec", "network", "ipFamily"},
	{"spec", "network", "dualStack"},
	{"spec", "network", "multiClusterService", "enabled"},
	{"spec", "network", "connections", "requireMsgr2"},
	{"spec", "network", "connections", "encryption", "enabled"},
	{"spec", "network", "connections", "compression", "enabled"},
	{"spec", "external", "enable"},
	{"spec", "mon", "count"},
	{"status", "version", "version"},
	{"status", "phase"},
}

// TrimDeployment returns what is read of a stored Deployment of a daemon: who it is, how its pod is, and the address that it
// advertises.
// Rook's own annotations hold a copy of the whole, and its args can be of any length.
func TrimDeployment(d *appsv1.Deployment) *appsv1.Deployment {
	trimmed := &appsv1.Deployment{ObjectMeta: trimMeta(d.ObjectMeta,
		AppLabel, DaemonTypeLabel, DaemonIDLabel, CanaryLabel, RookVersionLabel, SkipReconcileLabel)}
	trimRollout(trimmed, d)
	trimmed.Spec.Template.Spec.HostNetwork = d.Spec.Template.Spec.HostNetwork
	if addr, ok := Address(d); ok {
		kind, _, _ := ParseName(d.Name)
		trimmed.Spec.Template.Spec.Containers = []corev1.Container{
			{Name: string(kind), Args: []string{publicAddrFlag + "=" + addr.String()}},
		}
	}
	return trimmed
}

// IsStopped says whether a Deployment is scaled to 0.
func IsStopped(d *appsv1.Deployment) bool { return d.Spec.Replicas != nil && *d.Spec.Replicas == 0 }

// TrimService returns what is read of the Service of a daemon.
func TrimService(s *corev1.Service) *corev1.Service {
	trimmed := &corev1.Service{ObjectMeta: trimMeta(s.ObjectMeta, serviceLabels...)}
	trimmed.CreationTimestamp = s.CreationTimestamp
	if since, ok := s.Annotations[OrphanedSinceAnnotation]; ok {
		trimmed.Annotations = map[string]string{OrphanedSinceAnnotation: since}
	}
	trimmed.Spec = corev1.ServiceSpec{
		Type:       s.Spec.Type,
		ClusterIP:  s.Spec.ClusterIP,
		ClusterIPs: s.Spec.ClusterIPs,
		Selector:   s.Spec.Selector,
		Ports:      s.Spec.Ports,
	}
	return trimmed
}

// OnlyOurs returns the annotations of our own domain.
func OnlyOurs(annotations map[string]string) map[string]string {
	kept := map[string]string{}
	for key, value := range annotations {
		if strings.HasPrefix(key, domain) {
			kept[key] = value
		}
	}
	return kept
}

// shared returns the one copy of a text that a thousand objects have alike.
func shared(text string) string { return unique.Make(text).Value() }

// trimMeta keeps what tells an object from all others, who owns it, and the labels that are named.
func trimMeta(meta metav1.ObjectMeta, labels ...string) metav1.ObjectMeta {
	trimmed := metav1.ObjectMeta{
		Namespace:         shared(meta.Namespace),
		Name:              meta.Name,
		UID:               meta.UID,
		ResourceVersion:   meta.ResourceVersion,
		Generation:        meta.Generation,
		DeletionTimestamp: meta.DeletionTimestamp,
	}
	for _, owner := range meta.OwnerReferences {
		owner.APIVersion, owner.Kind, owner.Name = shared(owner.APIVersion), shared(owner.Kind), shared(owner.Name)
		owner.UID = types.UID(shared(string(owner.UID)))
		trimmed.OwnerReferences = append(trimmed.OwnerReferences, owner)
	}
	for _, key := range labels {
		if value, ok := meta.Labels[key]; ok {
			if trimmed.Labels == nil {
				trimmed.Labels = make(map[string]string, len(labels))
			}
			trimmed.Labels[key] = shared(value)
		}
	}
	return trimmed
}
