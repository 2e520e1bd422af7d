package main

import (
	"context"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// faultAction is something that goes wrong, or that somebody does.
type faultAction struct {
	name   string
	weight int
	// do returns whether there was an occasion.
	do func(w *world, ctx context.Context) bool
}

// faultActions are all, those of the network and of processes first, those of people after them.
var faultActions = []faultAction{
	{"webhook down", 3, func(w *world, _ context.Context) bool { w.webhookDown = 1 + w.rng.IntN(4); return true }},
	{"our writes fail", 3, func(w *world, _ context.Context) bool { w.oursFail = 1 + w.rng.IntN(6); return true }},
	{"API server does not answer us", 3, func(w *world, _ context.Context) bool { w.liveDown = 1 + w.rng.IntN(6); return true }},
	{"leader changed", 4, (*world).changeLeader},
	{"watch broken", 3, (*world).breakWatch},
	{"replica restarted", 2, (*world).restartReplica},
	{"operator restarted", 4, (*world).restartOperator},
	{"address re-issued", 4, (*world).reissue},
	{"two addresses swapped", 1, (*world).swap},
	{"second address", 2, (*world).beClumsy},
	{"Lighthouse stale", 3, (*world).stale},
	{"Lighthouse restarted", 3, (*world).restartLighthouse},
	{"Globalnet restarted", 2, (*world).restartGlobalnet},
	{"mon killed", 5, (*world).killMon},
	{"mon revived", 3, (*world).reviveMon},
	{"export lost", 6, (*world).loseExport},
	{"Service made anew", 6, (*world).loseService},
	{"OSD removed", 2, (*world).removeOSD},
	{"mon put to sleep", 2, (*world).sleepMon},
	{"endpoints edited", 4, (*world).editEndpoints},
	{"CephCluster restored", 2, (*world).restoreCluster},
	{"hours pass", 1, (*world).passHours},
}

// fault does one of them.
func (w *world) fault(ctx context.Context) {
	total := 0
	for _, f := range faultActions {
		total += w.weightOf(f)
	}
	n := w.rng.IntN(total)
	for _, f := range faultActions {
		if n -= w.weightOf(f); n >= 0 {
			continue
		}
		at := 0
		if w.story != nil {
			at = len(*w.story)
			w.tell("fault: %s", f.name)
		}
		if f.do(w, ctx) {
			w.faults[f.name]++
		} else if w.story != nil && len(*w.story) == at+1 {
			*w.story = (*w.story)[:at]
		}
		return
	}
}

// oftener is how much likelier a fault is in a story that is to have it often.
const oftener = 20

func (w *world) weightOf(f faultAction) int {
	if slices.Contains(w.often, f.name) {
		return f.weight * oftener
	}
	return f.weight
}

func (w *world) anySite() *site { return w.sites[w.rng.IntN(len(w.sites))] }

func (w *world) changeLeader(context.Context) bool {
	w.lead(1 - w.leading)
	w.tell("replica %s leads", w.replicas[w.leading].name)
	return true
}

func (w *world) breakWatch(context.Context) bool {
	r := w.replicas[w.rng.IntN(len(w.replicas))]
	rule := w.rules.all[w.rng.IntN(len(w.rules.all))]
	w.tell("the watch of %s of replica %s begins anew", rule.name, r.name)
	r.relist(rule)
	return true
}

func (w *world) restartReplica(context.Context) bool {
	at := w.rng.IntN(len(w.replicas))
	r, err := newReplica(w, w.replicas[at].name)
	w.must(err)
	led := w.replicas[at].leader != nil
	w.replicas[at] = r
	w.tell("replica %s is started again", r.name)
	if led {
		w.lead(1 - at)
	}
	return true
}

func (w *world) restartOperator(ctx context.Context) bool {
	s := w.anySite()
	if s.stopped {
		return false
	}
	w.tell("the operator of %s is started again", s.namespace)
	w.must(s.start(ctx))
	return true
}

// anyGiven returns an exported Service that has an address.
func (w *world) anyGiven() (types.NamespacedName, bool) {
	keys := slices.SortedFunc(maps.Keys(w.mcs.given), compareNames)
	if len(keys) == 0 {
		return types.NamespacedName{}, false
	}
	return keys[w.rng.IntN(len(keys))], true
}

func (w *world) reissue(context.Context) bool {
	key, ok := w.anyGiven()
	if !ok {
		return false
	}
	before := w.mcs.given[key]
	w.mcs.given[key] = w.mcs.take()
	w.mcs.giveBack(before)
	w.mcs.stale[key] = w.rng.IntN(2) == 0
	w.tell("Globalnet has lost its mind about %s: %s instead of %s", key, w.mcs.given[key], before)
	return true
}

func (w *world) swap(context.Context) bool {
	a, ok := w.anyGiven()
	b, _ := w.anyGiven()
	if !ok || a == b {
		return false
	}
	w.mcs.given[a], w.mcs.given[b] = w.mcs.given[b], w.mcs.given[a]
	w.tell("Globalnet swaps the addresses of %s and %s", a, b)
	return true
}

// beClumsy makes Globalnet give a second address to those that it allocates next.
func (w *world) beClumsy(context.Context) bool {
	w.mcs.clumsyNext = 1 + w.rng.IntN(3)
	return true
}

func (w *world) stale(context.Context) bool {
	key, ok := w.anyGiven()
	if ok {
		w.mcs.stale[key] = true
		w.tell("Lighthouse is stale about %s", key)
	}
	return ok
}

func (w *world) restartLighthouse(ctx context.Context) bool {
	clear(w.mcs.stale)
	ctx = asActor(ctx, actorMCS)
	for _, o := range w.store.all(kinds.ServiceExport, "") {
		if export := o.(*unstructured.Unstructured); validStatus(export) == "True" && w.rng.IntN(2) == 0 {
			w.mcs.setValid(ctx, export, "False", "ServiceGlobalIPUnavailable", "Service doesn't have a global IP yet")
		}
	}
	return true
}

func (w *world) restartGlobalnet(ctx context.Context) bool {
	for _, o := range w.store.all(ingressIPKind, "") {
		w.mcs.setAllocated(asActor(ctx, actorMCS), o.(*unstructured.Unstructured), "")
	}
	w.mcs.resting = w.rng.IntN(10)
	return true
}

func (w *world) killMon(context.Context) bool {
	s := w.anySite()
	mons := w.lives.mons(s.namespace)
	if len(mons) < 3 || len(s.killed) > 0 {
		return false
	}
	id := mons[w.rng.IntN(len(mons))]
	s.killed[id] = true
	s.ceph.Kill(id)
	w.tell("mon %s of %s fails", id, s.namespace)
	return true
}

func (w *world) reviveMon(context.Context) bool {
	for _, s := range w.sites {
		for _, id := range slices.Sorted(maps.Keys(s.killed)) {
			s.ceph.Revive(id)
			delete(s.killed, id)
			w.tell("mon %s of %s is well again", id, s.namespace)
			return true
		}
	}
	return false
}

// anyOf returns an object of a kind, by its name, of those that are a daemon's.
func (w *world) anyOf(gk schema.GroupKind, prefix string) client.Object {
	s := w.anySite()
	var found []client.Object
	for _, o := range w.store.all(gk, s.namespace) {
		if strings.HasPrefix(o.GetName(), prefix) && o.GetLabels()["mon_canary"] == "" {
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[w.rng.IntN(len(found))]
}

func (w *world) deleteByHand(ctx context.Context, o client.Object) bool {
	if o == nil {
		return false
	}
	w.tell("somebody deletes %s", named(o))
	w.remove(asActor(ctx, actorPerson), o)
	return true
}

func (w *world) loseExport(ctx context.Context) bool {
	return w.deleteByHand(ctx, w.anyOf(kinds.ServiceExport, "rook-ceph-"))
}

func (w *world) loseService(ctx context.Context) bool {
	return w.deleteByHand(ctx, w.anyOf(serviceKind, []string{"rook-ceph-mon-", "rook-ceph-osd-"}[w.rng.IntN(2)]))
}

func (w *world) removeOSD(ctx context.Context) bool {
	return w.deleteByHand(ctx, w.anyOf(deploymentKind, "rook-ceph-osd-"))
}

func (w *world) passHours(context.Context) bool {
	w.advance(orphanGrace)
	return true
}
