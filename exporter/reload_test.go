package exporter

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// staleMemory is a cluster of two mons of which Rook remembers one wrongly.
func staleMemory(t *testing.T) *loop {
	t.Helper()
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), deployment(monA, "242.0.0.1"), deployment("rook-ceph-mon-b", "242.0.0.2"),
		endpointsOf("a=242.0.0.1:6789,b=242.0.0.2:6789"))
	l.settle()
	l.remember(rook.OperatorWrite{Operator: "rook-system", FromMemory: true, Wrong: []rook.Endpoint{endpointB}})
	return l
}

var endpointB = func() rook.Endpoint {
	listed, _ := rook.ParseEndpoints("b=10.96.0.2:6789")
	return listed[0]
}()

// remember is what admission makes of a write of Rook.
func (l *loop) remember(w rook.OperatorWrite) {
	l.t.Helper()
	before, err := l.view.Remembered(l.t.Context(), testNamespace)
	require.NoError(l.t, err)
	after, news := before.After(w, l.clock)
	require.True(l.t, news)
	require.NoError(l.t, l.ensurer.NoteRemembered(l.t.Context(), testNamespace, before, after))
}

func (l *loop) remembered() rook.Remembered {
	l.t.Helper()
	r, err := l.view.Remembered(l.t.Context(), testNamespace)
	require.NoError(l.t, err)
	return r
}

func operator(ready int32) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-system", Name: rook.OperatorName},
		Status:     appsv1.DeploymentStatus{ReadyReplicas: ready},
	}
}

var asksForReload = []string{"patch " + rook.RememberedName, "create " + rook.ReloadName, "delete " + rook.ReloadName}

func TestRookIsAskedToReloadOnceInTwoMinutesThoughTheLeaderChanged(t *testing.T) {
	l := staleMemory(t)
	again, writes, told := l.turn()
	require.Equal(t, asksForReload, writes)
	require.Equal(t, []string{"ReloadRequested: CephCluster rook-ceph/my-cluster is asked to read the mon endpoints anew: Rook last wrote b=10.96.0.2:6789"}, told)
	require.Equal(t, 2*time.Minute, again)
	require.Equal(t, 1.0, testutil.ToFloat64(l.metrics.reloads.WithLabelValues(testNamespace)))

	l.clock = noon.Add(30 * time.Second)
	l.restart()
	again, writes, _ = l.turn()
	require.Empty(t, writes)
	require.Equal(t, 90*time.Second, again)

	l.clock = noon.Add(2 * time.Minute)
	_, writes, told = l.turn()
	require.Len(t, writes, 3)
	require.Len(t, told, 1)
}

func TestNoReloadIsAskedOfAnOperatorThatIsNotThere(t *testing.T) {
	l := staleMemory(t)
	l.create(operator(0))
	_, writes, told := l.turn()
	require.Empty(t, writes)
	require.Empty(t, told)

	require.NoError(t, l.client.Delete(t.Context(), operator(0)))
	l.create(operator(1))
	_, writes, _ = l.turn()
	require.Equal(t, asksForReload, writes)
}

func TestNoReloadIsAskedWhileAMonIsReplacedThoughThePhaseStaysReady(t *testing.T) {
	l := staleMemory(t)
	replaced := deployment("rook-ceph-mon-b", "242.0.0.2")
	require.NoError(t, l.client.Get(t.Context(), client.ObjectKeyFromObject(replaced), replaced))
	replaced.Spec.Replicas = new(int32(0))
	require.NoError(t, l.client.Update(t.Context(), replaced))
	again, writes, _ := l.turn()
	require.Empty(t, writes)
	require.Equal(t, 15*time.Second, again)

	replaced.Spec.Replicas = new(int32(1))
	require.NoError(t, l.client.Update(t.Context(), replaced))
	_, writes, _ = l.turn()
	require.Equal(t, asksForReload, writes)
}

func TestTheTokenForPeersIsToldToBeRightOnceRookHasReconciled(t *testing.T) {
	l := staleMemory(t)
	phase := func(phase string) {
		u := kinds.Object(cephCluster)
		require.NoError(t, l.client.Get(t.Context(), types.NamespacedName{Namespace: testNamespace, Name: testCluster}, u))
		require.NoError(t, unstructured.SetNestedField(u.Object, phase, "status", "phase"))
		require.NoError(t, l.client.Update(t.Context(), u))
	}
	l.turn()
	require.Zero(t, l.remembered().TokenRight)

	phase("Progressing")
	l.remember(rook.OperatorWrite{FromMemory: true})
	_, writes, told := l.turn()
	require.Empty(t, writes)
	require.Empty(t, told, "the token is written later in the same reconcile")

	phase("Ready")
	l.clock = noon.Add(time.Minute)
	_, writes, told = l.turn()
	require.Equal(t, []string{"patch " + rook.RememberedName}, writes)
	require.Equal(t, []string{"PeerTokenRight: Secret rook-ceph/cluster-peer-token-my-cluster tells the global IPs of the mons from now on, and may be copied to a peer"}, told)
	require.Equal(t, noon.Add(time.Minute), l.remembered().TokenRight)
	_, writes, told = l.turn()
	require.Empty(t, writes)
	require.Empty(t, told)

	l.remember(rook.OperatorWrite{FromMemory: true, Wrong: []rook.Endpoint{endpointB}})
	require.Zero(t, l.remembered().TokenRight, "another birth makes it wrong again")
}

func TestTheTokenIsNotTakenForRightByAPhaseOfBefore(t *testing.T) {
	l := staleMemory(t)
	l.remember(rook.OperatorWrite{FromMemory: true})
	progressing := interceptor.NewClient(l.client, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			err := c.List(ctx, list, opts...)
			if u, ok := list.(*unstructured.UnstructuredList); ok && u.GroupVersionKind().Group == rook.CephGroup {
				for i := range u.Items {
					_ = unstructured.SetNestedField(u.Items[i].Object, "Progressing", "status", "phase")
				}
			}
			return err
		},
	})
	l.reconciler.view = view.New(view.Readers{Cached: l.client, Live: progressing}, l.kinds)
	_, writes, told := l.turn()
	require.Empty(t, writes)
	require.Empty(t, told)
}

func TestTheTokenIsNotTakenForRightIfRookWroteMeanwhile(t *testing.T) {
	l := staleMemory(t)
	l.remember(rook.OperatorWrite{FromMemory: true})
	l.deny = func(write string) error {
		if write == "patch "+rook.RememberedName {
			return apierrors.NewConflict(schema.GroupResource{Resource: "configmaps"}, rook.RememberedName, nil)
		}
		return nil
	}
	again, _, told := l.turn()
	require.Equal(t, time.Second, again)
	require.Empty(t, told)
}

func TestAClusterThatWasNeverRememberedWronglyIsNotTalkedOf(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), deployment(monA, "242.0.0.1"), endpointsOf("a=242.0.0.1:6789"))
	_, writes, told := l.turn()
	require.Empty(t, writes)
	require.Empty(t, told)
}

func TestTheReloadConfigMapIsControlledByTheCephCluster(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	var created *corev1.ConfigMap
	watching := interceptor.NewClient(l.client, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			created = o.DeepCopyObject().(*corev1.ConfigMap)
			return c.Create(ctx, o, opts...)
		},
	})
	cluster := rook.Cluster{Namespace: testNamespace, Name: testCluster, UID: testUID}
	require.NoError(t, NewEnsurer(watching, l.client, l.kinds).requestReload(t.Context(), cluster))
	require.Equal(t, []metav1.OwnerReference{rook.ControlledBy(cluster)}, created.OwnerReferences)
	require.Equal(t, rook.Manager, created.Labels[rook.ManagedByLabel])
	err := l.client.Get(t.Context(), client.ObjectKeyFromObject(created), &corev1.ConfigMap{})
	require.True(t, apierrors.IsNotFound(err))
}

func TestWhatRookRemembersIsWrittenKeyByKey(t *testing.T) {
	l := staleMemory(t)
	before := l.remembered()
	asked, wrote := before, before
	asked.ReloadRequested = noon
	wrote.Mons = nil
	require.NoError(t, l.ensurer.NoteRemembered(t.Context(), testNamespace, before, asked))
	require.NoError(t, l.ensurer.NoteRemembered(t.Context(), testNamespace, before, wrote))
	found := &corev1.ConfigMap{}
	require.NoError(t, l.client.Get(t.Context(), types.NamespacedName{Namespace: testNamespace, Name: rook.RememberedName}, found))
	require.Equal(t, map[string]string{"operator-namespace": "rook-system", "written": "2026-03-01T12:00:00Z", "reload-requested": "2026-03-01T12:00:00Z"}, found.Data)
	require.Equal(t, rook.Manager, found.Labels[rook.ManagedByLabel])
	require.Empty(t, found.OwnerReferences, "its end must not make Rook reconcile")
	err := l.ensurer.noteRemembered(t.Context(), testNamespace, before.Version, before, wrote)
	require.True(t, apierrors.IsConflict(err), "%v", err)
}
