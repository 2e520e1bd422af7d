package exporter

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// watches map every change to the targets that it can matter to.
type watches struct {
	mgr        ctrl.Manager
	prepared   cache.Cache
	controller controller.TypedController[target]
	view       *view.View
	changes    *recall.Changes
	log        logr.Logger
	// reads are the kinds whose objects answer for global IPs.
	reads []kinds.Kind
}

// waker returns a function that asks for a turn; before the loop starts, every target gets its turn anyway.
func (w watches) waker() (func(target), error) {
	queues := make(chan workqueue.TypedRateLimitingInterface[target], 1)
	err := w.controller.Watch(source.TypedFunc[target](func(_ context.Context, queue workqueue.TypedRateLimitingInterface[target]) error {
		queues <- queue
		return nil
	}))
	if err != nil {
		return nil, fmt.Errorf("get hold of the queue of turns: %w", err)
	}
	return func(to target) {
		queue := <-queues
		queues <- queue
		queue.Add(to)
	}, nil
}

// add watches everything, and returns what has every target take a turn.
func (w watches) add(installed *kinds.Watch) (wakeAll func(), err error) {
	for _, err := range []error{
		w.watch(w.mgr.GetCache(), &appsv1.Deployment{}, to(daemonAndRook), rewritten),
		w.watch(w.mgr.GetCache(), &corev1.Service{}, to(daemonOf)),
		w.watch(w.mgr.GetCache(), &corev1.ConfigMap{}, to(listedMons)),
		w.watch(w.mgr.GetCache(), &corev1.Namespace{}, to(ofNamespace)),
		w.watch(w.prepared, &corev1.ConfigMap{}, to(preparedOSDs)),
	} {
		if err != nil {
			return nil, fmt.Errorf("watch what Rook makes: %w", err)
		}
	}

	// A kind that comes or goes concerns every CephCluster. One pending turn of all is as good as many.
	all := make(chan event.GenericEvent, 1)
	wake := func() {
		w.changes.AddForAll()
		select {
		case all <- event.GenericEvent{}:
		default:
		}
	}
	if err := w.controller.Watch(source.TypedChannel(all, to(func(client.Object) []target { return w.clusters() }))); err != nil {
		return nil, fmt.Errorf("watch for kinds: %w", err)
	}
	installed.SubscribeLoss(func(schema.GroupKind) { wake() })
	installed.Subscribe(func(gvk schema.GroupVersionKind) {
		if err := w.watch(w.mgr.GetCache(), kinds.Object(gvk), w.handlerOf(gvk.GroupKind()), kept{}); err != nil {
			w.log.Error(err, "Changes go unnoticed", "kind", gvk.String())
		}
		wake()
	})
	return wake, nil
}

// rewritten passes over the status of a Deployment, which changes often, and of which nothing is read.
var rewritten = predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{})

func (w watches) watch(c cache.Cache, object client.Object, h handler.TypedEventHandler[client.Object, target], predicates ...predicate.Predicate) error {
	return w.controller.Watch(source.TypedKind(c, object, h, predicates...))
}

// kept passes over an update that changed nothing of what the caches keep: implementations of the MCS API write the status
// of their objects all the time.
type kept struct{ predicate.Funcs }

// Update implements predicate.Predicate.
func (kept) Update(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*unstructured.Unstructured)
	after, too := e.ObjectNew.(*unstructured.Unstructured)
	return !ok || !too || !reflect.DeepEqual(withoutVersion(before), withoutVersion(after))
}

// withoutVersion returns the content without what every write changes.
func withoutVersion(object *unstructured.Unstructured) map[string]any {
	content := maps.Clone(object.Object)
	if metadata, ok := content["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		delete(metadata, "resourceVersion")
		delete(metadata, "generation")
		content["metadata"] = metadata
	}
	return content
}

// to returns a handler that asks for the turns that an object, as it was and as it is, leads to.
func to(targets func(client.Object) []target) handler.TypedEventHandler[client.Object, target] {
	return handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, object client.Object) []target { return targets(object) })
}

// handlerOf returns what a change of an object of others' kinds leads to.
func (w watches) handlerOf(kind schema.GroupKind) handler.TypedEventHandler[client.Object, target] {
	return to(w.targetsOf(kind))
}

// targetsOf returns which targets an object of others' kinds matters to.
func (w watches) targetsOf(kind schema.GroupKind) func(client.Object) []target {
	switch kind {
	case kinds.CephCluster:
		return func(o client.Object) []target { return []target{{Namespace: o.GetNamespace()}} }
	case kinds.ServiceExport:
		return daemonOf
	}
	i := slices.IndexFunc(w.reads, func(k kinds.Kind) bool { return k.GroupKind == kind })
	return func(o client.Object) []target {
		if i >= 0 {
			if service, one := w.reads[i].Service(o); one {
				targets := targetsNamed(service.Namespace, service.Name)
				if len(targets) > 0 {
					// What could not be resolved may be asked for at once.
					w.changes.Add(service)
				}
				return targets
			}
		}
		w.changes.AddForAll()
		return w.clusters()
	}
}

// clusters returns the targets of what concerns every CephCluster: the namespaces that are switched on, for one that was
// deleted can have left living daemons. The loop starts only when its handlers have seen all there is, so that none may wait
// for kinds, whose subscribers wait for the loop.
func (w watches) clusters() []target {
	namespaces, err := w.view.EnabledNamespaces(context.Background())
	if err != nil {
		w.log.Error(err, "A change goes unnoticed")
		return nil
	}
	var targets []target
	for _, namespace := range namespaces {
		targets = append(targets, target{Namespace: namespace})
	}
	return targets
}

func targetsNamed(namespace, name string) []target {
	if _, _, ok := rook.ParseName(name); !ok {
		return nil
	}
	return []target{{Namespace: namespace, Daemon: name}}
}

func ofNamespace(o client.Object) []target { return []target{{Namespace: o.GetName()}} }

func daemonOf(o client.Object) []target { return targetsNamed(o.GetNamespace(), o.GetName()) }

// daemonAndRook is for a Deployment: those of mons have the version of Rook as well.
func daemonAndRook(o client.Object) []target {
	targets := daemonOf(o)
	if kind, _, ok := rook.ParseName(o.GetName()); ok && kind.StandsInList() {
		targets = append(targets, target{Namespace: o.GetNamespace()})
	}
	return targets
}

// listedMons is for the mon endpoints.
func listedMons(o client.Object) []target {
	targets := []target{{Namespace: o.GetNamespace()}}
	endpoints, ok := o.(*corev1.ConfigMap)
	if !ok {
		return targets
	}
	for id := range rook.Listed(endpoints) {
		targets = append(targets, daemonsTarget(rook.Mon, id, o.GetNamespace()))
	}
	return targets
}

// preparedOSDs is for what a prepare Job wrote.
func preparedOSDs(o client.Object) []target {
	configMap, ok := o.(*corev1.ConfigMap)
	if !ok {
		return nil
	}
	var targets []target
	for _, id := range rook.PreparedOSDs(configMap) {
		targets = append(targets, daemonsTarget(rook.OSD, id, o.GetNamespace()))
	}
	return targets
}

func daemonsTarget(kind rook.Type, id, namespace string) target {
	return target{Namespace: namespace, Daemon: rook.Daemon{Type: kind, ID: id}.Name()}
}
