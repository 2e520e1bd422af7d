package exporter

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// memory is what the leader remembers of a CephCluster so as not to repeat itself. Nothing hangs on it: after a restart
// things are asked, or reported, once more. Turns of several daemons use it at once.
type memory struct {
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

func newMemory(cluster types.UID) *memory {
	return &memory{cluster: cluster, reported: map[string]uint64{}, tries: map[string]try{}, settled: map[string]string{}}
}

var seed = maphash.MakeSeed()

// sum stands for the text of a note, of which there are several for each daemon.
func (n note) sum() uint64 { return maphash.String(seed, n.text()) }

// isNews says whether a note has not been reported yet, and remembers it.
func (m *memory) isNews(n note) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := n.subject + "\n" + string(n.code)
	sum := n.sum()
	if m.reported[key] == sum {
		return false
	}
	m.reported[key] = sum
	return true
}

// forget lets what was reported of a subject be reported again, apart from what is being reported.
func (m *memory) forget(subject string, except ...note) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.reported {
		of, code, _ := strings.Cut(key, "\n")
		announcing := slices.ContainsFunc(except, func(n note) bool { return string(n.code) == code })
		if of == subject && !announcing {
			delete(m.reported, key)
		}
	}
}

// forgetAllBut leaves of all that was reported the one note, so that all else is news once more.
func (m *memory) forgetAllBut(n note) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reported = map[string]uint64{n.subject + "\n" + string(n.code): n.sum()}
	m.tries, m.settled = map[string]try{}, map[string]string{}
	m.shape = ""
}

// reshaped says whether what all daemons depend on is another than at the last turn, and remembers it.
func (m *memory) reshaped(shape string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	changed := m.shape != shape
	m.shape = shape
	return changed
}

// reload returns when Rook was last asked to reload, and noteReload remembers it.
func (m *memory) lastReload() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reloadedAt
}

func (m *memory) noteReload(at time.Time) {
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
}

const (
	firstRetry = 5 * time.Second
	lastRetry  = time.Minute
)

// due says whether a question may be put: at once if something that can change the answer did, else after the pause.
func (m *memory) due(name, signature string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, tried := m.tries[name]
	return !tried || t.signature != signature || !now.Before(t.next)
}

// failed notes a vain question, and returns since when they have been in vain. Each pause is twice as long as the one
// before, up to a limit.
func (m *memory) failed(name, signature string, now time.Time) time.Time {
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
	m.tries[name] = try{signature: signature, count: t.count + 1, since: t.since, next: now.Add(pause)}
	return t.since
}

// answered forgets the vain questions for a daemon.
func (m *memory) answered(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tries, name)
}

// settle remembers with which signature a question was answered; an empty one forgets it.
func (m *memory) settle(name, signature string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settled[name] = signature
}

// isSettled says whether the question with that signature was answered.
func (m *memory) isSettled(name, signature string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.settled[name] == signature
}

// nextTry returns how long it is until a daemon may be asked for again, zero if nothing was in vain.
func (m *memory) nextTry(name string, now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, tried := m.tries[name]
	if !tried {
		return 0
	}
	return max(t.next.Sub(now), time.Second)
}

// memories are those of all CephClusters, by namespace.
type memories struct {
	mu  sync.Mutex
	all map[string]*memory
}

// of returns the memory of a CephCluster; that of one that was there before it is forgotten.
func (m *memories) of(namespace string, cluster types.UID) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all == nil {
		m.all = map[string]*memory{}
	}
	if found := m.all[namespace]; found == nil || found.cluster != cluster {
		m.all[namespace] = newMemory(cluster)
	}
	return m.all[namespace]
}

func (m *memories) forget(namespace string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, namespace)
}
