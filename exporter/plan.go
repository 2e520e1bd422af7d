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
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// facts is what a plan for one CephCluster rests on. Maps are by name of the daemon's objects.
type facts struct {
	now     time.Time
	grace   time.Duration
	cluster rook.Cluster
	// services are those of mons, which are Rook's, and those of OSDs.
	services    map[string]*corev1.Service
	deployments map[string]*appsv1.Deployment
	exports     map[string]knownExport
	// endpoints is nil as long as Rook has not written any.
	endpoints *corev1.ConfigMap
	// inCIDR says whether an address is one of this cluster's global IPs; nil means that it cannot be told now.
	inCIDR func(netip.Addr) bool
	// answers hold what the sources told for each daemon that was asked for.
	answers map[string]resolution
	// reloadedAt is when this process last asked Rook to reload, which the cache may not tell yet.
	reloadedAt time.Time
}

// knownExport is a ServiceExport and what a deletion of this very one needs.
type knownExport struct {
	rook.Export
	uid             types.UID
	resourceVersion string
	// owned says whether it will go with the CephCluster.
	owned bool
}

// resolution is what came of asking for a global IP.
type resolution struct {
	answer  resolver.Answer
	refusal *reason.Error
	// early says that the want of an answer is so new that the sources may only have been read one after the other.
	early bool
}

// plan is what is to be done. An unchanged cluster has an empty one.
type plan struct {
	steps []step
	// reload says that Rook is to read its mon endpoints anew.
	reload bool
	// again is when to look again even if nothing changes; zero means never.
	again time.Duration
}

// step is what is to be done for one daemon, in this order. A failure ends the step.
type step struct {
	daemon rook.Daemon
	// service is what the Service of an OSD should be, nil if it is.
	service *corev1.Service
	// create says that the ServiceExport does not exist.
	create bool
	// annotate is what the annotations of the ServiceExport should tell, nil if they do.
	annotate *rook.Export
	// mark is what the orphaned-since annotation of the OSD's Service should be, nil if it is; zero means none.
	mark *time.Time
	// remove are the objects that have been orphans for long enough.
	remove []orphan
	// notes are told once the rest has succeeded.
	notes []note
}

func (s step) empty() bool {
	return s.service == nil && !s.create && s.annotate == nil && s.mark == nil && len(s.remove) == 0 && len(s.notes) == 0
}

// note is an event on the CephCluster.
type note struct {
	code    reason.Code
	warning bool
	// subject is what the event is about, for which it is told once per change.
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

// makePlan decides what is to be done for a CephCluster that is served.
func makePlan(f facts) plan {
	p := planner{facts: f, holders: f.holders(), listed: f.listedMons()}
	for _, d := range f.daemons() {
		if s := p.daemon(d); !s.empty() {
			p.steps = append(p.steps, s)
		}
	}
	p.planReload()
	return p.plan
}

type planner struct {
	facts
	plan
	// holders tells which daemon of this CephCluster gets an address.
	holders map[netip.Addr]string
	// listed are the mons of Rook's list, with the addresses that it has for them.
	listed map[string]netip.Addr
}

// daemons returns every mon and OSD that there is any object of, sorted by name.
func (f facts) daemons() []rook.Daemon {
	names := map[string]struct{}{}
	for name := range f.services {
		names[name] = struct{}{}
	}
	for name := range f.deployments {
		names[name] = struct{}{}
	}
	for name := range f.exports {
		names[name] = struct{}{}
	}
	var daemons []rook.Daemon
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if kind, id, ok := rook.ParseName(name); ok {
			daemons = append(daemons, rook.Daemon{Type: kind, ID: id, Namespace: f.cluster.Namespace, Cluster: f.cluster.Name})
		}
	}
	return daemons
}

func (f facts) listedMons() map[string]netip.Addr {
	listed := map[string]netip.Addr{}
	if f.endpoints == nil {
		return listed
	}
	// What cannot be understood is told by admission, which sees it first.
	endpoints, _ := rook.ParseEndpoints(f.endpoints.Data[rook.EndpointsDataKey])
	for _, e := range endpoints {
		listed[e.ID] = e.Addr.Addr()
	}
	return listed
}

func (p *planner) daemon(d rook.Daemon) step {
	name := d.Name()
	s := step{daemon: d}
	export, service, deployment := p.exports[name], p.services[name], p.deployments[name]
	if note, obstacle := p.obstacle(d); obstacle {
		if note.code != "" {
			s.notes = append(s.notes, note)
		}
		return s
	}
	if d.Type == rook.OSD {
		p.planService(&s, service, deployment)
	}
	if !export.Exists && !p.exportable(d) {
		p.planLoneService(&s, service, deployment)
		return s
	}

	wanted := export.Export
	if d.Type == rook.Mon {
		p.planIdentity(d, &wanted)
	}
	p.planAddress(d, &wanted)
	p.planOrphan(&s, &wanted)
	if len(s.remove) > 0 {
		return s
	}
	s.create = !export.Exists
	if !maps.Equal(wanted.Annotations(), export.Annotations()) || export.Exists && !export.owned {
		s.annotate = &wanted
	}
	s.notes = append(s.notes, changeNotes(d, export.Export, wanted, deployment != nil)...)
	return s
}

// obstacle returns why a daemon is left alone, with a note if somebody has to know.
func (p *planner) obstacle(d rook.Daemon) (note, bool) {
	name := d.Name()
	key := d.Namespace + "/" + name
	if deployment := p.deployments[name]; deployment != nil && deployment.Spec.Template.Spec.HostNetwork {
		return note{}, true
	}
	if export := p.exports[name]; export.Exists && !export.Ours {
		return note{code: reason.ExportForeign, warning: true, subject: d.String(), detail: "ServiceExport " + key}, true
	}
	service := p.services[name]
	if service == nil {
		return note{}, false
	}
	if d.Type == rook.OSD && !ours(service) {
		return note{code: reason.ServiceForeign, warning: true, subject: d.String(), detail: "Service " + key}, true
	}
	if kind := service.Spec.Type; kind != "" && kind != corev1.ServiceTypeClusterIP || service.Spec.ClusterIP == corev1.ClusterIPNone {
		return note{code: reason.ServiceTypeUnsupported, warning: true, subject: d.String(), detail: "Service " + key}, true
	}
	return note{}, false
}

// exportable says whether there is a daemon, or about to be one, whose Service can be exported.
func (p *planner) exportable(d rook.Daemon) bool {
	if d.Type == rook.OSD {
		return p.deployments[d.Name()] != nil
	}
	return p.services[d.Name()] != nil
}

func (p *planner) planService(s *step, service *corev1.Service, deployment *appsv1.Deployment) {
	if deployment == nil {
		return
	}
	if wanted := rook.OSDService(deployment, p.cluster); service == nil || !satisfies(service, wanted) {
		s.service = wanted
	}
	if service != nil && service.Annotations[rook.OrphanedSinceAnnotation] != "" {
		s.mark = &time.Time{}
	}
}

// satisfies says whether applying the wanted Service would change nothing.
func satisfies(service, wanted *corev1.Service) bool {
	for key, value := range wanted.Labels {
		if service.Labels[key] != value {
			return false
		}
	}
	samePort := func(a, b corev1.ServicePort) bool {
		return a.Name == b.Name && a.Port == b.Port && a.TargetPort == b.TargetPort && a.Protocol == b.Protocol
	}
	return service.Spec.Type == wanted.Spec.Type &&
		maps.Equal(service.Spec.Selector, wanted.Spec.Selector) &&
		slices.EqualFunc(service.Spec.Ports, wanted.Spec.Ports, samePort) &&
		isOwned(service, wanted.OwnerReferences[0].UID)
}

// changeNotes tells what becomes known of a daemon.
func changeNotes(d rook.Daemon, before, after rook.Export, born bool) []note {
	var notes []note
	tell := func(code reason.Code, warning bool, format string, args ...any) {
		notes = append(notes, note{code: code, warning: warning, subject: d.String(), detail: fmt.Sprintf(format, args...)})
	}
	// Admission, on any replica, creates the exports of new OSDs too, and leaves it to the leader to tell of them.
	untold := func(e rook.Export) bool { return !e.GlobalIP.IsValid() && e.Refused == "" }
	if !before.Exists || d.Type == rook.OSD && untold(before) && !untold(after) {
		tell(reason.Exported, false, "ServiceExport %s/%s", d.Namespace, d.Name())
	}
	if after.Identity == rook.IdentityCluster && before.Identity != after.Identity {
		tell(reason.IdentityCluster, false, "")
	}
	if after.GlobalIP.IsValid() && after.GlobalIP != before.GlobalIP {
		if born && before.GlobalIP.IsValid() && d.Type == rook.OSD {
			tell(reason.AddressFollowed, false, "%s instead of %s", after.GlobalIP, before.GlobalIP)
		} else {
			tell(reason.AddressResolved, false, "%s from %s", after.GlobalIP, after.Source)
		}
	}
	if after.Drift.IsValid() && after.Drift != before.Drift {
		tell(reason.AddressDrifted, true, "%s instead of %s", after.Drift, after.GlobalIP)
	}
	if after.Refused != "" && (after.Refused != before.Refused || after.RefusedDetail != before.RefusedDetail) {
		tell(after.Refused, true, "%s", strings.TrimSpace(after.RefusedDetail))
	}
	return notes
}

// lookAgain asks for a look after a while, or earlier if that is asked for as well.
func (p *planner) lookAgain(after time.Duration) {
	if after <= 0 {
		after = time.Second
	}
	if p.again == 0 || after < p.again {
		p.again = after
	}
}
