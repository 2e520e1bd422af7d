package exporter

import (
	"fmt"
	"net/netip"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// question is what to ask for the global IP of a daemon by.
type question struct {
	clusterIPs []netip.Addr
	// known is the address that needs no second look: that of a mon only once it is pinned.
	known   netip.Addr
	forLife bool
	// signature changes with what may change the answer besides the sources themselves.
	signature string
}

// question says whether to ask: the export has to be Valid. Of a mon that keeps its ClusterIP it is asked too: that its address
// is known and guarded shows that the mon which takes its place will get one.
func (f facts) question() (question, bool) {
	export := f.export
	switch {
	case !export.Ours || export.Valid != metav1.ConditionTrue,
		f.daemon.Type.KeepsAddressForLife() && export.Identity == "":
		return question{}, false
	}
	q := question{forLife: f.daemon.Type.KeepsAddressForLife(), signature: string(export.UID)}
	if !q.forLife || export.Pinned {
		q.known = export.GlobalIP
	}
	if f.service != nil {
		q.clusterIPs = rook.ClusterIPs(f.service)
		q.signature += " " + string(f.service.UID)
	}
	return q, true
}

// planAddress takes what the sources answered.
func (p *planner) planAddress(wanted *rook.Export) {
	forLife := p.daemon.Type.KeepsAddressForLife()
	switch {
	case forLife && wanted.Identity == "":
		return
	case wanted.Pinned:
		p.planDrift(wanted)
		return
	}
	if wanted.Valid != metav1.ConditionTrue {
		wanted.Refused, wanted.RefusedDetail = "", ""
		p.planStuck(wanted)
		if forLife {
			// Its Service may have been made anew. An OSD would follow a new address; a mon has only one chance.
			wanted.GlobalIP, wanted.Source = netip.Addr{}, ""
		}
		return
	}
	if p.answer == nil {
		return
	}
	refusal := p.answer.refusal
	if refusal == nil {
		wanted.GlobalIP, wanted.Source = p.answer.answer.IP, p.answer.answer.Source
		wanted.Refused, wanted.RefusedDetail = "", ""
		return
	}
	if forLife || wrongAnswer(refusal.Code) && p.wouldGoTo(wanted.GlobalIP) {
		// One that is to be born would be born at an address that can be another's, and one that lives elsewhere would follow to it.
		wanted.GlobalIP, wanted.Source = netip.Addr{}, ""
	}
	// Of an address that is known, an earlier wrong answer is forgotten at once.
	if !p.answer.early || wrongAnswer(refusal.Code) || wanted.GlobalIP.IsValid() {
		refuse(wanted, refusal)
	}
}

// wouldGoTo says whether the daemon would come to live at an address at which it does not live: it is to be born, or lives at another.
func (f facts) wouldGoTo(address netip.Addr) bool {
	if f.deployment == nil {
		return true
	}
	lives, told := rook.Address(f.deployment)
	return told && lives != address
}

const (
	// noAddress is the reason by which Lighthouse says that an export is not Valid for want of a global IP (lighthouse 0.19
	// pkg/agent/controller/globalingressip.go).
	noAddress = "ServiceGlobalIPUnavailable"
	// stuckAfter is the age of an export that should know of its global IP by now; a healthy one does within seconds.
	stuckAfter = 15 * time.Second
)

// saysItHasNone says whether the export is not Valid for want of a global IP.
func (f facts) saysItHasNone() bool {
	return f.export.Ours && f.export.Valid == metav1.ConditionFalse && f.export.ValidReason == noAddress && !f.export.GlobalIP.IsValid()
}

// planStuck tells of an export that does not know of the global IP that Globalnet has given to it. The API server refuses what a
// Lighthouse writes that is not made for the CRD, and it does not try again before it is restarted.
func (p *planner) planStuck(wanted *rook.Export) {
	if !p.saysItHasNone() || !p.allocated.IsValid() {
		return
	}
	if left := stuckAfter - p.now.Sub(p.export.Created); left > 0 {
		p.lookAgain(left)
		return
	}
	wanted.Refused = reason.ExportStuck
	wanted.RefusedDetail = fmt.Sprintf("the GlobalIngressIP has %s, and the ServiceExport says %s: %s", p.allocated, wanted.ValidReason, wanted.ValidMessage)
}

// remakePause is the least age of an export that is made anew, so that this happens once in a while.
const remakePause = time.Minute

// planRemaking removes the export of a daemon that cannot be born because another lives at the address that it was given, so
// that it is made anew and given another. A living daemon is never moved so, nor one that is to be found where it was.
func (p *planner) planRemaking(wanted rook.Export) {
	if p.answer == nil || !p.answer.taken || p.deployment != nil || wanted.Pinned || !p.alive() {
		return
	}
	if left := remakePause - p.now.Sub(p.export.Created); left > 0 {
		p.lookAgain(left)
		return
	}
	p.remake = true
	p.remove = []orphan{{uid: p.export.UID, resourceVersion: p.export.ResourceVersion}}
	p.notes = append(p.notes, note{
		code: reason.ExportRemade, warning: true, subject: p.daemon.String(),
		detail: "ServiceExport " + p.daemon.Namespace + "/" + p.daemon.Name(),
	})
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
		reason.SourcesDisagree, reason.SeveralAddresses, reason.MalformedAddress, reason.ServiceAddress, reason.GlobalCIDRUnknown:
		return true
	}
	return false
}

// isDoubt says whether an address that is known may be another's by now. Not all that settles it is watched: Globalnet's internal
// Service, which the network goes by, follows its object a moment later.
func isDoubt(code reason.Code) bool {
	return wrongAnswer(code) || code == reason.SourceUnreadable || code == reason.GlobalIPNotAllocated
}

// planDrift compares the address that a mon was born with to what the sources answer now. That they answer something wrong
// is a drift whose address is not known.
func (p *planner) planDrift(wanted *rook.Export) {
	if p.answer == nil {
		return
	}
	if p.answer.refusal != nil {
		refuse(wanted, p.answer.refusal)
		return
	}
	wanted.Refused, wanted.RefusedDetail = "", ""
	if p.answer.answer.IP == wanted.GlobalIP {
		wanted.Drift = netip.Addr{}
	} else {
		wanted.Drift = p.answer.answer.IP
	}
}
