package main

import (
	"cmp"
	"context"
	"iter"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// lives are the daemons that live, by the names of their objects, and at which address.
type lives struct {
	at map[types.NamespacedName]netip.Addr
	// clusterIPs are those that the Service of a daemon ever had.
	clusterIPs map[types.NamespacedName]map[string]bool
}

func newLives() lives {
	return lives{at: map[types.NamespacedName]netip.Addr{}, clusterIPs: map[types.NamespacedName]map[string]bool{}}
}

const monPrefix, osdPrefix = "rook-ceph-mon-", "rook-ceph-osd-"

// mons returns the IDs of the mons of a namespace that live, in order.
func (l lives) mons(namespace string) []string {
	var ids []string
	for key := range l.at {
		if id, ok := strings.CutPrefix(key.Name, monPrefix); ok && key.Namespace == namespace {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// isDaemon says whether a Deployment, by its labels, is a mon or an OSD and no canary.
func isDaemon(o client.Object) bool {
	_, canary := o.GetLabels()["mon_canary"]
	return !canary && (strings.HasPrefix(o.GetName(), monPrefix) || strings.HasPrefix(o.GetName(), osdPrefix))
}

func isMon(key types.NamespacedName) bool { return strings.HasPrefix(key.Name, monPrefix) }

// advertised returns the address that a Deployment gives its daemon.
func advertised(d *appsv1.Deployment) netip.Addr {
	for _, c := range d.Spec.Template.Spec.Containers {
		if c.Name != "mon" && c.Name != "osd" {
			continue
		}
		for _, arg := range c.Args {
			if text, ok := strings.CutPrefix(arg, "--public-addr="); ok {
				address, _ := netip.ParseAddr(text)
				return address
			}
		}
	}
	return netip.Addr{}
}

// seeStored holds what was stored against what must never be.
func (w *world) seeStored(ctx context.Context, before, after client.Object) {
	some := cmp.Or(after, before)
	key := client.ObjectKeyFromObject(some)
	switch gk := kindOf(some); {
	case gk == deploymentKind && isDaemon(some):
		w.seeDaemon(key, after)
	case gk == serviceKind && after != nil && isDaemon(some):
		if before != nil && isOurActor(ctx) && w.mcs.isAllocating(key) {
			w.never("the Service of %s is written while Globalnet gives it an address", key)
		}
		if w.lives.clusterIPs[key] == nil {
			w.lives.clusterIPs[key] = map[string]bool{}
		}
		w.lives.clusterIPs[key][after.(*corev1.Service).Spec.ClusterIP] = true
	case gk == serviceKind && after == nil && isDaemon(some) && isOurActor(ctx):
		w.neverForget(key, "its Service is removed")
	case gk == kinds.ServiceExport && isOurActor(ctx):
		w.seeExport(key, before, after)
	}
	if after != nil {
		w.checkTelling(after)
	}
}

func isOurActor(ctx context.Context) bool {
	a := actorOf(ctx)
	// What is ours hangs on nothing of Rook's, so that it is no garbage before its namespace is.
	return a == actorLeader || a == actorReplica || a == actorGarbage
}

func (w *world) neverForget(key types.NamespacedName, how string) {
	if w.store.get(deploymentKind, key) != nil {
		w.never("%s lives and is forgotten: %s", key, how)
	}
}

// seeExport is for what we ourselves write.
func (w *world) seeExport(key types.NamespacedName, before, after client.Object) {
	address, lives := w.lives.at[key]
	if after == nil {
		w.neverForget(key, "its export is removed")
		return
	}
	if before == nil || !lives || !isMon(key) {
		return
	}
	pinned := func(o client.Object) bool { return o.GetAnnotations()["rook-clusterset.io/pinned"] == "true" }
	if pinned(before) && !pinned(after) {
		w.never("%s lives at %s and is forgotten: its export is no longer pinned", key, address)
	}
	if told := after.GetAnnotations()["rook-clusterset.io/global-ip"]; pinned(after) && told != address.String() {
		w.never("%s lives at %s, and its export is pinned at %s", key, address, told)
	}
}

// seeDaemon follows the life of a daemon.
func (w *world) seeDaemon(key types.NamespacedName, after client.Object) {
	if after == nil {
		delete(w.lives.at, key)
		return
	}
	address := advertised(after.(*appsv1.Deployment))
	lived, lives := w.lives.at[key]
	switch {
	case !lives:
		w.bear(key, address)
	case !address.IsValid():
		// It was put to sleep.
	case isMon(key) && address != lived:
		w.never("%s lived at %s and is moved to %s", key, lived, address)
	case address != lived:
		w.tell("%s follows from %s to %s", key, lived, address)
		w.lives.at[key] = address
		for _, other := range w.othersAt(key, address) {
			// Two OSDs whose addresses were swapped cannot both follow at once. The network has left the other already.
			if isMon(other) || w.mcs.given[other] == address {
				w.never("%s follows to %s, at which %s lives", key, address, other)
			}
		}
	}
}

func (w *world) bear(key types.NamespacedName, address netip.Addr) {
	w.lives.at[key] = address
	if !netip.MustParsePrefix(globalCIDR).Contains(address) {
		w.never("%s is born at %s, which is no global IP", key, address)
		return
	}
	w.tell("%s is born at %s", key, address)
	if export := w.store.get(kinds.ServiceExport, key); export == nil || export.GetAnnotations()["rook-clusterset.io/global-ip"] != address.String() {
		w.never("%s is born at %s, which its export does not say", key, address)
	}
	if isMon(key) && !w.mcs.carried[key][address] {
		w.never("%s is born at %s, which the network has never carried to it", key, address)
	}
	if isMon(key) && w.mcs.given[key] != address && !w.mcs.tells(key, address) {
		w.never("%s is born at %s, which the network says is its no longer", key, address)
	}
	for _, other := range w.othersAt(key, address) {
		w.never("%s is born at %s, at which %s lives", key, address, other)
	}
	for _, gk := range []schema.GroupKind{configMapKind, secretKind, sliceKind, connectionKind} {
		for _, namespace := range []string{key.Namespace, operatorNamespace} {
			for _, o := range w.store.all(gk, namespace) {
				w.checkTelling(o)
			}
		}
	}
}

func (w *world) othersAt(key types.NamespacedName, address netip.Addr) []types.NamespacedName {
	var others []types.NamespacedName
	for other, at := range w.lives.at {
		if other != key && at == address {
			others = append(others, other)
		}
	}
	slices.SortFunc(others, compareNames)
	return others
}

// checkTelling looks at an object in which the addresses of mons are repeated.
func (w *world) checkTelling(o client.Object) {
	switch o := o.(type) {
	case *corev1.ConfigMap:
		switch o.Name {
		case rookstandin.EndpointsConfigMap:
			w.checkEndpoints(o)
			w.checkNoClusterIP(o, o.Data["csi-cluster-config-json"])
		case shapes.CSIConfigMap:
			w.checkNoClusterIP(o, o.Data["csi-cluster-config-json"])
		}
	case *corev1.Secret:
		if o.Name == rookstandin.ConfigSecret {
			w.checkNoClusterIP(o, string(o.Data["mon_host"]))
		}
	case *discoveryv1.EndpointSlice:
		for _, e := range o.Endpoints {
			w.checkNoClusterIP(o, strings.Join(e.Addresses, ","))
		}
	case *unstructured.Unstructured:
		if kindOf(o) == connectionKind {
			monitors, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "monitors")
			w.checkNoClusterIP(o, strings.Join(monitors, ","))
		}
	}
}

// listed reads which mon a list tells where, in its order.
func listed(o *corev1.ConfigMap) iter.Seq2[string, string] {
	return func(yield func(id, address string) bool) {
		for entry := range strings.SplitSeq(o.Data["data"], ",") {
			id, endpoint, ok := strings.Cut(entry, "=")
			if ok && !yield(id, strings.TrimSuffix(strings.TrimSuffix(endpoint, ":6789"), ":3300")) {
				return
			}
		}
	}
}

func (w *world) checkEndpoints(o *corev1.ConfigMap) {
	told := map[string]string{}
	for id, address := range listed(o) {
		key := types.NamespacedName{Namespace: o.Namespace, Name: monPrefix + id}
		if lived, lives := w.lives.at[key]; lives && lived.String() != address {
			w.never("%s lives at %s, and %s tells %s", key, lived, named(o), address)
		}
		if other, twice := told[address]; twice {
			w.never("%s tells %s for two mons, %s and %s", named(o), address, other, id)
		}
		told[address] = id
	}
}

// aClusterIP is one of clusterIPRange.
var aClusterIP = regexp.MustCompile(`\b10\.96\.[\d.]+`)

// checkNoClusterIP is for objects that name no mon: none of the addresses is a ClusterIP of a mon that lives elsewhere.
func (w *world) checkNoClusterIP(o client.Object, text string) {
	for _, address := range aClusterIP.FindAllString(text, -1) {
		for key, had := range w.lives.clusterIPs {
			if lived, lives := w.lives.at[key]; lives && isMon(key) && had[address] && lived.String() != address {
				w.never("%s lives at %s, and %s tells %s", key, lived, named(o), address)
			}
		}
	}
}

// check holds the daemons themselves against what is stored of them, after each step.
func (w *world) check() {
	for _, s := range w.sites {
		for _, id := range w.lives.mons(s.namespace) {
			lived := w.lives.at[types.NamespacedName{Namespace: s.namespace, Name: monPrefix + id}]
			if address, ranked := s.ceph.Advertised(id); s.ceph.Has(id) && (!ranked || address != lived) {
				w.never("mon %s of %s advertises %s, and its Deployment says %s", id, s.namespace, address, lived)
			}
		}
	}
}
