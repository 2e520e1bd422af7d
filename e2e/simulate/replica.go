package main

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/exporter"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/view"
	"github.com/rook-clusterset/rook-clusterset/webhook"
)

// replica is a process of ours: caches that are behind, what answers admission, and on the leader the turns.
type replica struct {
	world    *world
	name     string
	seen     map[string]int64
	view     *view.View
	resolver *resolver.Resolver
	ensurer  *exporter.Ensurer
	handlers *webhook.Handlers
	// changes counts, by namespace, how often what is held there had to be decided on again, and what is held anywhere without one.
	changes map[string]int
	leader  *leader
}

// globalRange is what the manager hands to admission.
type globalRange struct{ *resolver.Resolver }

// IsGlobal implements webhook.GlobalRange.
func (r globalRange) IsGlobal(ctx context.Context, address netip.Addr) bool {
	m, err := r.Membership(ctx)
	return err == nil && m.IsGlobal(address)
}

// doubtsOf is what the manager hands to the view.
func doubtsOf(r *resolver.Resolver) func(context.Context, view.Noted) *reason.Error {
	return func(ctx context.Context, noted view.Noted) *reason.Error {
		req := resolver.Request{
			Namespace: noted.Namespace, Name: noted.Name, ClusterIPs: noted.ClusterIPs, ForLife: noted.ForLife, Source: noted.Source, Latest: noted.Latest,
		}
		return r.Doubts(ctx, req, noted.Address, noted.Lived, noted.Unborn)
	}
}

// newReplica starts a replica whose caches are as new as can be.
func newReplica(w *world, name string) (*replica, error) {
	r := &replica{world: w, name: name, seen: map[string]int64{}, changes: map[string]int{}}
	for _, rule := range w.rules.all {
		r.seen[rule.name] = w.store.version
	}
	cached := lagging{store: w.store, rules: w.rules.main, seen: r.seen}
	direct := live{store: w.store, down: &w.liveDown}
	prepared := lagging{store: w.store, rules: w.rules.ofPrepared(), seen: r.seen}
	r.view = view.New(view.Readers{Cached: cached, Live: direct, Prepared: prepared}, served)
	r.resolver = resolver.New(resolver.Readers{Cached: cached, Live: direct}, served, resolver.Options{ResolvConf: "/dev/null"})
	r.view.ExpectDoubts(doubtsOf(r.resolver))
	r.ensurer = exporter.NewEnsurer(ourWriter{world: w}, direct, served)
	var err error
	r.handlers, err = webhook.NewHandlers(r.view, r.ensurer, globalRange{r.resolver}, webhook.Options{
		Hold: holdLimit, MaxHeld: 100, Reads: resolver.Kinds(), Clock: holdClock{world: w, replica: r},
	})
	if err != nil {
		return nil, fmt.Errorf("start replica %s: %w", name, err)
	}
	return r, nil
}

// catchUp lets one cache see everything up to a version, change by change as a watch tells it.
func (r *replica) catchUp(rule *rule, to int64) {
	from := r.seen[rule.name]
	if to <= from {
		return
	}
	r.seen[rule.name] = to
	for _, h := range r.world.store.changedBetween(rule.kind, from, to) {
		before := r.world.store.keptAt(rule, h, from)
		for _, revision := range h.revisions {
			if revision.version > from && revision.version <= to {
				after := r.world.store.keptAt(rule, h, revision.version)
				r.see(rule, before, after)
				before = after
			}
		}
	}
}

// relist lets one cache see what is there now, as after a watch that broke: what began and ended meanwhile it never sees.
func (r *replica) relist(rule *rule) {
	from, to := r.seen[rule.name], r.world.store.version
	r.seen[rule.name] = to
	for _, h := range r.world.store.changedBetween(rule.kind, from, to) {
		r.see(rule, r.world.store.keptAt(rule, h, from), r.world.store.keptAt(rule, h, to))
	}
}

// changesIn returns how often what is held in the namespace had to be decided on again.
func (r *replica) changesIn(namespace string) int { return r.changes[namespace] + r.changes[""] }

func (r *replica) see(rule *rule, before, after client.Object) {
	if before == nil && after == nil {
		return
	}
	some := cmp.Or(after, before)
	if namespace, ends := r.handlers.Changed(rule.kind, some); ends {
		r.changes[namespace]++
	}
	if r.leader != nil {
		r.leader.see(before, after)
	}
}

// catchUpWithAll makes every cache as new as can be.
func (r *replica) catchUpWithAll() {
	for _, rule := range r.world.rules.all {
		r.catchUp(rule, r.world.store.version)
	}
}

// changedBetween returns what changed of a kind after one version and up to another, each once and in the order of names.
func (s *store) changedBetween(gk schema.GroupKind, from, to int64) []*history {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := s.ofKind(gk).changes
	at, _ := slices.BinarySearchFunc(changes, from, func(c change, version int64) int { return int(c.version - version - 1) })
	found := map[*history]bool{}
	var ordered []*history
	for _, c := range changes[at:] {
		if c.version > to {
			break
		}
		if !found[c.of] {
			found[c.of] = true
			ordered = append(ordered, c.of)
		}
	}
	return ordered
}

func (s *store) keptAt(r *rule, h *history, version int64) client.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return r.keep(h.at(version))
}
