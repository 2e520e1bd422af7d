package rook

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// Identity says which address a mon was born with. The empty Identity means that it has not been decided yet.
type Identity string

// The two identities of a mon.
const (
	// IdentityClusterset is that of a mon born with its global IP.
	IdentityClusterset Identity = "clusterset"
	// IdentityCluster is that of a mon older than rook-clusterset: it keeps its ClusterIP until Rook replaces it.
	IdentityCluster Identity = "cluster"
)

// The types of the conditions by which an MCS implementation says that a Service can be exported, that it is, and that it is not
// exported alike by all clusters (KEP-1645). The first alone is waited for.
const (
	ValidCondition    = "Valid"
	ReadyCondition    = "Ready"
	ConflictCondition = "Conflict"
)

// Export is what is known of the ServiceExport of a daemon.
type Export struct {
	Exists bool
	// Ours says whether rook-clusterset created it, and Marked that it says so by the label of our own domain.
	Ours, Marked bool

	Identity Identity
	GlobalIP netip.Addr
	// Source names where the global IP was found.
	Source string
	// Pinned says that a living mon has this global IP, whatever the sources say by now.
	Pinned bool
	// Drift is a global IP that the sources answer instead of the pinned one.
	Drift netip.Addr
	// Refused is why no address could be taken from the sources.
	Refused       reason.Code
	RefusedDetail string
	// Valid is empty as long as the MCS implementation has not reported that condition.
	Valid        metav1.ConditionStatus
	ValidReason  string
	ValidMessage string
	// Beside is what the conditions ReadyCondition and ConflictCondition say against the export, in words.
	Beside        string
	OrphanedSince time.Time
	// Created is when the export was made.
	Created time.Time
	// Move is noted by whoever moves a running cluster, and is none of Annotations, which the leader's turns apply as a whole.
	Move Move
}

// ReadExport returns what the annotations and labels of a ServiceExport say, its condition ValidCondition, and those beside it;
// each is nil as long as nobody has reported it. A nil meta is an export that does not exist.
func ReadExport(meta metav1.Object, valid *metav1.Condition, beside ...*metav1.Condition) Export {
	if meta == nil {
		return Export{}
	}
	annotations := meta.GetAnnotations()
	e := Export{
		Exists:        true,
		Ours:          IsOurs(meta.GetLabels()),
		Marked:        IsMarked(meta.GetLabels()),
		Identity:      Identity(annotations[IdentityAnnotation]),
		GlobalIP:      addressOrNone(annotations[GlobalIPAnnotation]),
		Source:        annotations[SourceAnnotation],
		Pinned:        annotations[PinnedAnnotation] == "true",
		Drift:         addressOrNone(annotations[DriftAnnotation]),
		OrphanedSince: timeOrNone(annotations[OrphanedSinceAnnotation]),
		Created:       meta.GetCreationTimestamp().Time,
		Move:          ReadMove(annotations[MoveAnnotation]),
	}
	if kind, _, known := ParseName(meta.GetName()); known && !kind.KeepsAddressForLife() {
		// We note these of mons alone, and somebody else can have written them.
		e.Identity, e.Pinned, e.Drift, e.Move = "", false, netip.Addr{}, Move{}
	}
	if !e.Ours {
		// It could not be ended there.
		e.Move = Move{}
	}
	code, detail, _ := strings.Cut(annotations[RefusedAnnotation], ": ")
	if refused := reason.Code(code); refused.Known() {
		e.Refused, e.RefusedDetail = refused, detail
	}
	if valid != nil {
		e.Valid, e.ValidReason, e.ValidMessage = valid.Status, valid.Reason, valid.Message
	}
	var against []string
	for _, c := range beside {
		if SpeaksAgainst(c) {
			against = append(against, fmt.Sprintf("%s %s (%s)", c.Type, c.Status, whyOf(c.Reason, c.Message)))
		}
	}
	e.Beside = strings.Join(against, ", ")
	return e
}

// SpeaksAgainst says whether a condition beside ValidCondition says something against the export.
func SpeaksAgainst(c *metav1.Condition) bool {
	switch {
	case c == nil:
		return false
	case c.Type == ConflictCondition:
		return c.Status == metav1.ConditionTrue
	}
	return c.Status != metav1.ConditionTrue
}

// mostDetail bounds what is written of a refusal: the caches keep no annotation that is longer than we write them.
const mostDetail = mostText / 4

// Annotations returns the annotations in which the export keeps what ReadExport reads from them, but for its Move.
func (e Export) Annotations() map[string]string {
	annotations := map[string]string{}
	set := func(key, value string) {
		if value != "" {
			annotations[key] = value
		}
	}
	set(IdentityAnnotation, string(e.Identity))
	set(GlobalIPAnnotation, AddressText(e.GlobalIP))
	set(SourceAnnotation, e.Source)
	if e.Pinned {
		set(PinnedAnnotation, "true")
	}
	set(DriftAnnotation, AddressText(e.Drift))
	refused := string(e.Refused)
	if refused != "" && e.RefusedDetail != "" {
		refused += ": " + reason.Shorten(e.RefusedDetail, mostDetail)
	}
	set(RefusedAnnotation, refused)
	if !e.OrphanedSince.IsZero() {
		set(OrphanedSinceAnnotation, e.OrphanedSince.UTC().Format(time.RFC3339))
	}
	return annotations
}

// Ready says whether the daemon can advertise the global IP. A pinned one it can, even while the export is not Valid:
// the mon that has it was born with it, unless that is hearsay.
func (e Export) Ready() bool {
	return e.Ours && e.GlobalIP.IsValid() && (e.Pinned && !e.IsHearsay() || e.Valid == metav1.ConditionTrue)
}

// Why returns why the export is not Ready, or nil if it is.
func (e Export) Why(d Daemon) *reason.Error {
	name := fmt.Sprintf("ServiceExport %s/%s", d.Namespace, d.Name())
	switch {
	case e.Ready():
		return nil
	case !e.Exists:
		return &reason.Error{Code: reason.ExportMissing, Detail: name}
	case !e.Ours:
		return &reason.Error{Code: reason.ExportForeign, Detail: name}
	case e.Refused == reason.ExportStuck:
		return &reason.Error{Code: e.Refused, Detail: e.RefusedDetail}
	case e.Refused != "" && (e.Valid == "" || e.Valid == metav1.ConditionTrue):
		return &reason.Error{Code: e.Refused, Detail: e.RefusedDetail}
	case e.Valid != metav1.ConditionTrue:
		return &reason.Error{Code: reason.ExportNotValid, Detail: name + ": " + e.condition()}
	}
	return &reason.Error{Code: reason.AddressUnknown, Detail: name + " is Valid" + e.besides()}
}

// condition returns the reason and the message of a Valid condition that is not True, and what is said beside it.
func (e Export) condition() string {
	if e.Valid == "" {
		return "its condition Valid is not reported yet" + e.besides()
	}
	return whyOf(e.ValidReason, e.ValidMessage) + e.besides()
}

// besides returns what is said beside Valid in a clause that can follow.
func (e Export) besides() string {
	if e.Beside == "" {
		return ""
	}
	return "; " + e.Beside
}

func whyOf(code, message string) string {
	switch {
	case code != "" && message != "":
		return code + ": " + message
	case code != "" || message != "":
		return code + message
	}
	return "no reason given"
}

// obstacle returns why the export is not Ready in a clause that can follow a colon.
func (e Export) obstacle(d Daemon) (reason.Code, string) {
	why := e.Why(d)
	switch {
	case why == nil:
		return reason.AddressUnknown, "it is not decided yet which address it is to be born with"
	case why.Code == reason.ExportNotValid:
		return why.Code, fmt.Sprintf("ServiceExport %s/%s is not Valid (%s)", d.Namespace, d.Name(), e.condition())
	}
	return why.Code, "it " + why.Error()
}

func timeOrNone(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
