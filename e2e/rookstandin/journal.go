package rookstandin

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Event is what an Entry of the journal is about.
type Event string

// Events of the journal.
const (
	ReconcileStarted   Event = "reconcile started"
	ReconcileSucceeded Event = "reconcile succeeded"
	ReconcileFailed    Event = "reconcile failed"
	Loaded             Event = "mon endpoints loaded"
	Wrote              Event = "wrote"
	Refused            Event = "write refused"
	Continued          Event = "continued after an error"
	Waiting            Event = "waiting for quorum"
	QuorumReached      Event = "quorum reached"
	QuorumGivenUp      Event = "gave up waiting for quorum"
	Triggered          Event = "triggered"
	Unchanged          Event = "unchanged"
	PrepareReported    Event = "osd prepare reported"
	Updated            Event = "update finished"
	FailoverStarted    Event = "failover started"
	FailoverReverted   Event = "failover reverted"
	FailoverSucceeded  Event = "failover succeeded"
	MonRemoved         Event = "mon removed"
	HealthCheckFailed  Event = "mon health check failed"
)

// Entry is one thing that the operator did.
type Entry struct {
	Time time.Time
	Event
	// Kind and Object name the object that it was done to, if any: Deployment, rook-ceph/rook-ceph-mon-a.
	Kind, Object string
	// Message tells the particulars, for a refusal the error that the API server returned.
	Message string
}

// String returns the entry in one line.
func (e Entry) String() string {
	line := fmt.Sprintf("%s %s", e.Time.Format("15:04:05.000"), e.Event)
	if e.Kind != "" {
		line += " " + e.Kind + " " + e.Object
	}
	if e.Message != "" {
		line += ": " + e.Message
	}
	return line
}

// Journal holds what the operator did, in order.
type Journal struct {
	mu      sync.Mutex
	entries []Entry
	onEntry func(Entry)
	now     func() time.Time
}

func (j *Journal) add(event Event, kind, object, format string, args ...any) {
	e := Entry{Time: j.now(), Event: event, Kind: kind, Object: object, Message: fmt.Sprintf(format, args...)}
	j.mu.Lock()
	j.entries = append(j.entries, e)
	j.mu.Unlock()
	if j.onEntry != nil {
		j.onEntry(e)
	}
}

// Entries returns what happened so far.
func (j *Journal) Entries() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.entries)
}

// Of returns the entries of an event.
func (j *Journal) Of(event Event) []Entry {
	return slices.DeleteFunc(j.Entries(), func(e Entry) bool { return e.Event != event })
}

// Count returns how often an event happened.
func (j *Journal) Count(event Event) int { return len(j.Of(event)) }

// Refusals returns how many writes were refused, by the kind of the object.
func (j *Journal) Refusals() map[string]int {
	counts := map[string]int{}
	for _, e := range j.Of(Refused) {
		counts[e.Kind]++
	}
	return counts
}
