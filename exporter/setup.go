package exporter

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// Options are the settings that a user makes.
type Options struct {
	// OrphanGrace is how long an export outlives its daemon.
	OrphanGrace time.Duration
	// Term says when this replica leads.
	Term *recall.Term
}

const (
	// turnTimeout ends a turn that waits for a cache which does not sync, so that others get theirs.
	turnTimeout = 2 * time.Minute
	// turnsAtOnce bounds how many daemons are seen to at a time, of which each may wait for DNS.
	turnsAtOnce = 16
)

// Setup adds the loop, which runs on the leader, and the caches and metrics, which are on every replica. prepared is the
// cache of view.PreparedOptions. What it asks of the API server, and why, stands in manifests/base/rbac.yaml. Where
// OwnerReferencesPermissionEnforcement is on nothing more is needed: no reference of ours blocks the deletion of its owner.
func Setup(mgr ctrl.Manager, prepared cache.Cache, v *view.View, installed *kinds.Watch, res *resolver.Resolver, opts Options) error {
	for _, object := range []client.Object{&corev1.Namespace{}, &corev1.Service{}, &corev1.ConfigMap{}, &appsv1.Deployment{}} {
		// The loop would start these on the leader alone, but admission reads them on every replica.
		if _, err := mgr.GetCache().GetInformer(context.Background(), object, cache.BlockUntilSynced(false)); err != nil {
			return fmt.Errorf("watch %T: %w", object, err)
		}
	}
	counters := newCounters()
	if err := counters.register(crmetrics.Registry); err != nil {
		return fmt.Errorf("register the metrics of the exporter: %w", err)
	}
	if err := crmetrics.Registry.Register(view.States{View: v}); err != nil {
		return fmt.Errorf("register the metrics of the exporter: %w", err)
	}
	r := newReconciler(v, NewEnsurer(mgr.GetClient(), mgr.GetAPIReader(), installed), res, opts)
	r.events, r.metrics, r.unreadable = mgr.GetEventRecorder(rook.Manager), counters, installed.Unreadable
	cleanup := &cleaner{view: v, ensurer: r.ensurer, metrics: counters, term: opts.Term, log: mgr.GetLogger().WithName("cleanup"), now: time.Now, grace: opts.OrphanGrace}
	if err := mgr.Add(cleanup); err != nil {
		return fmt.Errorf("add the cleanup to the manager: %w", err)
	}
	leads := leader{reconciler: r, term: opts.Term}
	c, err := controller.NewTyped("exporter", mgr, controller.TypedOptions[target]{
		Reconciler:              leads,
		ReconciliationTimeout:   turnTimeout,
		MaxConcurrentReconciles: turnsAtOnce,
		NewQueue:                newQueue,
		LogConstructor:          logOf(mgr.GetLogger().WithName("exporter")),
	})
	if err != nil {
		return fmt.Errorf("add the loop to the manager: %w", err)
	}
	w := watches{mgr: mgr, prepared: prepared, controller: c, view: v, changes: r.changes, log: mgr.GetLogger(), reads: resolver.Kinds()}
	r.wake, err = w.waker()
	if err != nil {
		return err
	}
	wakeAll, err := w.add(installed)
	opts.Term.OnBegin(func() {
		leads.begin()
		wakeAll()
	})
	return err
}

// newReconciler returns a reconciler that wakes nobody and tells nobody.
func newReconciler(v *view.View, ensurer *Ensurer, sources Asker, opts Options) *reconciler {
	return &reconciler{
		view:    v,
		ensurer: ensurer,
		sources: sources,
		changes: &recall.Changes{},
		claims:  newClaims(),
		now:     time.Now,
		grace:   opts.OrphanGrace,
	}
}

func logOf(log logr.Logger) func(*target) logr.Logger {
	return func(to *target) logr.Logger {
		if to == nil {
			return log
		}
		return log.WithValues("namespace", to.Namespace, "target", whatOf(*to))
	}
}
