package exporter

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// memory is what the leader remembers of a CephCluster so as not to repeat itself. Nothing hangs on it: after a restart
// things are asked, or told, once more.
type memory struct {
	// told holds the last event on each subject and code.
	told map[string]string
	// tries are the daemons whose address could not be told, by name.
	tries      map[string]try
	reloadedAt time.Time
}

func newMemory() *memory {
	return &memory{told: map[string]string{}, tries: map[string]try{}}
}

// isNews says whether a note has not been told yet, and remembers it.
func (m *memory) isNews(n note) bool {
	key := n.subject + "\n" + string(n.code)
	if m.told[key] == n.text() {
		return false
	}
	m.told[key] = n.text()
	return true
}

// forget lets what was told of a subject be told again, apart from what is being told.
func (m *memory) forget(subject string, except ...note) {
	for key := range m.told {
		of, code, _ := strings.Cut(key, "\n")
		telling := slices.ContainsFunc(except, func(n note) bool { return string(n.code) == code })
		if of == subject && !telling {
			delete(m.told, key)
		}
	}
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
	t, tried := m.tries[name]
	return !tried || t.signature != signature || !now.Before(t.next)
}

// failed notes a vain question, and returns since when they have been in vain. Each pause is twice as long as the one
// before, up to a limit.
func (m *memory) failed(name, signature string, now time.Time) time.Time {
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

func (m *memory) answered(name string) { delete(m.tries, name) }

// sourceChanges counts the changes that the sources which are objects saw, for each namespace that they can be about.
type sourceChanges struct {
	mu     sync.Mutex
	counts map[string]int
}

// everywhere stands for a change that can be about any namespace.
const everywhere = ""

func (s *sourceChanges) add(namespace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	s.counts[namespace]++
}

func (s *sourceChanges) about(namespace string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[namespace] + s.counts[everywhere]
}
