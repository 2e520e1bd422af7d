package main

import (
	"context"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/kinds"
)

const (
	globalCIDR   = "242.1.0.0/24"
	mcsClusterID = "east"
	// exportUID and serviceUID are noted on a GlobalIngressIP, so that objects made anew are told from those before.
	exportUID, serviceUID = "simulate/export-uid", "simulate/service-uid"
)

// globalnet is Submariner in steps: Globalnet, which allocates from the top of its range and gives a freed address out
// again at once, and Lighthouse, which tells of it later.
type globalnet struct {
	world *world
	free  []netip.Addr
	// given is what each exported Service was given.
	given map[types.NamespacedName]netip.Addr
	// carried are the addresses for which the network ever took packets to a Service.
	carried map[types.NamespacedName]map[netip.Addr]bool
	// clumsy are those that are given a second address because somebody writes to the Service meanwhile.
	clumsy map[types.NamespacedName]bool
	// clumsyNext is how many of the next are such.
	clumsyNext int
	// stale are those of which Lighthouse tells what was.
	stale map[types.NamespacedName]bool
	// resting counts the steps in which Globalnet does nothing, after it was restarted.
	resting int
}

func newGlobalnet(w *world) *globalnet {
	g := &globalnet{
		world: w, given: map[types.NamespacedName]netip.Addr{},
		carried: map[types.NamespacedName]map[netip.Addr]bool{}, clumsy: map[types.NamespacedName]bool{}, stale: map[types.NamespacedName]bool{},
	}
	for i := range 240 {
		// Eight from the bottom are the egress of the cluster, one from the top the gateway's.
		g.free = append(g.free, netip.AddrFrom4([4]byte{242, 1, 0, byte(9 + i)}))
	}
	return g
}

// take takes the highest address that is free.
func (g *globalnet) take() netip.Addr {
	last := g.free[len(g.free)-1]
	g.free = g.free[:len(g.free)-1]
	return last
}

// giveBack makes an address free, to be given out again at once.
func (g *globalnet) giveBack(address netip.Addr) {
	at, _ := slices.BinarySearchFunc(g.free, address, netip.Addr.Compare)
	g.free = slices.Insert(g.free, at, address)
}

// keys returns every Service that is exported, or was and has something left.
func (g *globalnet) keys() []types.NamespacedName {
	var keys []types.NamespacedName
	for _, gk := range []schema.GroupKind{kinds.ServiceExport, ingressIPKind} {
		for _, o := range g.world.store.all(gk, "") {
			keys = append(keys, client.ObjectKeyFromObject(o))
		}
	}
	slices.SortFunc(keys, compareNames)
	return slices.Compact(keys)
}

// pending returns the Services of which a step would change something.
func (g *globalnet) pending() []types.NamespacedName {
	return slices.DeleteFunc(g.keys(), func(key types.NamespacedName) bool { return len(g.nextSteps(key)) == 0 })
}

// step does the next thing for a Service, if there is any.
func (g *globalnet) step(ctx context.Context, key types.NamespacedName) {
	if next := g.nextSteps(key); len(next) > 0 {
		next[g.world.rng.IntN(len(next))](asActor(ctx, actorMCS))
	}
}

// exported is what there is of a Service that is or was exported.
type exported struct {
	export   *unstructured.Unstructured
	service  *corev1.Service
	ingress  *unstructured.Unstructured
	internal *corev1.Service
	imported *unstructured.Unstructured
}

func (g *globalnet) look(key types.NamespacedName) exported {
	s := g.world.store
	var e exported
	e.export, _ = s.get(kinds.ServiceExport, key).(*unstructured.Unstructured)
	e.service, _ = s.get(serviceKind, key).(*corev1.Service)
	e.ingress, _ = s.get(ingressIPKind, key).(*unstructured.Unstructured)
	e.internal, _ = s.get(serviceKind, internalName(key)).(*corev1.Service)
	e.imported, _ = s.get(importKind, importName(key)).(*unstructured.Unstructured)
	return e
}

func internalName(key types.NamespacedName) types.NamespacedName {
	return types.NamespacedName{Namespace: key.Namespace, Name: mcsstandin.InternalServiceName(key.Name)}
}

func importName(key types.NamespacedName) types.NamespacedName {
	return types.NamespacedName{Namespace: mcsstandin.OperatorNamespace, Name: key.Name + "-" + key.Namespace + "-" + mcsClusterID}
}

// nextSteps returns what Globalnet does next for a Service, and what Lighthouse does; neither waits for the other.
func (g *globalnet) nextSteps(key types.NamespacedName) []func(context.Context) {
	e := g.look(key)
	wanted := e.export != nil && e.service != nil && e.service.Spec.Type == corev1.ServiceTypeClusterIP
	steps := []func(context.Context){g.nextOfGlobalnet(key, e, wanted), g.nextOfLighthouse(key, e, wanted)}
	return slices.DeleteFunc(steps, func(step func(context.Context)) bool { return step == nil })
}

func (g *globalnet) nextOfGlobalnet(key types.NamespacedName, e exported, wanted bool) func(context.Context) {
	ofAnother := e.ingress != nil && wanted &&
		(e.ingress.GetAnnotations()[exportUID] != string(e.export.GetUID()) || e.ingress.GetAnnotations()[serviceUID] != string(e.service.UID))
	address, has := g.given[key]
	switch {
	case g.resting > 0:
		return func(context.Context) { g.resting-- }
	case e.ingress != nil && (!wanted || ofAnother):
		return func(ctx context.Context) { g.release(ctx, key, e) }
	case wanted && e.ingress == nil:
		return func(ctx context.Context) { g.begin(ctx, key, e) }
	case wanted && (!has || allocatedIP(e.ingress) != address.String()):
		return func(ctx context.Context) { g.allocate(ctx, key, e.ingress) }
	case wanted && g.clumsy[key]:
		return func(ctx context.Context) { g.allocateAgain(ctx, key, e.ingress) }
	case wanted && (e.internal == nil || e.internal.Spec.ExternalIPs[0] != address.String()):
		return func(ctx context.Context) { g.carry(ctx, key, address) }
	}
	return nil
}

func (g *globalnet) nextOfLighthouse(key types.NamespacedName, e exported, wanted bool) func(context.Context) {
	// Lighthouse goes by the GlobalIngressIP.
	address := ""
	if e.ingress != nil {
		address = allocatedIP(e.ingress)
	}
	told := wanted && address != ""
	switch {
	case !wanted && e.imported != nil && !g.stale[key]:
		return func(ctx context.Context) {
			g.world.tell("Lighthouse removes the import of %s", key)
			g.world.must(g.world.api.Delete(ctx, e.imported))
		}
	case e.export != nil && !wanted && validStatus(e.export) != "False":
		return func(ctx context.Context) {
			g.setValid(ctx, e.export, "False", "ServiceUnavailable", "Service to be exported doesn't exist")
		}
	case told && !g.stale[key] && (e.imported == nil || importedIP(e.imported) != address):
		return func(ctx context.Context) { g.tellImport(ctx, key, address) }
	case told && validStatus(e.export) != "True":
		return func(ctx context.Context) { g.setValid(ctx, e.export, "True", "Valid", "") }
	}
	return nil
}
