package rook

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// The keys of the ConfigMap RememberedName.
const (
	rememberedMonsKey  = "mons"
	operatorKey        = "operator-namespace"
	writtenKey         = "written"
	reloadRequestedKey = "reload-requested"
	tokenRightKey      = "peer-token-right-since"
	monHostLacksKey    = "mon-host-lacks"
)

// Remembered is what Rook's operator remembers wrongly of its mons, as far as its writes told. It stands in a ConfigMap of our
// own, because others read the mon endpoints, change them and write them back.
type Remembered struct {
	// Mons are the entries that had to be corrected when Rook last wrote them from its memory.
	Mons []Endpoint
	// Operator is the namespace of the operator that wrote them, and Written when it did.
	Operator string
	Written  time.Time
	// ReloadRequested is when Rook was last asked to read the mon endpoints anew.
	ReloadRequested time.Time
	// TokenRight is since when the token for peers, which Rook writes from the same memory, is right; zero while it is not,
	// or while that is not known.
	TokenRight time.Time
	// MonHostLacks are the entries of mons to be born that the list has and mon_host has not told since.
	MonHostLacks []Endpoint
	// Version is that of the ConfigMap, empty while there is none.
	Version string
}

// ReadRemembered returns what stands in the ConfigMap, which may be nil.
func ReadRemembered(c *corev1.ConfigMap) Remembered {
	if c == nil {
		return Remembered{}
	}
	mons, _ := ParseEndpoints(c.Data[rememberedMonsKey])
	lacking, _ := ParseEndpoints(c.Data[monHostLacksKey])
	return Remembered{
		Mons:            mons,
		Operator:        c.Data[operatorKey],
		Written:         timeOrNone(c.Data[writtenKey]),
		ReloadRequested: timeOrNone(c.Data[reloadRequestedKey]),
		TokenRight:      timeOrNone(c.Data[tokenRightKey]),
		MonHostLacks:    lacking,
		Version:         c.ResourceVersion,
	}
}

// Data returns what ReadRemembered reads.
func (r Remembered) Data() map[string]string {
	data := map[string]string{}
	set := func(key, value string) {
		if value != "" {
			data[key] = value
		}
	}
	at := func(key string, t time.Time) {
		if !t.IsZero() {
			data[key] = t.UTC().Format(time.RFC3339)
		}
	}
	set(rememberedMonsKey, FormatEndpoints(r.Mons))
	set(operatorKey, r.Operator)
	at(writtenKey, r.Written)
	at(reloadRequestedKey, r.ReloadRequested)
	at(tokenRightKey, r.TokenRight)
	set(monHostLacksKey, FormatEndpoints(r.MonHostLacks))
	return data
}

// ChangesTo returns the keys of the ConfigMap that differ afterwards, nil for one that goes: who writes one key leaves the
// others to whoever writes those.
func (r Remembered) ChangesTo(after Remembered) map[string]*string {
	before, now := r.Data(), after.Data()
	changes := map[string]*string{}
	for key, value := range now {
		if before[key] != value {
			changes[key] = &value
		}
	}
	for key := range before {
		if _, stays := now[key]; !stays {
			changes[key] = nil
		}
	}
	return changes
}

// Stale says that Rook remembers a mon elsewhere than it is.
func (r Remembered) Stale() bool { return len(r.Mons) > 0 }

// OperatorWrite is a write of the mon endpoints by Rook's operator.
type OperatorWrite struct {
	// Operator is the namespace of the operator.
	Operator string
	// FromMemory says that it wrote all that it remembers. Otherwise it read what is stored, and changed a part of that.
	FromMemory bool
	// Wrong are the entries that had to be corrected, as it wrote them.
	Wrong []Endpoint
}

// CanRemember returns the entries that Rook can remember: it takes the address of a mon from its Service, or from the mon
// endpoints that live, which may be nil; and what it remembered before it may remember still. Anything else somebody made up.
func CanRemember(written, before []Endpoint, live *corev1.ConfigMap, mons map[string]DaemonFacts) []Endpoint {
	var listed []Endpoint
	if live != nil {
		listed, _ = ParseEndpoints(live.Data[EndpointsDataKey])
	}
	return slices.DeleteFunc(slices.Clone(written), func(e Endpoint) bool {
		m := mons[e.ID]
		isServices := slices.Contains(m.ClusterIPs, e.Addr.Addr()) && (m.Port == 0 || m.Port == e.Addr.Port())
		return !isServices && !slices.Contains(before, e) && !slices.Contains(listed, e)
	})
}

// After returns what is known of Rook's memory after a write, and whether that is news. What Rook read, and wrote back,
// says nothing of the rest of its memory.
func (r Remembered) After(w OperatorWrite, now time.Time) (Remembered, bool) {
	// Of two entries of one ID the last counts, as it does for Rook.
	said := slices.Clone(w.Wrong)
	slices.Reverse(said)
	if !w.FromMemory {
		said = append(said, r.Mons...)
	}
	var mons []Endpoint
	for _, e := range said {
		if !slices.ContainsFunc(mons, func(known Endpoint) bool { return known.ID == e.ID }) {
			mons = append(mons, e)
		}
	}
	slices.SortFunc(mons, func(a, b Endpoint) int { return strings.Compare(a.ID, b.ID) })
	after := r
	after.Mons = mons
	if len(w.Wrong) > 0 {
		after.Operator, after.TokenRight = w.Operator, time.Time{}
		// Once in a while is enough for whoever wants to know that the operator lives.
		if now.Sub(r.Written) > writtenGrain {
			after.Written = now.UTC().Truncate(time.Second)
		}
	}
	return after, len(r.ChangesTo(after)) > 0
}

// writtenGrain bounds how often a write is noted that tells nothing else: Rook writes its list several times in a reconcile.
const writtenGrain = time.Minute
