package exporter

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rook-clusterset/rook-clusterset/resolver"
)

// mapped returns the requests that the creation of an object leads to.
func mapped(t *testing.T, w watches, object client.Object) []reconcile.Request {
	t.Helper()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	t.Cleanup(queue.ShutDown)
	w.handlerOf(object.GetObjectKind().GroupVersionKind().GroupKind()).Create(t.Context(), event.CreateEvent{Object: object}, queue)
	var requests []reconcile.Request
	for queue.Len() > 0 {
		request, _ := queue.Get()
		requests = append(requests, request)
	}
	return requests
}

func TestAChangeOfASourceIsTheBusinessOfTheNamespaceThatItIsAbout(t *testing.T) {
	for name, c := range map[string]struct {
		object         client.Object
		woken, counted bool
	}{
		"a GlobalIngressIP":                          {sourceObject("GlobalIngressIP", testNamespace, nil), true, true},
		"a GlobalIngressIP of another namespace":     {sourceObject("GlobalIngressIP", "other", nil), false, false},
		"a ServiceImport":                            {sourceObject("ServiceImport", testNamespace, nil), true, true},
		"a ServiceImport in Submariner's namespace":  {sourceObject("ServiceImport", "submariner-operator", map[string]string{sourceNamespaceLabel: testNamespace}), true, true},
		"a ServiceImport of another namespace there": {sourceObject("ServiceImport", "submariner-operator", map[string]string{sourceNamespaceLabel: "other"}), false, false},
		"Submariner's own object":                    {sourceObject("Submariner", "submariner-operator", nil), true, true},
		"a ServiceExport, which is no source":        {sourceObject("ServiceExport", testNamespace, nil), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
			w := watches{view: l.view, changes: l.changes}
			var want []reconcile.Request
			if c.woken {
				want = []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: testNamespace, Name: testCluster}}}
			}
			require.Equal(t, want, mapped(t, w, c.object))
			require.Equal(t, c.counted, l.changes.about(testNamespace) > 0)
		})
	}
}

func sourceObject(kind, namespace string, labels map[string]string) client.Object {
	group := resolver.GlobalIngressIP.Group
	if kind == resolver.ServiceImport.Kind || kind == resolver.ServiceExport.Kind {
		group = resolver.ServiceExport.Group
	}
	object := objectOf(schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind})
	object.SetNamespace(namespace)
	object.SetName("rook-ceph-mon-a")
	object.SetLabels(labels)
	return object
}

// neverLooked are kinds that are not known yet.
type neverLooked struct{ servedKinds }

func (neverLooked) Wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestNoHandlerWaitsForKinds(t *testing.T) {
	w := watches{view: NewView(nil, neverLooked{}), changes: &sourceChanges{}}
	require.Empty(t, mapped(t, w, sourceObject("ServiceExport", testNamespace, nil)))
}
