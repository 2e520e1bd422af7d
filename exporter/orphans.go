package exporter

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// orphan is an object of ours whose daemon has been gone for the whole grace period.
type orphan struct {
	// service says that it is a Service, otherwise it is a ServiceExport.
	service         bool
	uid             types.UID
	resourceVersion string
}

// alive says whether there is, or may be any moment, a daemon for the export. A mon whose Service stands is being created
// or removed by Rook, however long that takes: the Service goes with the mon. An OSD that was refused leaves its Service,
// which is ours, and nothing else; if Rook has not tried again within the grace period, it is gone.
func (p *planner) alive() bool {
	return p.expected() || p.daemon.Type.StandsInList() && (p.listed.IsValid() || p.service != nil)
}

// planOrphan notes since when a daemon has been missed, and removes what is ours after the grace period. Until then
// nothing is removed, for that frees the global IP for good.
func (p *planner) planOrphan(wanted *rook.Export) {
	if p.alive() {
		wanted.OrphanedSince = time.Time{}
		return
	}
	if wanted.OrphanedSince.IsZero() {
		// Rook gives no letter twice: a mon that had its Deployment is not on its way.
		if !p.hadDeployment && p.isYoung(p.export.Created) {
			return
		}
		wanted.OrphanedSince = p.now.UTC().Truncate(time.Second)
	}
	if !p.graceIsOver(wanted.OrphanedSince) {
		return
	}
	// The export goes last: as long as it stands, the removal is tried again.
	if p.daemon.Type.ServiceIsOurs() && p.service != nil {
		p.removeService()
	}
	p.remove = append(p.remove, orphan{uid: p.export.UID, resourceVersion: p.export.ResourceVersion})
	p.noteRemoved("ServiceExport")
}

// planLoneService is for the Service of an OSD whose export somebody else removed, so that it has to bear the mark itself.
func (p *planner) planLoneService() {
	if !p.daemon.Type.ServiceIsOurs() || p.service == nil || p.expected() {
		return
	}
	since, err := time.Parse(time.RFC3339, p.service.Annotations[rook.OrphanedSinceAnnotation])
	if err != nil {
		if p.isYoung(p.service.CreationTimestamp.Time) {
			return
		}
		since = p.now.UTC().Truncate(time.Second)
		p.mark = &since
	}
	if p.graceIsOver(since) {
		p.mark = nil
		p.removeService()
		p.noteRemoved("Service")
	}
}

// youth is how long what was created a moment ago is not called an orphan: its daemon may be on its way, and a write to a Service
// while Globalnet allocates can give it a second address (submariner 0.19).
const youth = 5 * time.Minute

// isYoung says whether an object is, and asks for a look when it no longer is.
func (p *planner) isYoung(created time.Time) bool {
	left := min(youth, p.grace) - p.now.Sub(created)
	if left <= 0 {
		return false
	}
	p.lookAgain(left)
	return true
}

func (p *planner) removeService() {
	p.remove = append(p.remove, orphan{service: true, uid: p.service.UID, resourceVersion: p.service.ResourceVersion})
}

func (p *planner) noteRemoved(kind string) {
	key := p.daemon.Namespace + "/" + p.daemon.Name()
	p.notes = append(p.notes, note{code: reason.OrphanRemoved, subject: p.daemon.String(), detail: kind + " " + key})
}

func (p *planner) graceIsOver(since time.Time) bool {
	left := p.grace - p.now.Sub(since)
	if left > 0 {
		p.lookAgain(left)
	}
	return left <= 0
}
