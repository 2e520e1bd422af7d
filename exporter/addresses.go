package exporter

import (
	"maps"
	"net/netip"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// question is a daemon whose global IP is to be asked for.
type question struct {
	daemon     rook.Daemon
	clusterIPs []netip.Addr
	// signature changes with what may change the answer besides the sources themselves.
	signature string
	// known says that this only checks whether a known address still stands.
	known bool
}

// questions returns what to ask for: the export has to be Valid, and what DNS has answered once is not asked again,
// for unlike an object a DNS record cannot be watched.
func (f facts) questions() []question {
	var questions []question
	for _, d := range f.daemons() {
		export := f.exports[d.Name()]
		if !export.Ours || export.Valid != metav1.ConditionTrue {
			continue
		}
		if d.Type == rook.Mon && export.Identity != rook.IdentityClusterset {
			continue
		}
		known := export.GlobalIP.IsValid()
		if known && export.Source == resolver.SourceDNS {
			continue
		}
		q := question{daemon: d, signature: string(export.uid), known: known}
		if service := f.services[d.Name()]; service != nil {
			q.clusterIPs = clusterIPs(service)
			q.signature += " " + string(service.UID)
		}
		questions = append(questions, q)
	}
	return questions
}

// holders settles which daemon gets an address that several are told to have: a living mon before all others, for it
// cannot change; who has it already before who is told so anew. An address that its daemon is about to leave is free:
// were it not, two OSDs whose addresses were swapped would wait for each other.
func (f facts) holders() map[netip.Addr]string {
	holders := map[netip.Addr]string{}
	claim := func(claimed func(e knownExport, told resolution, answered bool) (netip.Addr, bool)) {
		for _, name := range slices.Sorted(maps.Keys(f.exports)) {
			told, asked := f.answers[name]
			address, ok := claimed(f.exports[name], told, asked && told.refusal == nil)
			if _, taken := holders[address]; ok && address.IsValid() && !taken {
				holders[address] = name
			}
		}
	}
	claim(func(e knownExport, _ resolution, _ bool) (netip.Addr, bool) { return e.GlobalIP, e.Pinned })
	claim(func(e knownExport, told resolution, answered bool) (netip.Addr, bool) {
		return e.GlobalIP, !e.Pinned && (!answered || told.answer.IP == e.GlobalIP)
	})
	claim(func(e knownExport, told resolution, answered bool) (netip.Addr, bool) {
		return told.answer.IP, !e.Pinned && answered
	})
	return holders
}

// inUse returns the addresses that no answer for a daemon of this CephCluster may tell: those of the other CephClusters'
// daemons, and of this one's living mons.
func (f facts) inUse(asked rook.Daemon, elsewhere map[netip.Addr]string) map[netip.Addr]string {
	used := maps.Clone(elsewhere)
	if used == nil {
		used = map[netip.Addr]string{}
	}
	for name, export := range f.exports {
		if export.Pinned && export.GlobalIP.IsValid() && name != asked.Name() {
			used[export.GlobalIP] = asked.Namespace + "/" + name
		}
	}
	return used
}

// planAddress takes what the sources told.
func (p *planner) planAddress(d rook.Daemon, wanted *rook.Export) {
	mon := d.Type == rook.Mon
	switch {
	case mon && wanted.Identity != rook.IdentityClusterset:
		return
	case wanted.Pinned:
		p.planDrift(d, wanted)
		return
	}
	if wanted.Valid != metav1.ConditionTrue {
		wanted.Refused, wanted.RefusedDetail = "", ""
		if mon {
			// Its Service may have been made anew. An OSD would follow a new address; a mon has only one chance.
			wanted.GlobalIP, wanted.Source = netip.Addr{}, ""
		}
		return
	}
	told, asked := p.answers[d.Name()]
	if !asked {
		return
	}
	refusal := told.refusal
	if holder := p.holders[told.answer.IP]; refusal == nil && holder != d.Name() {
		refusal = reason.Errorf(reason.UsedByAnother, "%s says %s, which is that of %s", told.answer.Source, told.answer.IP, holder)
	}
	if refusal == nil {
		wanted.GlobalIP, wanted.Source = told.answer.IP, told.answer.Source
		wanted.Refused, wanted.RefusedDetail = "", ""
		return
	}
	if mon {
		wanted.GlobalIP, wanted.Source = netip.Addr{}, ""
	}
	// Of an address that is known, an earlier wrong answer is forgotten at once.
	if !told.early || wrongAnswer(refusal.Code) || wanted.GlobalIP.IsValid() {
		refuse(wanted, refusal)
	}
}

// refuse notes why there is no address. Of a known one only an answer that is wrong is noted, not the want of an answer.
func refuse(wanted *rook.Export, refusal *reason.Error) {
	wrong := wrongAnswer(refusal.Code)
	switch {
	case wanted.GlobalIP.IsValid() && !wrong:
		wanted.Refused, wanted.RefusedDetail = "", ""
	case wanted.Refused == refusal.Code && !wrong:
		// The words for the same failure can differ each time it is met; that is not worth a write.
	default:
		wanted.Refused, wanted.RefusedDetail = refusal.Code, refusal.Detail
	}
}

// wrongAnswer says whether a refusal is about an answer, and not about the want of one.
func wrongAnswer(code reason.Code) bool {
	switch code {
	case reason.IsClusterIP, reason.OutsideGlobalCIDR, reason.InsidePeerCIDR, reason.UsedByAnother, reason.Unroutable,
		reason.SourcesDisagree, reason.SeveralAddresses, reason.MalformedAddress:
		return true
	}
	return false
}

// planDrift compares the address that a mon was born with to what the sources tell now.
func (p *planner) planDrift(d rook.Daemon, wanted *rook.Export) {
	wanted.Refused, wanted.RefusedDetail = "", ""
	told, asked := p.answers[d.Name()]
	if !asked || told.refusal != nil {
		return
	}
	if told.answer.IP == wanted.GlobalIP {
		wanted.Drift = netip.Addr{}
	} else {
		wanted.Drift = told.answer.IP
	}
}
