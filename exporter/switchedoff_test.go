package exporter

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// foreignExport is one that somebody else made.
func foreignExport(name string) *unstructured.Unstructured {
	e := newExport(serviceExport, rookDaemon(name))
	e.SetLabels(nil)
	return e
}

// relabel switches the namespace on or off.
func (l *loop) relabel(labels map[string]string) {
	l.t.Helper()
	namespace := &corev1.Namespace{}
	require.NoError(l.t, l.client.Get(l.t.Context(), client.ObjectKey{Name: testNamespace}, namespace))
	namespace.Labels = labels
	require.NoError(l.t, l.client.Update(l.t.Context(), namespace))
}

func TestANamespaceThatIsSwitchedOffWithExportsInItIsToldOfOnce(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), monService(monA, "10.96.0.1"))
	l.settle()
	l.relabel(nil)
	_, writes, told := l.turn()
	require.Empty(t, writes)
	require.Equal(t, []string{"NamespaceSwitchedOff: Namespace rook-ceph is switched off while daemons are exported there: nobody keeps their addresses, " +
		"or corrects what Rook writes: label it rook-clusterset.io/enabled=true again, or delete its ServiceExports once no daemon advertises a global IP"}, told)
	_, _, told = l.turn()
	require.Empty(t, told)

	l.relabel(map[string]string{rook.EnabledLabel: "true"})
	l.settle()
	l.relabel(nil)
	_, _, told = l.turn()
	require.Len(t, told, 1, "it is news once more")
}

func TestANamespaceThatWasNeverSwitchedOnIsNotToldOf(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), monService(monA, "10.96.0.1"), foreignExport(osd0))
	l.relabel(nil)
	_, writes, told := l.turn()
	require.Empty(t, writes)
	require.Empty(t, told)
}

func TestANamespaceIsNotTakenForSwitchedOffByACacheThatIsBehind(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), monService(monA, "10.96.0.1"))
	l.settle()
	behind := newLoop(t, cephClusterObject(nil), newExport(serviceExport, rookDaemon(monA)))
	l.reconciler.view = view.New(view.Readers{Cached: behind.client, Live: l.client}, l.kinds)
	_, _, told := l.turn()
	require.Empty(t, told)
}
