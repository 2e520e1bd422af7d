package rookstandin_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/recorder"
)

func TestBothStandinsOnARealAPIServer(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a whole control plane")
	}
	ctx := t.Context()
	plane, err := controlplane.Start(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, plane.Stop()) })
	cfg, c := plane.Config, plane.Client
	require.NoError(t, mcsstandin.Install(cfg, mcsstandin.V1Beta1))
	require.NoError(t, rookstandin.Install(ctx, cfg, "rook-ceph", "rook-system"))
	require.NoError(t, ceph.PlayKubelet(ctx, c, "rook-ceph", rookstandin.DefaultNodes))
	recorder, err := recorder.Start(ctx, c, "rook-ceph", "rook-system")
	require.NoError(t, err)
	clusterset, err := mcsstandin.Start(ctx, mcsstandin.Options{Config: cfg})
	require.NoError(t, err)

	require.NoError(t, c.Create(ctx, rookstandin.NewCephCluster("rook-ceph", "my-cluster")))
	started := time.Now()
	operator, err := rookstandin.Start(ctx, rookstandin.Options{
		Config: cfg, AsOperator: true, OperatorNamespace: "rook-system",
		Timing: rookstandin.Timing{MonOutTimeout: time.Second},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			for _, e := range operator.Journal().Entries() {
				t.Log(e)
			}
		}
	})
	eventually := func(what string, holds func() bool) {
		t.Helper()
		require.Eventually(t, holds, time.Minute, 20*time.Millisecond, what)
	}

	eventually("the cluster is Ready", func() bool { return operator.Reconciled() > 0 })
	t.Logf("3 mons and 3 OSDs after %s", time.Since(started).Round(time.Millisecond))
	require.Empty(t, operator.Journal().Refusals())
	require.Len(t, operator.Memory(), 3)
	services := netip.MustParsePrefix("10.96.0.0/16")
	for id, endpoint := range operator.Memory() {
		require.True(t, services.Contains(endpoint.Addr()))
		advertised, _ := operator.Ceph().Advertised(id)
		require.Equal(t, endpoint.Addr(), advertised)
	}
	eventually("3 OSDs are up", func() bool { return len(operator.Ceph().OSDMap()) == 3 })
	time.Sleep(time.Second)
	require.Equal(t, 1, operator.Reconciled(), "nothing makes a new cluster reconcile again")
	require.Equal(t, []string{"a", "b", "c"}, recorder.Mons())
	require.NotEmpty(t, recorder.ClusterIPsAfterBirth())

	t.Run("an exported mon gets a global IP at once", func(t *testing.T) {
		export(t, c, "rook-ceph-mon-a")
		exported := time.Now()
		require.Eventually(t, func() bool {
			_, ok := clusterset.GlobalIP("rook-ceph", "rook-ceph-mon-a")
			return ok
		}, 5*time.Second, time.Millisecond)
		t.Logf("allocated after %s", time.Since(exported).Round(time.Millisecond))
		require.Less(t, time.Since(exported), time.Second)
		internal := &corev1.Service{}
		key := client.ObjectKey{Namespace: "rook-ceph", Name: mcsstandin.InternalServiceName("rook-ceph-mon-a")}
		require.NoError(t, c.Get(ctx, key, internal))
		ip, _ := clusterset.GlobalIP("rook-ceph", "rook-ceph-mon-a")
		require.Equal(t, []string{ip.String()}, internal.Spec.ExternalIPs)
		require.Eventually(t, func() bool {
			slices := &discoveryv1.EndpointSliceList{}
			err := c.List(ctx, slices, client.InNamespace("rook-ceph"), client.MatchingLabels{"multicluster.kubernetes.io/service-name": "rook-ceph-mon-a"})
			return err == nil && len(slices.Items) == 1 && slices.Items[0].Endpoints[0].Addresses[0] == ip.String()
		}, 5*time.Second, 10*time.Millisecond)
	})

	t.Run("an update of an OSD ends when the generation has moved, and leaves its pod", func(t *testing.T) {
		key := client.ObjectKey{Namespace: "rook-ceph", Name: "rook-ceph-osd-0"}
		before := &appsv1.Deployment{}
		require.NoError(t, c.Get(ctx, key, before))
		changed := before.DeepCopy()
		changed.Spec.Template.Spec.Containers[0].Args = append(changed.Spec.Template.Spec.Containers[0].Args, "--public-addr=242.0.0.77")
		require.NoError(t, c.Update(ctx, changed))
		done := operator.Reconciled()
		operator.Reconcile()
		eventually("a reconcile", func() bool { return operator.Reconciled() > done })
		after := &appsv1.Deployment{}
		require.NoError(t, c.Get(ctx, key, after))
		require.Greater(t, after.Generation, before.Generation)
		require.Equal(t, before.Spec.Template, after.Spec.Template)
	})

	t.Run("a mon that dies is replaced, and a full reconcile follows", func(t *testing.T) {
		done := operator.Reconciled()
		operator.Ceph().Kill("b")
		eventually("the mon is removed", func() bool { return operator.Journal().Count(rookstandin.MonRemoved) > 0 })
		eventually("a reconcile", func() bool { return operator.Reconciled() > done })
		require.ElementsMatch(t, []string{"a", "c", "d"}, keys(operator.Memory()))
		eventually("the old Deployment is gone", func() bool {
			return c.Get(ctx, client.ObjectKey{Namespace: "rook-ceph", Name: "rook-ceph-mon-b"}, &appsv1.Deployment{}) != nil
		})
		reasons := operator.Journal().Of(rookstandin.Triggered)
		require.True(t, slices.ContainsFunc(reasons, func(e rookstandin.Entry) bool { return strings.HasSuffix(e.Object, "rook-ceph-mon-b") }))
	})

	t.Run("and its operator writes with the rights of Rook's alone", func(t *testing.T) {
		require.Empty(t, operator.Journal().Refusals())
		require.Empty(t, operator.Journal().Of(rookstandin.Continued))
	})
}

func export(t *testing.T, c client.Client, name string) {
	t.Helper()
	export := rookstandin.NewCephCluster("rook-ceph", name)
	export.SetAPIVersion("multicluster.x-k8s.io/v1beta1")
	export.SetKind("ServiceExport")
	delete(export.Object, "spec")
	require.NoError(t, c.Create(t.Context(), export))
}

func keys[V any](m map[string]V) []string {
	var all []string
	for key := range m {
		all = append(all, key)
	}
	return all
}
