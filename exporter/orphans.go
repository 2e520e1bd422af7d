package exporter

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
func (p *planner) alive(d rook.Daemon) bool {
	if p.deployments[d.Name()] != nil {
		return true
	}
	_, listed := p.listed[d.ID]
	return d.Type == rook.Mon && (listed || p.services[d.Name()] != nil)
}

// planOrphan notes since when a daemon has been missed, and removes what is ours after the grace period. Until then
// nothing is removed, for that frees the global IP for good.
func (p *planner) planOrphan(s *step, wanted *rook.Export) {
	d := s.daemon
	if p.alive(d) {
		wanted.OrphanedSince = time.Time{}
		return
	}
	if wanted.OrphanedSince.IsZero() {
		wanted.OrphanedSince = p.now.UTC().Truncate(time.Second)
	}
	if !p.graceIsOver(wanted.OrphanedSince) {
		return
	}
	export := p.exports[d.Name()]
	// The export goes last: as long as it stands, the removal is tried again.
	if service := p.services[d.Name()]; d.Type == rook.OSD && service != nil {
		s.remove = append(s.remove, orphan{service: true, uid: service.UID, resourceVersion: service.ResourceVersion})
	}
	s.remove = append(s.remove, orphan{uid: export.uid, resourceVersion: export.resourceVersion})
	s.notes = append(s.notes, note{code: reason.OrphanRemoved, subject: d.String(), detail: "ServiceExport " + d.Namespace + "/" + d.Name()})
}

// planLoneService is for the Service of an OSD whose export somebody else removed, so that it has to bear the mark itself.
func (p *planner) planLoneService(s *step, service *corev1.Service, deployment *appsv1.Deployment) {
	if s.daemon.Type != rook.OSD || service == nil || deployment != nil {
		return
	}
	since, err := time.Parse(time.RFC3339, service.Annotations[rook.OrphanedSinceAnnotation])
	if err != nil {
		since = p.now.UTC().Truncate(time.Second)
		s.mark = &since
	}
	if p.graceIsOver(since) {
		s.mark = nil
		s.remove = []orphan{{service: true, uid: service.UID, resourceVersion: service.ResourceVersion}}
		s.notes = append(s.notes, note{code: reason.OrphanRemoved, subject: s.daemon.String(), detail: "Service " + service.Namespace + "/" + service.Name})
	}
}

func (p *planner) graceIsOver(since time.Time) bool {
	left := p.grace - p.now.Sub(since)
	if left > 0 {
		p.lookAgain(left)
	}
	return left <= 0
}

func isOwned(object metav1.Object, cluster types.UID) bool {
	return slices.ContainsFunc(object.GetOwnerReferences(), func(o metav1.OwnerReference) bool { return o.UID == cluster })
}
