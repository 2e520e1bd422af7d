package rook

import (
	"slices"
	"unique"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// What anybody may write can be of any length, and every replica keeps it: what is longer than this is as if it were not there.
const (
	// mostText is longer than any annotation that we write, and mostEntries more than what Rook writes of anything.
	mostText    = 4 << 10
	mostEntries = 16
	// mostOwner is what the fields of a reference to an owner can have together.
	mostOwner = 1 << 10
	// mostEndpoints is a list of some hundred mons.
	mostEndpoints = 16 << 10
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
	trimmed.Annotations = only(s.Annotations, OrphanedSinceAnnotation)
	trimmed.Spec = corev1.ServiceSpec{
		Type:       s.Spec.Type,
		ClusterIP:  s.Spec.ClusterIP,
		ClusterIPs: s.Spec.ClusterIPs,
		Ports:      slices.Clone(s.Spec.Ports[:min(len(s.Spec.Ports), mostEntries)]),
	}
	if len(s.Spec.Selector) <= mostEntries {
		trimmed.Spec.Selector = s.Spec.Selector
	}
	return trimmed
}

// TrimEndpoints returns what is read of the ConfigMap in which Rook keeps the addresses of the mons.
func TrimEndpoints(c *corev1.ConfigMap) *corev1.ConfigMap {
	trimmed := &corev1.ConfigMap{ObjectMeta: trimMeta(c.ObjectMeta)}
	for _, key := range []string{EndpointsDataKey, EndpointsMaxMonIDKey, EndpointsOutOfQuorum, EndpointsExternalMons} {
		if value, ok := c.Data[key]; ok && len(value) <= mostEndpoints {
			if trimmed.Data == nil {
				trimmed.Data = map[string]string{}
			}
			trimmed.Data[key] = value
		}
	}
	return trimmed
}

// OfExports returns the annotations that an export is read by.
func OfExports(annotations map[string]string) map[string]string {
	return only(annotations, GlobalIPAnnotation, SourceAnnotation, IdentityAnnotation, PinnedAnnotation, DriftAnnotation,
		RefusedAnnotation, OrphanedSinceAnnotation, MoveAnnotation)
}

// only returns the annotations of the names, or nil. One that is longer than we write them is nothing that we wrote.
func only(annotations map[string]string, names ...string) map[string]string {
	var kept map[string]string
	for _, name := range names {
		value, ok := annotations[name]
		if !ok || len(value) > mostText {
			continue
		}
		if kept == nil {
			kept = map[string]string{}
		}
		kept[name] = value
	}
	return kept
}

// TrimOwners leaves out owners that no Kubernetes object is.
func TrimOwners(owners []metav1.OwnerReference) []metav1.OwnerReference {
	var kept []metav1.OwnerReference
	for _, owner := range owners {
		if len(kept) == mostEntries {
			break
		}
		if len(owner.APIVersion)+len(owner.Kind)+len(owner.Name)+len(owner.UID) > mostOwner {
			continue
		}
		owner.APIVersion, owner.Kind, owner.Name = shared(owner.APIVersion), shared(owner.Kind), shared(owner.Name)
		owner.UID = types.UID(shared(string(owner.UID)))
		kept = append(kept, owner)
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
		OwnerReferences:   TrimOwners(meta.OwnerReferences),
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
