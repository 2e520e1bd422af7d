package exporter

import (
	"time"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

const (
	// reloadInterval is the least time between two reloads; a full reconcile of Rook takes about as long.
	reloadInterval = 2 * time.Minute
	// phaseReady is the phase of a CephCluster whose reconcile is done. A reload asked for earlier would only repeat it.
	phaseReady = "Ready"
)

// planReload asks Rook to read its mon endpoints anew while what it last wrote from its memory had to be corrected.
func (p *planner) planReload() {
	if p.endpoints == nil || p.endpoints.Annotations[rook.CorrectedAnnotation] == "" || p.cluster.Phase != phaseReady {
		return
	}
	last := p.reloadedAt
	if requested, err := time.Parse(time.RFC3339, p.endpoints.Annotations[rook.ReloadRequestedAnnotation]); err == nil && requested.After(last) {
		last = requested
	}
	if left := reloadInterval - p.now.Sub(last); !last.IsZero() && left > 0 {
		p.lookAgain(left)
		return
	}
	p.reload = true
	p.lookAgain(reloadInterval)
}
