package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/exporter"
)

// leader is what the replica that leads does beside answering.
type leader struct {
	world *world
	turns *exporter.Turns
	// due are the targets that wait for their turn, and later when others have to be looked at again.
	due   map[types.NamespacedName]bool
	later map[types.NamespacedName]time.Time
	// failures counts the turns of a target that ended in an error one after the other.
	failures map[types.NamespacedName]int
}

// newLeader makes a replica the leader: it remembers nothing, and everything there is gets a turn.
func newLeader(r *replica) *leader {
	l := &leader{
		world: r.world, due: map[types.NamespacedName]bool{}, later: map[types.NamespacedName]time.Time{}, failures: map[types.NamespacedName]int{},
	}
	r.leader = l
	l.turns = exporter.NewTurns(r.view, r.ensurer, r.resolver, exporter.TurnOptions{
		Options: exporter.Options{OrphanGrace: orphanGrace},
		Events:  events{world: r.world},
		Now:     func() time.Time { return r.world.now },
		Wake:    func(to types.NamespacedName) { l.due[to] = true },
	})
	for _, rule := range r.world.rules.all {
		for _, h := range r.world.store.changedBetween(rule.kind, 0, r.seen[rule.name]) {
			if kept := r.world.store.keptAt(rule, h, r.seen[rule.name]); kept != nil {
				l.see(nil, kept)
			}
		}
	}
	return l
}

func (l *leader) see(before, after client.Object) {
	for _, to := range l.turns.Due(before, after) {
		l.due[to] = true
	}
}

// waiting returns the targets whose turn can be now, in order.
func (l *leader) waiting() []types.NamespacedName {
	for to, at := range l.later {
		if !at.After(l.world.now) {
			l.due[to] = true
			delete(l.later, to)
		}
	}
	return slices.SortedFunc(maps.Keys(l.due), compareNames)
}

// take is a turn of one target.
func (l *leader) take(ctx context.Context, to types.NamespacedName) {
	delete(l.due, to)
	delete(l.later, to)
	l.world.inTurn = true
	again, err := l.turns.Take(asActor(ctx, actorLeader), to)
	l.world.inTurn = false
	if err != nil {
		l.failures[to]++
		l.world.tell("the leader's turn of %s fails: %v", to, err)
		l.later[to] = l.world.now.Add(min(5*time.Millisecond<<min(l.failures[to], 16), 1000*time.Second))
		return
	}
	delete(l.failures, to)
	if again > 0 {
		l.later[to] = l.world.now.Add(again)
	}
}
