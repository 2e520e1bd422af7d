package exporter

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// mapped returns the turns that the creation of an object leads to.
func mapped(t *testing.T, h handler.TypedEventHandler[client.Object, target], object client.Object) []target {
	t.Helper()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[target]())
	t.Cleanup(queue.ShutDown)
	h.Create(t.Context(), event.CreateEvent{Object: object}, queue)
	var targets []target
	for queue.Len() > 0 {
		to, _ := queue.Get()
		targets = append(targets, to)
	}
	slices.SortFunc(targets, func(a, b target) int { return strings.Compare(a.Daemon, b.Daemon) })
	return targets
}

var (
	toCluster = target{Namespace: testNamespace}
	toMonA    = target{Namespace: testNamespace, Daemon: monA}
)

func TestAChangeOfASourceIsTheBusinessOfTheDaemonThatItIsAbout(t *testing.T) {
	importedBySubmariner := map[string]string{
		"lighthouse.submariner.io/sourceNamespace": testNamespace, "multicluster.kubernetes.io/service-name": monA,
	}
	for name, c := range map[string]struct {
		object  client.Object
		woken   []target
		counted bool
	}{
		"a GlobalIngressIP":                           {sourceObject("GlobalIngressIP", testNamespace, monA, nil), []target{toMonA}, true},
		"a GlobalIngressIP of no daemon":              {sourceObject("GlobalIngressIP", testNamespace, "my-app", nil), nil, false},
		"a ServiceImport":                             {sourceObject("ServiceImport", testNamespace, monA, nil), []target{toMonA}, true},
		"a ServiceImport in Submariner's namespace":   {sourceObject("ServiceImport", "submariner-operator", "x", importedBySubmariner), []target{toMonA}, true},
		"Submariner's own object, which is about all": {sourceObject("Submariner", "submariner-operator", "submariner", nil), []target{toCluster}, true},
		"a ServiceExport, which is no source":         {sourceObject("ServiceExport", testNamespace, monA, nil), []target{toMonA}, false},
		"a CephCluster, which all daemons share":      {sourceObject("CephCluster", testNamespace, testCluster, nil), []target{toCluster}, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
			w := watches{view: l.view, changes: l.changes, reads: resolver.Kinds()}
			gvk := c.object.GetObjectKind().GroupVersionKind()
			require.Equal(t, c.woken, mapped(t, w.handlerOf(gvk.GroupKind()), c.object))
			require.Equal(t, c.counted, l.changes.About(testNamespace, monA) > 0)
			require.Equal(t, l.changes.AboutAll(), l.changes.About(testNamespace, "my-app"), "nobody asks for it")
		})
	}
}

func TestAChangeOfWhatRookMakesIsTheBusinessOfItsDaemon(t *testing.T) {
	osd := target{Namespace: testNamespace, Daemon: osd0}
	require.Equal(t, []target{osd}, daemonAndRook(deployment(osd0, "")))
	require.Equal(t, []target{toMonA, toCluster}, daemonAndRook(deployment(monA, "")), "it tells the version of Rook")
	require.Equal(t, []target{toMonA}, daemonOf(monService(monA, "10.96.0.1")))
	require.Empty(t, daemonOf(monService("my-app", "10.96.0.1")))

	monB := target{Namespace: testNamespace, Daemon: "rook-ceph-mon-b"}
	require.ElementsMatch(t, []target{toCluster, toMonA, monB}, listedMons(endpointsOf("a=10.96.0.1:6789,b=10.96.0.2:6789")))

	prepared := endpointsOf("")
	prepared.Data = map[string]string{"status": `{"osds":[{"id":0},{"id":7}],"status":"completed"}`}
	require.Equal(t, []target{osd, {Namespace: testNamespace, Daemon: "rook-ceph-osd-7"}}, preparedOSDs(prepared))
}

func TestAnUpdateOfNothingThatIsKeptIsPassedOver(t *testing.T) {
	object := func(version, ip string) client.Object {
		u := kinds.Object(schema.GroupVersionKind{Group: "submariner.io", Version: "v1", Kind: "GlobalIngressIP"})
		u.SetName(monA)
		u.SetResourceVersion(version)
		u.Object["status"] = map[string]any{"allocatedIP": ip}
		return u
	}
	require.False(t, kept{}.Update(event.UpdateEvent{ObjectOld: object("1", "242.0.0.1"), ObjectNew: object("2", "242.0.0.1")}))
	require.True(t, kept{}.Update(event.UpdateEvent{ObjectOld: object("1", "242.0.0.1"), ObjectNew: object("2", "242.0.0.2")}))
}

func sourceObject(kind, namespace, name string, labels map[string]string) client.Object {
	gk := map[string]schema.GroupKind{"ServiceExport": kinds.ServiceExport, "CephCluster": kinds.CephCluster}[kind]
	for _, k := range resolver.Kinds() {
		if k.Kind == kind {
			gk = k.GroupKind
		}
	}
	object := kinds.Object(gk.WithVersion("v1"))
	object.SetNamespace(namespace)
	object.SetName(name)
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
	w := watches{view: view.New(view.Readers{Cached: newLoop(t).client}, neverLooked{}), changes: &recall.Changes{}, reads: resolver.Kinds()}
	submariner := sourceObject("Submariner", "submariner-operator", "submariner", nil)
	require.Empty(t, mapped(t, w.handlerOf(submariner.GetObjectKind().GroupVersionKind().GroupKind()), submariner))
}

func TestWhatAllDaemonsDependOnWakesThemWhenItChangesAndNotOtherwise(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(monService(monA, "10.96.0.1"), deployment(osd0, ""))
	cluster := func() []target {
		l.woken = nil
		_, err := l.Reconcile(t.Context(), toCluster)
		require.NoError(t, err)
		return l.woken
	}
	both := []target{toMonA, {Namespace: testNamespace, Daemon: osd0}}
	require.Equal(t, both, cluster(), "a new leader")
	require.Empty(t, cluster())
	l.changes.AddForAll()
	require.Equal(t, both, cluster(), "a source that is about all")

	setCeph := func(path []string, value any) {
		ceph := cephClusterObject(nil)
		require.NoError(t, l.client.Get(t.Context(), client.ObjectKeyFromObject(ceph), ceph))
		require.NoError(t, unstructured.SetNestedField(ceph.Object, value, path...))
		require.NoError(t, l.client.Update(t.Context(), ceph))
	}
	setCeph([]string{"status", "phase"}, "Progressing")
	require.Empty(t, cluster(), "the phase is no daemon's business")
	setCeph([]string{"spec", "network", "connections", "requireMsgr2"}, true)
	require.Equal(t, both, cluster())
	require.NoError(t, l.client.Delete(t.Context(), enabledNamespace()))
	require.Empty(t, cluster())
	l.create(enabledNamespace())
	require.Equal(t, both, cluster(), "a namespace that is switched on again")
}
