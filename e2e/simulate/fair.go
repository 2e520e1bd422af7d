package main

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// fairRounds bounds how long a story may take to come to its good end.
const fairRounds = 60

// end lets nothing go wrong any more, gives everybody all the turns that they want, and says what is not as it should be.
func (w *world) end(ctx context.Context) {
	w.tell("from here on nothing goes wrong")
	w.faulty, w.webhookDown, w.oursFail, w.liveDown, w.mcs.resting, w.mcs.clumsyNext = false, 0, 0, 0, 0, 0
	clear(w.mcs.stale)
	clear(w.mcs.clumsy)
	for _, s := range w.sites {
		for id := range s.killed {
			s.ceph.Revive(id)
		}
		clear(s.killed)
	}
	var left []string
	for round := range fairRounds {
		w.round(ctx, round)
		if w.violation != "" {
			return
		}
		left = nil
		for _, s := range w.sites {
			left = append(left, w.leftOf(ctx, s)...)
		}
		if len(left) == 0 {
			return
		}
	}
	w.never("at the end of a fair story: %s", strings.Join(left, "; "))
}

// round gives everybody their turns once, and a while to wait.
func (w *world) round(ctx context.Context, round int) {
	for range 3 {
		w.settleOthers(ctx)
		w.advance(2 * time.Second)
	}
	w.collectGarbage(ctx)
	for _, s := range w.sites {
		if round%10 == 9 {
			// What follows only when Rook writes it anyway is written.
			w.must(s.start(ctx))
		}
		if s.wanted() {
			s.act(ctx)
		}
	}
	w.check()
	w.advance(20 * time.Second)
}

// settleOthers lets all but Rook come to rest.
func (w *world) settleOthers(ctx context.Context) {
	for range 50 {
		for _, key := range w.mcs.pending() {
			w.mcs.step(ctx, key)
		}
		for _, r := range w.replicas {
			r.catchUpWithAll()
		}
		due := w.leader().waiting()
		if len(due) == 0 && len(w.mcs.pending()) == 0 {
			return
		}
		for _, to := range due {
			w.leader().take(ctx, to)
		}
	}
}

// leftOf returns what keeps the end of a site from being a good one.
func (w *world) leftOf(ctx context.Context, s *site) []string {
	if w.isKeptBack(s) {
		return nil
	}
	snapshot, err := w.replicas[w.leading].view.Snapshot(ctx, s.namespace)
	w.must(err)
	var left []string
	mons, osds := 0, 0
	for _, facts := range snapshot.Daemons {
		if !facts.Deployed && !facts.Listed.IsValid() && facts.Daemon.Type == rook.Mon {
			left = append(left, w.leftBehind(s, facts)...)
			continue
		}
		state := facts.State()
		if w.isTold(facts, state) {
			if facts.Deployed && facts.Daemon.Type == rook.Mon {
				mons++
			} else if facts.Deployed {
				osds++
			}
			continue
		}
		left = append(left, s.namespace+"/"+facts.Daemon.Name()+" "+state.String())
	}
	if mons != s.mons || osds != len(s.osds) {
		left = append(left, s.namespace+" has not all of its daemons")
	}
	if s.reconciled == 0 || s.model.Wanted() {
		left = append(left, "Rook of "+s.namespace+" has not come to its end")
	}
	quorum, err := s.ceph.QuorumAt(w.addresses(s)...)
	if err != nil || len(quorum.Members) != s.mons {
		left = append(left, "the mons of "+s.namespace+" are not all in quorum")
	}
	return left
}

// leftBehind is for what there is of a mon that is gone: its export waits for its grace, unless Rook has left its Service.
func (w *world) leftBehind(s *site, facts rook.DaemonFacts) []string {
	key := types.NamespacedName{Namespace: s.namespace, Name: facts.Daemon.Name()}
	if !facts.Export.OrphanedSince.IsZero() || w.store.get(serviceKind, key) != nil {
		return nil
	}
	return []string{key.String() + " is gone, and its export waits for nothing"}
}

// isKeptBack says whether a daemon cannot be born, and an event tells why: Globalnet gives it the address at which another
// lives that was given another meanwhile, however often its export is made anew, of which there is an event too. Only a
// failover of that one helps. Of a mon that is listed there and was never born, that itself can fail so: each one that is to
// take its place is given what the one before it has freed.
func (w *world) isKeptBack(s *site) bool {
	for key, address := range w.mcs.given {
		_, lives := w.lives.at[key]
		told := w.told[key][reason.UsedByAnother.Event()] || w.told[key][reason.ExportRemade.Event()]
		if key.Namespace == s.namespace && !lives && told && (len(w.othersAt(key, address)) > 0 || w.isListedAt(s, address)) {
			return true
		}
	}
	return false
}

// isListedAt says whether Rook lists a mon at the address that never came to live, for the network has given it another, and whether
// an event tells that.
func (w *world) isListedAt(s *site, address netip.Addr) bool {
	list := w.store.get(configMapKind, types.NamespacedName{Namespace: s.namespace, Name: rookstandin.EndpointsConfigMap})
	if list == nil {
		return false
	}
	for id, at := range listed(list.(*corev1.ConfigMap)) {
		key := types.NamespacedName{Namespace: s.namespace, Name: monPrefix + id}
		_, lives := w.lives.at[key]
		if at == address.String() && !lives && w.mcs.given[key] != address && w.told[key][reason.AddressDrifted.Event()] {
			return true
		}
	}
	return false
}

// isTold says whether a daemon is well, or is said not to be for a reason that only an admin can mend.
func (w *world) isTold(facts rook.DaemonFacts, state rook.State) bool {
	switch state.Code {
	case reason.OK:
		// That the network gives it another address by now would be told.
		key := types.NamespacedName{Namespace: facts.Daemon.Namespace, Name: facts.Daemon.Name()}
		given, has := w.mcs.given[key]
		return !facts.Deployed || !has || given == w.lives.at[key]
	case reason.AddressDrifted, reason.UsedByAnother:
		// It lives at an address that the network has taken away, or is another's: a failover mends that.
		return facts.Deployed
	}
	return false
}

func (w *world) addresses(s *site) []netip.Addr {
	var all []netip.Addr
	for key, address := range w.lives.at {
		if key.Namespace == s.namespace && isMon(key) {
			all = append(all, address)
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all
}
