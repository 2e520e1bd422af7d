package main

import (
	"context"
	"time"
)

// step is one thing that happens, chosen by the seed.
func (w *world) step(ctx context.Context) {
	w.countDown()
	if w.faulty && w.rng.IntN(9) == 0 {
		w.fault(ctx)
		return
	}
	switch n := w.rng.IntN(100); {
	case n < 18:
		w.stepOfRook(ctx)
	case n < 92:
		w.stepOfOthers(ctx)
	default:
		w.stepOfTime(ctx)
	}
}

func (w *world) countDown() {
	for _, steps := range []*int{&w.webhookDown, &w.oursFail, &w.liveDown} {
		if *steps > 0 {
			*steps--
		}
	}
}

// stepOfRook is a reconcile, or a look at the mons, of an operator that has something to do.
func (w *world) stepOfRook(ctx context.Context) {
	at := w.rng.IntN(len(w.sites))
	for i := range w.sites {
		if s := w.sites[(at+i)%len(w.sites)]; s.wanted() {
			s.act(ctx)
			return
		}
	}
	w.advance(5 * time.Second)
}

// stepOfOthers is a turn of the leader, a step of the MCS implementation, or a cache that catches up.
func (w *world) stepOfOthers(ctx context.Context) {
	switch n := w.rng.IntN(10); {
	case n < 4:
		w.stepOfLeader(ctx)
	case n < 7:
		w.stepOfMCS(ctx)
	default:
		w.stepOfCaches()
	}
}

func (w *world) stepOfLeader(ctx context.Context) {
	if w.inTurn {
		return
	}
	if due := w.leader().waiting(); len(due) > 0 {
		w.leader().take(ctx, due[w.rng.IntN(len(due))])
	}
}

func (w *world) stepOfMCS(ctx context.Context) {
	if keys := w.mcs.pending(); len(keys) > 0 {
		w.mcs.step(ctx, keys[w.rng.IntN(len(keys))])
	}
}

func (w *world) stepOfCaches() {
	r := w.replicas[w.rng.IntN(len(w.replicas))]
	if w.rng.IntN(3) == 0 {
		r.catchUpWithAll()
		return
	}
	r.catchUp(w.rules.all[w.rng.IntN(len(w.rules.all))], w.store.version)
}

// drain is for a while: the leader leaves nothing undone for so long.
func (w *world) drain(ctx context.Context) {
	if w.inTurn {
		return
	}
	w.replicas[w.leading].catchUpWithAll()
	for range 5 {
		for _, to := range w.leader().waiting() {
			w.leader().take(ctx, to)
		}
	}
}

func (w *world) stepOfTime(ctx context.Context) {
	seconds := []int{1, 5, 15, 60}[w.rng.IntN(4)]
	w.drain(ctx)
	w.advance(time.Duration(seconds) * time.Second)
}

// passFor lets the time go by that a Rook has waited, in which others act.
func (w *world) passFor(s *site) {
	waited := s.model.Elapsed() - s.waited
	s.waited += waited
	if w.passing {
		w.advance(waited)
		return
	}
	w.passing = true
	defer func() { w.passing = false }()
	steps := min(8, int(waited/(2*time.Second)))
	if w.rng.IntN(8) == 0 {
		steps++
	}
	if steps == 0 {
		w.advance(waited + 10*time.Millisecond)
		return
	}
	if waited > 10*time.Second {
		w.drain(context.Background())
	}
	for range steps {
		w.advance(waited/time.Duration(steps) + 10*time.Millisecond)
		w.stepOfOthers(context.Background())
	}
}

// passWhileHeld lets others act while a write is held. Where nothing goes wrong any more the network is as fast as a hold is
// made for: Rook deletes the Service of a mon that could not take the place of another, so that each attempt begins anew.
func (w *world) passWhileHeld() {
	w.advance(time.Duration(200+w.rng.IntN(1500)) * time.Millisecond)
	if pending := w.mcs.pending(); !w.faulty && len(pending) > 0 {
		w.mcs.step(context.Background(), pending[0])
	}
	w.stepOfOthers(context.Background())
}
