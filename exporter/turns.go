package exporter

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// Turns are the leader's, one after the other and without a queue: whoever holds them decides what is next. A target is a
// daemon by the namespace and the name of its objects, or with no name what the daemons of a namespace share.
type Turns struct {
	reconciler *reconciler
	watches    watches
}

// TurnOptions are what turns of their own need besides what is read and written.
type TurnOptions struct {
	Options
	Events recorder.EventRecorder
	// Now is the clock.
	Now func() time.Time
	// Wake is called where a turn asks for another.
	Wake func(types.NamespacedName)
}

// NewTurns returns the turns of a leader that remembers nothing yet.
func NewTurns(v *view.View, ensurer *Ensurer, sources Asker, opts TurnOptions) *Turns {
	r := newReconciler(v, ensurer, sources, opts.Options)
	r.events, r.metrics, r.now = opts.Events, newCounters(), opts.Now
	r.unreadable = func() []string { return nil }
	r.wake = func(to target) { opts.Wake(types.NamespacedName{Namespace: to.Namespace, Name: to.Daemon}) }
	return &Turns{
		reconciler: r,
		watches:    watches{view: v, changes: r.changes, log: logr.Discard(), reads: resolver.Kinds()},
	}
}

// Take is one turn. It returns when the next is due even if nothing changes; zero means never.
func (t *Turns) Take(ctx context.Context, to types.NamespacedName) (time.Duration, error) {
	result, err := t.reconciler.Reconcile(ctx, target{Namespace: to.Namespace, Daemon: to.Name})
	return result.RequeueAfter, err
}

// Due returns the targets that a change in the caches matters to; before is nil for what is new, after for what is gone.
func (t *Turns) Due(before, after client.Object) []types.NamespacedName {
	some := after
	if some == nil {
		some = before
	}
	targets, passes := t.watched(some)
	if before != nil && after != nil && !passes.Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}) {
		return nil
	}
	var due []types.NamespacedName
	for _, object := range []client.Object{before, after} {
		if object == nil {
			continue
		}
		for _, to := range targets(object) {
			due = append(due, types.NamespacedName{Namespace: to.Namespace, Name: to.Daemon})
		}
	}
	return due
}

// watched returns whose turn a change of such an object is, and which changes are passed over.
func (t *Turns) watched(object client.Object) (func(client.Object) []target, predicate.Predicate) {
	every := predicate.Funcs{}
	switch object := object.(type) {
	case *appsv1.Deployment:
		return daemonAndRook, rewritten
	case *corev1.Service:
		return daemonOf, every
	case *corev1.Namespace:
		return ofNamespace, every
	case *corev1.ConfigMap:
		if object.Name == rook.MonEndpointsName {
			return listedMons, every
		}
		return preparedOSDs, every
	case *unstructured.Unstructured:
		return t.watches.targetsOf(object.GroupVersionKind().GroupKind()), kept{}
	}
	panic(fmt.Sprintf("no turn is about a %T", object))
}
