package exporter

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestAMonIsWhatItsServiceItsExportAndItsDeploymentTell(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	export := newExport(serviceExport, daemonOf("rook-ceph-mon-c"), aCluster().cluster)
	export.SetAnnotations(map[string]string{rook.IdentityAnnotation: "clusterset", rook.GlobalIPAnnotation: "242.0.0.3"})
	canary := deployment("rook-ceph-mon-d", "")
	canary.Name += "-canary"
	canary.Labels[rook.CanaryLabel] = "true"
	floating := monService("rook-ceph-mon-e", "10.96.0.5")
	floating.Labels[rook.AppLabel] = rook.FloatingMonApp
	l.create(monService(monA, "10.96.0.1"), deployment("rook-ceph-mon-b", "242.0.0.2"), export, canary, floating, deployment(osd0, "242.0.1.0"))

	mons, err := l.view.Mons(t.Context(), testNamespace)
	require.NoError(t, err)
	require.Equal(t, map[string]rook.DaemonFacts{
		"a": {ClusterIPs: clusterIPs(monService(monA, "10.96.0.1"))},
		"b": {Deployed: true, Address: addr("242.0.0.2")},
		"c": {Export: rook.Export{Exists: true, Ours: true, Identity: rook.IdentityClusterset, GlobalIP: addr("242.0.0.3")}},
		"e": {Export: rook.Export{Identity: rook.IdentityCluster}, ClusterIPs: clusterIPs(floating)},
	}, mons)
}

func TestTheClusterIPsOfMonsAreKnownInEveryNamespace(t *testing.T) {
	l := newLoop(t)
	elsewhere := monService(monA, "10.96.0.9")
	elsewhere.Namespace = "not-switched-on"
	l.create(monService(monA, "10.96.0.1"), elsewhere)
	holders, err := l.view.MonClusterIPs(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[netip.Addr]string{addr("10.96.0.1"): testNamespace, addr("10.96.0.9"): "not-switched-on"}, holders)
}

func TestWhatIsNotThereIsNilAndNoError(t *testing.T) {
	l := newLoop(t)
	delete(l.kinds, CephCluster)
	delete(l.kinds, resolver.ServiceExport)
	ctx := t.Context()
	enabled, err := l.view.Enabled(ctx, testNamespace)
	require.NoError(t, err)
	require.False(t, enabled)
	cluster, err := l.view.Cluster(ctx, testNamespace)
	require.NoError(t, err)
	require.Nil(t, cluster)
	d, err := l.view.Deployment(ctx, testNamespace, osd0)
	require.NoError(t, err)
	require.Nil(t, d)
	endpoints, err := l.view.MonEndpoints(ctx, testNamespace)
	require.NoError(t, err)
	require.Nil(t, endpoints)
	export, err := l.view.Export(ctx, testNamespace, osd0)
	require.NoError(t, err)
	require.Zero(t, export)
	exports, err := l.view.Exports(ctx, testNamespace)
	require.NoError(t, err)
	require.Empty(t, exports)
}

func TestOnlyNamespacesThatAreSwitchedOnAreEnabled(t *testing.T) {
	off := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "off", Labels: map[string]string{rook.EnabledLabel: "false"}}}
	l := newLoop(t, enabledNamespace(), off)
	names, err := l.view.EnabledNamespaces(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{testNamespace}, names)
	enabled, err := l.view.Enabled(t.Context(), "off")
	require.NoError(t, err)
	require.False(t, enabled)
}

func TestTheCachesKeepNothingThatIsNotRead(t *testing.T) {
	d := deployment(osd0, "")
	d.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "rook"}}
	d.Annotations = map[string]string{rookLastApplied: "all of it once more", "kept": "yes"}
	trimmed, err := trimDeployment(d)
	require.NoError(t, err)
	require.Empty(t, trimmed.(*appsv1.Deployment).ManagedFields)
	require.Equal(t, map[string]string{"kept": "yes"}, trimmed.(*appsv1.Deployment).Annotations)

	crd := definition(exportsCRD, "v1alpha1")
	crd.Spec.Versions[0].Schema = &apiextensionsv1.CustomResourceValidation{}
	crd.Annotations = map[string]string{"big": "yes"}
	trimmed, err = trimDefinition(crd)
	require.NoError(t, err)
	require.Equal(t, definition(exportsCRD, "v1alpha1"), trimmed)
	require.True(t, CacheOptions().ReaderFailOnMissingInformer)
}

func TestTheMetricsTellTheStateOfEachExport(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	ready := newExport(serviceExport, daemonOf(monA), aCluster().cluster)
	drifted := rook.Export{Identity: rook.IdentityClusterset, GlobalIP: addr("242.0.0.1"), Pinned: true, Drift: addr("242.0.0.9")}
	ready.SetAnnotations(drifted.Annotations())
	l.create(ready, newExport(serviceExport, daemonOf(osd0), aCluster().cluster))
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(gauges{view: l.view}))
	require.NoError(t, newCounters().register(registry))
	require.NoError(t, testutil.GatherAndCompare(registry, bytes.NewBufferString(`
# HELP rook_clusterset_cluster 1 for each CephCluster in an enabled namespace; state is served, or why it is left alone.
# TYPE rook_clusterset_cluster gauge
rook_clusterset_cluster{cluster="my-cluster",namespace="rook-ceph",state="served"} 1
# HELP rook_clusterset_export 1 for each daemon that is exported; state is ready, or why it cannot advertise a global IP.
# TYPE rook_clusterset_export gauge
rook_clusterset_export{daemon="rook-ceph-mon-a",namespace="rook-ceph",state="ready"} 1
rook_clusterset_export{daemon="rook-ceph-osd-0",namespace="rook-ceph",state="export_not_valid"} 1
# HELP rook_clusterset_mon_drift 1 for each mon whose export has another global IP now than the mon was born with.
# TYPE rook_clusterset_mon_drift gauge
rook_clusterset_mon_drift{daemon="rook-ceph-mon-a",namespace="rook-ceph"} 1
`)))
}
