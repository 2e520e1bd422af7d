// Package recall is what the leader remembers so as not to repeat itself: what it reported, what it asked in vain, what it has
// seen change. Nothing hangs on it: after a restart things are asked, or reported, once more.
package recall

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Note is something to report: a code on a subject, and its text.
type Note struct{ Subject, Code, Text string }

func (n Note) key() string { return n.Subject + "\n" + n.Code }

// sum stands for the text of a note, of which there are several for each daemon.
func (n Note) sum() uint64 { return maphash.String(seed, n.Text) }

var seed = maphash.MakeSeed()

// Memory is what is remembered of a CephCluster. Turns of several daemons use it at once.
type Memory struct {
	cluster types.UID

	mu sync.Mutex
	// reported holds a sum of the last event on each subject and code.
	reported map[string]uint64
	// tries are the daemons whose address could not be learnt, by name.
	tries map[string]try
	// settled are the signatures of the questions that were answered, by the daemon's name.
	settled    map[string]string
	reloadedAt time.Time
	// shape is what the last turn of the cluster saw of what all its daemons depend on.
	shape string
}

func newMemory(cluster types.UID) *Memory {
	return &Memory{cluster: cluster, reported: map[string]uint64{}, tries: map[string]try{}, settled: map[string]string{}}
}

// IsNews says whether a note has not been reported yet, and remembers it.
func (m *Memory) IsNews(n Note) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := n.sum()
	if m.reported[n.key()] == sum {
		return false
	}
	m.reported[n.key()] = sum
	return true
}

// Forget lets what was reported of a subject be reported again, apart from what is being reported.
func (m *Memory) Forget(subject string, except ...Note) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.reported {
		of, code, _ := strings.Cut(key, "\n")
		announcing := slices.ContainsFunc(except, func(n Note) bool { return n.Code == code })
		if of == subject && !announcing {
			delete(m.reported, key)
		}
	}
}

// ForgetAllBut leaves of all that was reported the one note, so that all else is news once more.
func (m *Memory) ForgetAllBut(n Note) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reported = map[string]uint64{n.key(): n.sum()}
	m.tries, m.settled = map[string]try{}, map[string]string{}
	m.shape = ""
}

// Reshaped says whether what all daemons depend on is another than at the last turn, and remembers it.
func (m *Memory) Reshaped(shape string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	changed := m.shape != shape
	m.shape = shape
	return changed
}

// LastReload returns when Rook was last asked to reload.
func (m *Memory) LastReload() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reloadedAt
}

// NoteReload remembers when Rook was asked to reload.
func (m *Memory) NoteReload(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reloadedAt = at
}

// try is a question that was not answered.
type try struct {
	signature string
	count     int
	since     time.Time
	next      time.Time
	doubt     bool
}

const (
	firstRetry = 5 * time.Second
	lastRetry  = time.Minute
)

// Due says whether a question may be put: at once if something that can change the answer did, else after the pause.
func (m *Memory) Due(name, signature string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, tried := m.tries[name]
	return !tried || t.signature != signature || !now.Before(t.next)
}

// Failed notes a vain question, and whether it leaves in doubt what was known, and returns since when they have been in vain. Each
// pause is twice as long as the one before, up to a limit.
func (m *Memory) Failed(name, signature string, now time.Time, doubt bool) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, tried := m.tries[name]
	if !tried {
		t.since = now
	}
	if t.signature != signature {
		t.count = 0
	}
	pause := min(firstRetry<<min(t.count, 10), lastRetry)
	m.tries[name] = try{signature: signature, count: t.count + 1, since: t.since, next: now.Add(pause), doubt: doubt}
	return t.since
}

// InDoubt says whether the last question left in doubt what was known, also while it is not to be put again.
func (m *Memory) InDoubt(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tries[name].doubt
}

// Answered forgets the vain questions for a daemon.
func (m *Memory) Answered(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tries, name)
}

// Settle remembers with which signature a question was answered; an empty one forgets it.
func (m *Memory) Settle(name, signature string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if signature == "" {
		delete(m.settled, name)
		return
	}
	m.settled[name] = signature
}

// IsSettled says whether the question with that signature was answered.
func (m *Memory) IsSettled(name, signature string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.settled[name] == signature
}

// NextTry returns how long it is until a daemon may be asked for again, zero if nothing was in vain.
func (m *Memory) NextTry(name string, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, tried := m.tries[name]
	if !tried {
		return 0
	}
	return max(t.next.Sub(now), time.Second)
}

// Memories are those of all CephClusters, by namespace.
type Memories struct {
	mu  sync.Mutex
	all map[string]*Memory
}

// Of returns the memory of a CephCluster; that of one that was there before it is forgotten.
func (m *Memories) Of(namespace string, cluster types.UID) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all = map[string]*Memory{}
	}
	if found := m.all[namespace]; found == nil || found.cluster != cluster {
		m.all[namespace] = newMemory(cluster)
	}
	return m.all[namespace]
}

// ForgetAll forgets every CephCluster.
func (m *Memories) ForgetAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.all)
}

// Forget forgets the CephCluster of a namespace.
func (m *Memories) Forget(namespace string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, namespace)
}
