package exporter

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestAdmissionEnsuresWhatTheLoopWouldMake(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	cluster := aCluster().cluster
	for range 2 {
		require.NoError(t, l.ensurer.EnsureExport(t.Context(), rookDaemon(osd0), cluster))
		require.NoError(t, l.ensurer.EnsureExport(t.Context(), rookDaemon(monA), cluster))
	}
	for _, name := range []string{osd0, monA} {
		export := l.exportObject(name)
		require.True(t, ours(export))
		require.Empty(t, export.GetOwnerReferences(), "nothing of ours ends with the CephCluster")
	}
	var services corev1.ServiceList
	require.NoError(t, l.client.List(t.Context(), &services))
	require.Len(t, services.Items, 1, "the Service of a mon is Rook's to create")
	require.Empty(t, services.Items[0].OwnerReferences)
	require.True(t, satisfies(&services.Items[0], rook.OSDService(rookDaemon(osd0), cluster)))
}

func TestEnsuringAnExportTakesNothingAwayThatTheLeaderNoted(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	cluster := aCluster().cluster
	noted := rook.Export{Identity: rook.IdentityClusterset, GlobalIP: addr("242.0.0.1"), Source: "GlobalIngressIP"}
	require.NoError(t, l.ensurer.EnsureExport(t.Context(), rookDaemon(monA), cluster))
	require.NoError(t, l.ensurer.applyExport(t.Context(), rookDaemon(monA), noted))
	require.NoError(t, l.ensurer.EnsureExport(t.Context(), rookDaemon(monA), cluster))
	require.Equal(t, noted.Annotations(), l.exportObject(monA).GetAnnotations())

	noted.GlobalIP, noted.Source = addr("242.0.0.2"), ""
	require.NoError(t, l.ensurer.applyExport(t.Context(), rookDaemon(monA), noted))
	require.Equal(t, noted.Annotations(), l.exportObject(monA).GetAnnotations(), "what is no longer noted goes")
}

func TestEnsuringLeavesAloneWhatOthersCreated(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: testNamespace, Name: osd0}
	export := kinds.Object(serviceExport)
	export.SetNamespace(testNamespace)
	export.SetName(osd0)
	for name, c := range map[string]struct {
		object client.Object
		code   reason.Code
	}{
		"a Service":       {&corev1.Service{ObjectMeta: meta}, reason.ServiceForeign},
		"a ServiceExport": {export, reason.ExportForeign},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t)
			l.create(c.object)
			err := l.ensurer.EnsureExport(t.Context(), rookDaemon(osd0), aCluster().cluster)
			refusal, ok := errors.AsType[*reason.Error](err)
			require.True(t, ok, "got %v", err)
			require.Equal(t, c.code, refusal.Code)
		})
	}
}

func TestWithoutTheKindNothingIsEnsured(t *testing.T) {
	l := newLoop(t)
	delete(l.kinds, kinds.ServiceExport)
	err := l.ensurer.EnsureExport(t.Context(), rookDaemon(osd0), aCluster().cluster)
	refusal, ok := errors.AsType[*reason.Error](err)
	require.True(t, ok, "got %v", err)
	require.Equal(t, reason.NoServiceExportKind, refusal.Code)
	require.Empty(t, l.writes)
}

// firstMon is what is known of a mon that is to be born.
func firstMon() map[string]rook.DaemonFacts {
	return map[string]rook.DaemonFacts{"a": {
		Export: rook.Export{
			Exists: true, Ours: true, Identity: rook.IdentityClusterset, GlobalIP: addr("242.0.0.1"), Valid: metav1.ConditionTrue,
		},
		ClusterIPs: []netip.Addr{addr("10.96.0.1")}, Port: 6789, ServiceOwner: testUID,
	}}
}

func TestTheFirstMonIsStoredThoughOthersWriteAtTheSameTime(t *testing.T) {
	l := newLoop(t, endpointsOf(""))
	key := types.NamespacedName{Namespace: testNamespace, Name: rook.MonEndpointsName}
	races, writes := 0, 0
	racing := interceptor.NewClient(l.client, interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			if races++; races == 1 {
				other := &corev1.ConfigMap{}
				require.NoError(t, c.Get(ctx, key, other))
				other.Data[rook.EndpointsMaxMonIDKey] = "-1"
				require.NoError(t, c.Update(ctx, other))
			}
			writes++
			return c.Update(ctx, o, opts...)
		},
	})
	ensurer := NewEnsurer(racing, l.client, l.kinds)
	require.NoError(t, ensurer.StoreEndpoints(t.Context(), aCluster().cluster, firstMon()))
	stored := &corev1.ConfigMap{}
	require.NoError(t, l.client.Get(t.Context(), key, stored))
	require.Equal(t, map[string]string{rook.EndpointsDataKey: "a=242.0.0.1:6789", rook.EndpointsMaxMonIDKey: "-1", rook.EndpointsCSIKey: ""}, stored.Data)

	before := writes
	require.NoError(t, ensurer.StoreEndpoints(t.Context(), aCluster().cluster, firstMon()))
	require.Equal(t, before, writes, "what is right already is not written again, however often it is asked for")
}

func TestTheFirstMonIsStoredWhereThereIsNoList(t *testing.T) {
	l := newLoop(t)
	require.NoError(t, l.ensurer.StoreEndpoints(t.Context(), aCluster().cluster, map[string]rook.DaemonFacts{}))
	require.Empty(t, l.writes)
	require.NoError(t, l.ensurer.StoreEndpoints(t.Context(), aCluster().cluster, firstMon()))
	stored := &corev1.ConfigMap{}
	require.NoError(t, l.client.Get(t.Context(), types.NamespacedName{Namespace: testNamespace, Name: rook.MonEndpointsName}, stored))
	require.Equal(t, "a=242.0.0.1:6789", stored.Data[rook.EndpointsDataKey])
}

func TestAFailureToStoreNamesTheObject(t *testing.T) {
	l := newLoop(t)
	l.deny = func(string) error { return apierrors.NewInternalError(errors.New("etcd is on holiday")) }
	err := l.ensurer.StoreEndpoints(t.Context(), aCluster().cluster, firstMon())
	require.ErrorContains(t, err, "store ConfigMap rook-ceph/rook-ceph-mon-endpoints: ")
}
