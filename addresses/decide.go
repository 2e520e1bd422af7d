package addresses

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// Facts are what an object is about.
type Facts struct {
	// Snapshot is that of the namespace.
	view.Snapshot
	ExportKindServed bool
	// Remembered is what Rook's operator remembers wrongly.
	Remembered rook.Remembered
	// Name and Generation are those of the object.
	Name       string
	Generation int64
}

// Decide returns what is to stand in an object in which before stands. A condition that does not change keeps its time.
func Decide(f Facts, before Status, now time.Time) Status {
	complete := f.complete(meta.IsStatusConditionTrue(before.Conditions, Complete))
	token := f.token(complete)
	// What is not of these three types somebody else wrote, or another release: it would stay for ever, and so many are refused.
	own := slices.DeleteFunc(slices.Clone(before.Conditions), func(c metav1.Condition) bool { return !slices.Contains(conditionTypes, c.Type) })
	after := Status{ObservedGeneration: f.Generation, Conditions: own}
	ready := complete
	switch {
	case complete.Status != metav1.ConditionTrue:
	case token.Status != metav1.ConditionTrue:
		ready = token
	default:
		ready.Message += ", and the token for peers is not known to be wrong"
	}
	ready.Type = Ready
	for _, condition := range []metav1.Condition{ready, complete, token} {
		condition.ObservedGeneration, condition.LastTransitionTime = f.Generation, metav1.Time{Time: now.UTC().Truncate(time.Second)}
		condition.Message = reason.Shorten(condition.Message, mostMessage)
		meta.SetStatusCondition(&after.Conditions, condition)
	}
	if f.served() == "" {
		after.Daemons = len(f.Daemons)
		after.AtGlobalIPs = after.Daemons - len(f.unwell())
	}
	return after
}

// conditionTypes are those of the conditions that are told.
var conditionTypes = []string{Ready, Complete, TokenRight}

const (
	// mostMessage bounds the message of a condition, and mostNamed how many daemons are named in it.
	mostMessage = 1000
	mostNamed   = 3
)

// served returns why nothing is done for the CephCluster, or nothing.
func (f Facts) served() reason.Code {
	switch {
	case !f.Enabled:
		return reason.NamespaceNotEnabled
	case f.Cluster == nil || f.Cluster.Name != f.Name:
		return reason.ClusterUnknown
	}
	if code := f.Cluster.State(f.ExportKindServed); code != reason.Served {
		return code
	}
	return ""
}

// complete returns the condition Complete. What was complete is not taken back by a reconcile of Rook that changes nothing.
func (f Facts) complete(was bool) metav1.Condition {
	no := func(code reason.Code, message string) metav1.Condition {
		return metav1.Condition{Type: Complete, Status: metav1.ConditionFalse, Reason: code.Event(), Message: message}
	}
	if code := f.served(); code != "" {
		return no(code, "CephCluster "+f.Name+" "+code.Sentence())
	}
	unwell := f.unwell()
	mons := 0
	for _, d := range f.Daemons {
		if d.Daemon.Type == rook.Mon && d.Deployed {
			mons++
		}
	}
	switch {
	case len(unwell) > 0:
		return no(unwell[0].State().Code, f.counted(unwell))
	case mons == 0 || mons < f.Failover.Mons:
		return no(reason.MonCountDiffers, fmt.Sprintf("it %s: of %d there are %d", reason.MonCountDiffers.Sentence(), f.Failover.Mons, mons))
	case !was && !f.Cluster.IsReady():
		return no(reason.ClusterNotReady, "it "+reason.ClusterNotReady.Sentence())
	}
	return metav1.Condition{
		Type: Complete, Status: metav1.ConditionTrue, Reason: reason.OK.Event(),
		Message: fmt.Sprintf("all %d mons and OSDs advertise their global IPs", len(f.Daemons)),
	}
}

func (f Facts) unwell() []rook.DaemonFacts {
	return slices.DeleteFunc(slices.Clone(f.Daemons), func(d rook.DaemonFacts) bool { return d.State().Well() })
}

// counted says how many daemons are not well, and names the first of them.
func (f Facts) counted(unwell []rook.DaemonFacts) string {
	var named []string
	for _, d := range unwell[:min(len(unwell), mostNamed)] {
		named = append(named, d.Daemon.String()+" "+d.State().String())
	}
	if more := len(unwell) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("%d of %d mons and OSDs are not at their global IPs: %s", len(unwell), len(f.Daemons), strings.Join(named, "; "))
}

// token returns the condition TokenRight. Where Rook never remembered a mon wrongly, it wrote the token rightly.
func (f Facts) token(complete metav1.Condition) metav1.Condition {
	condition := metav1.Condition{Type: TokenRight, Status: metav1.ConditionTrue, Reason: reason.PeerTokenRight.Event()}
	switch {
	case f.served() != "":
		condition.Status, condition.Reason, condition.Message = metav1.ConditionUnknown, complete.Reason, complete.Message
	case f.Remembered.Version != "" && (f.Remembered.Stale() || f.Remembered.TokenRight.IsZero()):
		condition.Status, condition.Reason = metav1.ConditionFalse, reason.PeerTokenStale.Event()
		condition.Message = f.secret() + " " + reason.PeerTokenStale.Sentence()
	default:
		condition.Message = f.secret() + " tells what Rook knows of the mons, which is not known to be wrong"
	}
	return condition
}

func (f Facts) secret() string { return "Secret " + f.Namespace + "/" + rook.PeerTokenName(f.Name) }
