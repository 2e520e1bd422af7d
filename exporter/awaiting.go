package exporter

import (
	"sync"
	"time"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

const (
	// awaitingAtOnce is how many exports of a namespace are made before the first of them has its address. Rook writes one OSD
	// after the other, and admission exports what it holds by itself.
	awaitingAtOnce = 16
	// awaitingFor is how long an export keeps others from being made: it may never get an address.
	awaitingFor = 20 * time.Second
)

// awaiting bounds how many exports of a namespace wait for an address at once. MCS implementations work off one export after the
// other, Globalnet by five writes in a second: whoever has hundreds of OSDs named in one namespace must not keep the first mon of
// another one waiting behind them.
type awaiting struct {
	mu  sync.Mutex
	all map[queueOf]*queued
}

// queueOf is whose exports wait for each other: mons never for OSDs.
type queueOf struct {
	namespace string
	kind      rook.Type
}

type queued struct {
	// since is when each export was made that has no address yet.
	since map[string]time.Time
	// next are the daemons whose export is to be made, in their order; listed are the same.
	next   []string
	listed map[string]bool
}

// begin says whether the export of a daemon may be made now. One that may not is woken by an end, or has to ask again.
func (a *awaiting) begin(daemon rook.Daemon, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = map[queueOf]*queued{}
	}
	of := queueOf{daemon.Namespace, daemon.Type}
	q := a.all[of]
	if q == nil {
		q = &queued{since: map[string]time.Time{}, listed: map[string]bool{}}
		a.all[of] = q
	}
	name := daemon.Name()
	if _, again := q.since[name]; !again && len(q.since) >= awaitingAtOnce {
		for other, since := range q.since {
			if now.Sub(since) >= awaitingFor {
				delete(q.since, other)
			}
		}
		if len(q.since) >= awaitingAtOnce {
			if !q.listed[name] {
				q.next, q.listed[name] = append(q.next, name), true
			}
			return false
		}
	}
	q.since[name] = now
	return true
}

// end notes that an export waits no longer, and returns whose is to be made in its place, if anybody's is.
func (a *awaiting) end(daemon rook.Daemon) (next string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	of := queueOf{daemon.Namespace, daemon.Type}
	q := a.all[of]
	if q == nil {
		return ""
	}
	if _, waited := q.since[daemon.Name()]; !waited {
		return ""
	}
	delete(q.since, daemon.Name())
	if len(q.next) > 0 {
		next, q.next = q.next[0], q.next[1:]
		delete(q.listed, next)
	} else if len(q.since) == 0 {
		delete(a.all, of)
	}
	return next
}

// forget drops all that waits: another leader may have made the exports.
func (a *awaiting) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.all)
}
