package rook

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// reloadInterval is the least time between two reloads; a full reconcile of Rook takes about as long.
	reloadInterval = 2 * time.Minute
	// phaseReady is the phase of a CephCluster whose reconcile is done. A reload asked for earlier would only repeat it.
	phaseReady = "Ready"
)

// DecideReload says whether to ask Rook to read its mon endpoints anew, which is so while what it last wrote from its memory
// had to be corrected, and when to look again; zero means never.
func DecideReload(cluster Cluster, endpoints *corev1.ConfigMap, last, now time.Time) (reload bool, again time.Duration) {
	if endpoints == nil || endpoints.Annotations[CorrectedAnnotation] == "" || cluster.Phase != phaseReady {
		return false, 0
	}
	if requested, err := time.Parse(time.RFC3339, endpoints.Annotations[ReloadRequestedAnnotation]); err == nil && requested.After(last) {
		last = requested
	}
	if left := reloadInterval - now.Sub(last); !last.IsZero() && left > 0 {
		return false, max(left, time.Second)
	}
	return true, reloadInterval
}
