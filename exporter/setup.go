package exporter

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Options are the settings that a user makes.
type Options struct {
	// OrphanGrace is how long an export outlives its daemon.
	OrphanGrace time.Duration
}

// turnTimeout ends a reconcile that waits for a cache which does not sync, so that other CephClusters get their turn.
const turnTimeout = 2 * time.Minute

// Setup adds the reconcile loop, which runs on the leader, and the caches and metrics, which are on every replica.
//
// What this package asks of the API server, in all namespaces because namespaces are switched on after the install:
//
//	namespaces                                              get list watch
//	deployments.apps                                        get list watch
//	services                                                get list watch create patch delete
//	configmaps "rook-ceph-mon-endpoints"                    get list watch update patch
//	configmaps "rook-clusterset-reload"                     delete
//	configmaps (RBAC cannot limit a creation by name)       create
//	serviceexports.multicluster.x-k8s.io                    get list watch create patch delete
//	serviceimports.multicluster.x-k8s.io                    list watch
//	cephclusters.ceph.rook.io                               list watch
//	globalingressips, submariners, clusters.submariner.io   list watch
//	clusterproperties.about.k8s.io                          list watch
//	customresourcedefinitions.apiextensions.k8s.io          list watch
//	events.events.k8s.io                                    create patch
//
// Where the API server enforces OwnerReferencesPermissionEnforcement nothing more is needed: no reference of ours blocks
// the deletion of its owner.
func Setup(mgr ctrl.Manager, view *View, kinds *Kinds, res *resolver.Resolver, opts Options) error {
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
	if err := crmetrics.Registry.Register(gauges{view: view}); err != nil {
		return fmt.Errorf("register the metrics of the exporter: %w", err)
	}
	r := &reconciler{
		view:     view,
		ensurer:  NewEnsurer(mgr.GetClient(), mgr.GetAPIReader(), kinds),
		sources:  res,
		changes:  &sourceChanges{},
		events:   mgr.GetEventRecorder(rook.Manager),
		metrics:  counters,
		now:      time.Now,
		grace:    opts.OrphanGrace,
		memories: map[types.NamespacedName]*memory{},
	}
	c, err := controller.New("exporter", mgr, controller.Options{Reconciler: r, ReconciliationTimeout: turnTimeout})
	if err != nil {
		return fmt.Errorf("add the reconcile loop to the manager: %w", err)
	}
	w := watches{mgr: mgr, controller: c, view: view, changes: r.changes}
	return w.add(kinds)
}

// watches map every change that can matter to a CephCluster to that CephCluster.
type watches struct {
	mgr        ctrl.Manager
	controller controller.Controller
	view       *View
	changes    *sourceChanges
}

func (w watches) add(kinds *Kinds) error {
	// The status of a Deployment changes often, and nothing of it is read.
	toItself := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{})
	for _, err := range []error{
		w.controller.Watch(source.Kind(w.mgr.GetCache(), client.Object(&appsv1.Deployment{}), w.toClusters(namespaceOf), toItself)),
		w.controller.Watch(source.Kind(w.mgr.GetCache(), client.Object(&corev1.Service{}), w.toClusters(namespaceOf))),
		w.controller.Watch(source.Kind(w.mgr.GetCache(), client.Object(&corev1.ConfigMap{}), w.toClusters(namespaceOf))),
		w.controller.Watch(source.Kind(w.mgr.GetCache(), client.Object(&corev1.Namespace{}), w.toClusters(client.Object.GetName))),
	} {
		if err != nil {
			return fmt.Errorf("watch what Rook makes: %w", err)
		}
	}

	// A kind that comes or goes concerns every CephCluster. One pending turn of all is as good as many.
	all := make(chan event.GenericEvent, 1)
	wake := func() {
		select {
		case all <- event.GenericEvent{Object: &unstructured.Unstructured{}}:
		default:
		}
	}
	toAll := w.toClusters(func(client.Object) string { return everywhere })
	if err := w.controller.Watch(source.Channel(all, toAll)); err != nil {
		return fmt.Errorf("watch for kinds: %w", err)
	}
	kinds.subscribeLoss(func(schema.GroupKind) { wake() })
	kinds.Subscribe(func(gvk schema.GroupVersionKind) {
		if err := w.controller.Watch(source.Kind(w.mgr.GetCache(), client.Object(objectOf(gvk)), w.handlerOf(gvk.GroupKind()))); err != nil {
			w.mgr.GetLogger().Error(err, "Changes go unnoticed", "kind", gvk.String())
		}
		wake()
	})
	return nil
}

// handlerOf returns what a change of an object of others' kinds leads to.
func (w watches) handlerOf(kind schema.GroupKind) handler.EventHandler {
	switch kind {
	case CephCluster:
		return &handler.EnqueueRequestForObject{}
	case resolver.ServiceExport:
		return w.toClusters(namespaceOf)
	case resolver.GlobalIngressIP:
		return w.toClusters(w.counted(namespaceOf))
	case resolver.ServiceImport:
		return w.toClusters(w.counted(importedNamespace))
	}
	return w.toClusters(w.counted(func(client.Object) string { return everywhere }))
}

// counted lets what could not be resolved be asked for at once.
func (w watches) counted(about func(client.Object) string) func(client.Object) string {
	return func(object client.Object) string {
		namespace := about(object)
		w.changes.add(namespace)
		return namespace
	}
}

// toClusters enqueues the CephClusters of the namespace that an object is about.
func (w watches) toClusters(about func(client.Object) string) handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, object client.Object) []reconcile.Request {
		namespace := about(object)
		// The loop starts only when its handlers have seen all there is, so that none may wait for kinds, whose subscribers
		// wait for the loop. Once CephClusters are watched, each of them gets its turn.
		if _, served := w.view.kinds.Served(CephCluster); !served {
			return nil
		}
		clusters, err := w.view.cephClusters(ctx, namespace)
		if err != nil {
			w.mgr.GetLogger().Error(err, "A change goes unnoticed", "object", client.ObjectKeyFromObject(object).String())
			return nil
		}
		requests := make([]reconcile.Request, 0, len(clusters))
		for i := range clusters {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&clusters[i])})
		}
		return requests
	})
}

func namespaceOf(object client.Object) string { return object.GetNamespace() }

// sourceNamespaceLabel stands on a ServiceImport of Submariner's, which lies in Submariner's own namespace.
const sourceNamespaceLabel = "lighthouse.submariner.io/sourceNamespace"

func importedNamespace(object client.Object) string {
	if namespace := object.GetLabels()[sourceNamespaceLabel]; namespace != "" {
		return namespace
	}
	return object.GetNamespace()
}
