package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// sleepMon puts a mon to sleep for surgery: its Deployment runs something else until Rook writes it again.
func (w *world) sleepMon(ctx context.Context) bool {
	o := w.anyOf(deploymentKind, "rook-ceph-mon-")
	if o == nil {
		return false
	}
	asleep := o.DeepCopyObject().(*appsv1.Deployment)
	for i := range asleep.Spec.Template.Spec.Containers {
		c := &asleep.Spec.Template.Spec.Containers[i]
		if c.Name == "mon" {
			c.Command, c.Args = []string{"sleep"}, []string{"infinity"}
		}
	}
	w.tell("somebody puts %s to sleep", named(o))
	w.ignoreRefusal(w.clientOf(o.GetNamespace()).Update(asActor(ctx, actorPerson), asleep))
	return true
}

// ignoreRefusal is for what somebody does by hand, who sees the refusal.
func (w *world) ignoreRefusal(err error) {
	if err != nil {
		w.tell("... which is refused: %v", err)
	}
}

// editEndpoints writes another address for a mon into Rook's list: its ClusterIP, or what another mon has.
func (w *world) editEndpoints(ctx context.Context) bool {
	s := w.anySite()
	stored, _ := w.store.get(configMapKind, types.NamespacedName{Namespace: s.namespace, Name: rookstandin.EndpointsConfigMap}).(*corev1.ConfigMap)
	if stored == nil || stored.Data["data"] == "" {
		return false
	}
	entries := strings.Split(stored.Data["data"], ",")
	at := w.rng.IntN(len(entries))
	id, _, _ := strings.Cut(entries[at], "=")
	service, _ := w.store.get(serviceKind, types.NamespacedName{Namespace: s.namespace, Name: "rook-ceph-mon-" + id}).(*corev1.Service)
	if service == nil {
		return false
	}
	edited := stored.DeepCopy()
	entries[at] = id + "=" + service.Spec.ClusterIP + ":6789"
	edited.Data["data"] = strings.Join(entries, ",")
	w.tell("somebody edits the endpoints: %s", edited.Data["data"])
	w.ignoreRefusal(w.clientOf(s.namespace).Update(asActor(ctx, actorPerson), edited))
	return true
}

// restoreCluster is Rook's own recovery: owners are stripped, the CephCluster is deleted and created anew.
func (w *world) restoreCluster(ctx context.Context) bool {
	s := w.anySite()
	stored := s.cluster()
	if stored == nil || s.stopped || s.reconciled == 0 {
		return false
	}
	ctx = asActor(ctx, actorPerson)
	w.tell("somebody restores the CephCluster of %s: the operator is stopped, owners are stripped, the CephCluster is deleted", s.namespace)
	s.stopped, s.rook.gone = true, true
	c := w.clientOf(s.namespace)
	for _, gk := range []schema.GroupKind{secretKind, configMapKind, serviceKind, deploymentKind} {
		for _, o := range w.store.all(gk, s.namespace) {
			if len(o.GetOwnerReferences()) == 0 {
				continue
			}
			stripped := o.DeepCopyObject().(client.Object)
			stripped.SetOwnerReferences(nil)
			w.ignoreRefusal(c.Update(ctx, stripped))
		}
	}
	w.must(c.Delete(ctx, stored.DeepCopyObject().(client.Object)))
	for range 1 + w.rng.IntN(12) {
		w.stepOfOthers(ctx)
		w.collectGarbage(ctx)
		if w.rng.IntN(5) == 0 {
			w.loseExport(ctx)
		}
		w.advance(time.Duration(w.rng.IntN(20)) * time.Second)
	}
	w.must(c.Create(ctx, rookstandin.NewCephCluster(s.namespace, clusterName, monCount(s.mons))))
	w.must(s.start(ctx))
	return true
}

func (w *world) remove(ctx context.Context, o client.Object) {
	w.must(client.IgnoreNotFound(w.clientOf(o.GetNamespace()).Delete(ctx, o.DeepCopyObject().(client.Object))))
}

// collectGarbage deletes what the owners of are gone, one after the other.
func (w *world) collectGarbage(ctx context.Context) {
	lives := map[types.UID]bool{}
	var all []client.Object
	for _, gk := range slices.SortedFunc(maps.Keys(w.store.kinds), func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) }) {
		all = append(all, w.store.all(gk, "")...)
	}
	for _, o := range all {
		lives[o.GetUID()] = true
	}
	for _, o := range all {
		owners := o.GetOwnerReferences()
		if len(owners) == 0 || slices.ContainsFunc(owners, func(r metav1.OwnerReference) bool { return lives[r.UID] }) {
			continue
		}
		w.tell("the garbage collector deletes %s", named(o))
		w.remove(asActor(ctx, actorGarbage), o)
	}
}
