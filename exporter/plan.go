package exporter

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// facts is what a plan for one daemon rests on.
type facts struct {
	now     time.Time
	grace   time.Duration
	cluster rook.Cluster
	daemon  rook.Daemon
	// service is that of a mon, which is Rook's, or that of an OSD.
	service    *corev1.Service
	deployment *appsv1.Deployment
	export     view.Export
	// prepared says that Rook is about to write the Deployment of the OSD.
	prepared bool
	// listed is where Rook's list has the mon; it is invalid for one that it does not list.
	listed netip.Addr
	// listKnown says that there is such a list.
	listKnown bool
	// hadDeployment says that a mon of that letter ever had a Deployment.
	hadDeployment bool
	// inCIDR says whether an address is one of this cluster's global IPs; nil means that it is not known now.
	inCIDR func(netip.Addr) bool
	// allocated is what Globalnet has given to an export that says it has none.
	allocated netip.Addr
	// answer is what came of asking for the global IP, nil if it was not asked for.
	answer *resolution
}

// resolution is what came of asking for a global IP.
type resolution struct {
	answer  resolver.Answer
	refusal *reason.Error
	// taken says that another daemon lives at the address.
	taken bool
	// early says that the want of an answer is so new that the sources may only have been read one after the other.
	early bool
}

// step is what is to be done for a daemon, in this order; a failure ends it. A daemon that is as it should be has an
// empty one.
type step struct {
	// adopt are the objects that Rook made in its own multi-cluster mode.
	adopt []adopted
	// disown are the objects that an earlier release let a CephCluster own.
	disown []disowned
	// label are the objects that an earlier release did not mark as ours.
	label []labelled
	// apply is what the Service of an OSD should be, nil if it is.
	apply *corev1.Service
	// create says that the ServiceExport does not exist.
	create bool
	// annotate is what the annotations of the ServiceExport should say, nil if they do.
	annotate *rook.Export
	// mark is what the orphaned-since annotation of the OSD's Service should be, nil if it is; zero means none.
	mark *time.Time
	// remove are the objects that have been orphans for long enough, or with remake the export that is to be made anew.
	remove []orphan
	remake bool
	// notes are reported once the rest has succeeded.
	notes []note
	// again is when to look again even if nothing changes; zero means never.
	again time.Duration
}

// unpins says that the step forgets at which address a mon lived.
func (s step) unpins(f facts) bool {
	return f.export.Pinned && s.annotate != nil && !s.annotate.Pinned
}

// note is an event on the CephCluster.
type note struct {
	code    reason.Code
	warning bool
	// subject is what the event is about, for which it is reported once per change.
	subject string
	detail  string
}

func (n note) text() string {
	text := n.subject + " " + n.code.Sentence()
	if n.detail != "" {
		text += ": " + n.detail
	}
	return text
}

// recalled is the note as it is remembered.
func (n note) recalled() recall.Note {
	return recall.Note{Subject: n.subject, Code: string(n.code), Text: n.text()}
}

func recalled(notes []note) []recall.Note {
	var all []recall.Note
	for _, n := range notes {
		all = append(all, n.recalled())
	}
	return all
}

// makePlan decides what is to be done for a daemon of a CephCluster that is served.
func makePlan(f facts) step {
	p := planner{facts: f}
	p.plan()
	p.spareUnmarked()
	return p.step
}

// makePlanWithoutCluster decides what is to be done for a daemon whose CephCluster is gone or going.
func makePlanWithoutCluster(f facts) step {
	p := planner{facts: f}
	p.planWithoutCluster()
	p.spareUnmarked()
	return p.step
}

type planner struct {
	facts
	step
}

func (p *planner) plan() {
	if p.planAdoption() {
		return
	}
	if n, obstacle := p.obstacle(); obstacle {
		if n.code != "" {
			p.notes = append(p.notes, n)
		}
		return
	}
	p.planDisowning()
	p.planLabels()
	if p.daemon.Type.ServiceIsOurs() {
		p.planService()
	}
	if !p.export.Exists && !p.exportable() {
		p.noteUnexpected()
		p.planLoneService()
		return
	}

	wanted := p.export.Export
	if p.daemon.Type.KeepsAddressForLife() {
		p.planIdentity(&wanted)
	}
	p.planAddress(&wanted)
	p.planOrphan(&wanted)
	if len(p.remove) == 0 {
		p.planRemaking(wanted)
	}
	if len(p.remove) > 0 {
		return
	}
	if p.create = !p.export.Exists; p.create {
		p.lookAgain(createdPause)
	}
	p.annotateAs(wanted)
	p.notes = append(p.notes, p.changeNotes(wanted)...)
}

// planWithoutCluster is for a namespace whose CephCluster is gone or going: what lives keeps what it has, what was left is
// removed, and nothing is begun.
func (p *planner) planWithoutCluster() {
	if _, obstacle := p.obstacle(); obstacle {
		return
	}
	p.planDisowning()
	p.planLabels()
	if !p.export.Exists {
		p.planLoneService()
		return
	}
	wanted := p.export.Export
	p.planOrphan(&wanted)
	if len(p.remove) == 0 {
		p.annotateAs(wanted)
	}
}

// createdPause is when an export is looked for that was created: a watch that breaks meanwhile and begins anew tells neither
// of its beginning nor of its end, if it has ended.
const createdPause = 30 * time.Second

func (p *planner) annotateAs(wanted rook.Export) {
	if !maps.Equal(wanted.Annotations(), p.export.Annotations()) {
		p.annotate = &wanted
	}
}

// obstacle returns why a daemon is left alone, with a note if somebody has to know.
func (p *planner) obstacle() (note, bool) {
	key := p.daemon.Namespace + "/" + p.daemon.Name()
	warn := func(code reason.Code, kind string) (note, bool) {
		return note{code: code, warning: true, subject: p.daemon.String(), detail: kind + " " + key}, true
	}
	switch service := p.service; {
	case p.deployment != nil && p.deployment.Spec.Template.Spec.HostNetwork:
		return note{}, true
	case p.export.Exists && !p.export.Ours:
		return warn(reason.ExportForeign, "ServiceExport")
	case service == nil:
		return note{}, false
	case p.daemon.Type.ServiceIsOurs() && !ours(service):
		return warn(reason.ServiceForeign, "Service")
	case service.Spec.Type != "" && service.Spec.Type != corev1.ServiceTypeClusterIP, service.Spec.ClusterIP == corev1.ClusterIPNone:
		return warn(reason.ServiceTypeUnsupported, "Service")
	}
	return note{}, false
}

// expected says whether there is the Deployment of an OSD, or is about to be.
func (p *planner) expected() bool { return p.deployment != nil || p.prepared }

// exportable says whether there is a daemon, or about to be one, whose Service can be exported.
func (p *planner) exportable() bool {
	if p.daemon.Type.ServiceIsOurs() {
		return p.expected()
	}
	// A mon that lives can have lost its owner with a CephCluster that was deleted and created anew.
	return p.service != nil && rook.MonPort(p.service) != 0 && (p.deployment != nil || rook.IsMonServiceOf(p.service, p.cluster))
}

// noteUnexpected tells of the Service of a mon that Rook did not make for this CephCluster: exported, it would give a global IP to
// whatever it selects.
func (p *planner) noteUnexpected() {
	if p.service != nil && !p.daemon.Type.ServiceIsOurs() {
		p.notes = append(p.notes, note{
			code: reason.ServiceUnexpected, warning: true, subject: p.daemon.String(), detail: "Service " + p.daemon.Namespace + "/" + p.daemon.Name(),
		})
	}
}

func (p *planner) planService() {
	if !p.expected() {
		return
	}
	if wanted := rook.OSDService(p.daemon, p.cluster); p.service == nil || !satisfies(p.service, wanted) {
		p.apply = wanted
	}
	// Before it has its address, nothing but its birth may be written to a Service.
	if p.service != nil && p.export.Ready() && p.service.Annotations[rook.OrphanedSinceAnnotation] != "" {
		p.mark = &time.Time{}
	}
}

// satisfies says whether applying the wanted Service would change nothing.
func satisfies(service, wanted *corev1.Service) bool {
	for key, value := range wanted.Labels {
		// What a policy engine makes of this one is not worth a quarrel.
		if key != rook.ManagedByLabel && service.Labels[key] != value {
			return false
		}
	}
	samePort := func(a, b corev1.ServicePort) bool {
		return a.Name == b.Name && a.Port == b.Port && a.TargetPort == b.TargetPort && a.Protocol == b.Protocol
	}
	return service.Spec.Type == wanted.Spec.Type &&
		maps.Equal(service.Spec.Selector, wanted.Spec.Selector) &&
		slices.EqualFunc(service.Spec.Ports, wanted.Spec.Ports, samePort)
}

// changeNotes reports what becomes known of a daemon.
func (p *planner) changeNotes(after rook.Export) []note {
	var notes []note
	before, osd := p.export.Export, !p.daemon.Type.KeepsAddressForLife()
	report := func(code reason.Code, warning bool, format string, args ...any) {
		notes = append(notes, note{code: code, warning: warning, subject: p.daemon.String(), detail: fmt.Sprintf(format, args...)})
	}
	// Of an OSD, of which there are many, it is news which address it got, or why it gets none.
	if !before.Exists && !osd {
		report(reason.Exported, false, "ServiceExport %s/%s", p.daemon.Namespace, p.daemon.Name())
	}
	if after.Identity == rook.IdentityCluster && before.Identity != after.Identity {
		report(reason.IdentityCluster, false, "")
	}
	if after.GlobalIP.IsValid() && after.GlobalIP != before.GlobalIP {
		if p.deployment != nil && before.GlobalIP.IsValid() && osd {
			report(reason.AddressFollowed, false, "%s instead of %s", after.GlobalIP, before.GlobalIP)
		} else {
			report(reason.AddressResolved, false, "%s from %s", after.GlobalIP, after.Source)
		}
	}
	if after.Drift.IsValid() && after.Drift != before.Drift {
		report(reason.AddressDrifted, true, "%s instead of %s", after.Drift, after.GlobalIP)
	}
	if after.Refused != "" && (after.Refused != before.Refused || after.RefusedDetail != before.RefusedDetail) {
		report(after.Refused, true, "%s", strings.TrimSpace(after.RefusedDetail))
	}
	return notes
}

// lookAgain asks for a look after a while, or earlier if that is asked for as well.
func (p *planner) lookAgain(after time.Duration) {
	p.again = sooner(p.again, max(after, time.Second))
}

// sooner returns the shorter of two waits, of which zero is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
