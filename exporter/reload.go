package exporter

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

const (
	// reloadInterval is the least time between two reloads; a full reconcile of Rook takes about as long.
	reloadInterval = 2 * time.Minute
	// phaseReady is the phase of a CephCluster whose reconcile is done. A reload asked for earlier would only repeat it.
	phaseReady = "Ready"
)

// planReload says whether to ask Rook to read its mon endpoints anew, which is so while what it last wrote from its memory
// had to be corrected, and when to look again; zero means never.
func planReload(cluster rook.Cluster, endpoints *corev1.ConfigMap, last, now time.Time) (reload bool, again time.Duration) {
	if endpoints == nil || endpoints.Annotations[rook.CorrectedAnnotation] == "" || cluster.Phase != phaseReady {
		return false, 0
	}
	if requested, err := time.Parse(time.RFC3339, endpoints.Annotations[rook.ReloadRequestedAnnotation]); err == nil && requested.After(last) {
		last = requested
	}
	if left := reloadInterval - now.Sub(last); !last.IsZero() && left > 0 {
		return false, max(left, time.Second)
	}
	return true, reloadInterval
}
