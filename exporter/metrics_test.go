package exporter

import (
	"bytes"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

func TestTheMetricsTellTheStateOfEachDaemon(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	drifted := newExport(serviceExport, rookDaemon(monA))
	drifted.SetAnnotations(rook.Export{Identity: rook.IdentityClusterset, GlobalIP: addr("242.0.0.1"), Pinned: true, Drift: addr("242.0.0.9")}.Annotations())
	doubtful := newExport(serviceExport, rookDaemon("rook-ceph-mon-b"))
	doubtful.SetAnnotations(rook.Export{
		Identity: rook.IdentityClusterset, GlobalIP: addr("242.0.0.2"), Pinned: true, Refused: reason.SourcesDisagree,
	}.Annotations())
	right := newExport(serviceExport, rookDaemon(osd1))
	right.SetAnnotations(rook.Export{GlobalIP: addr("242.0.1.1")}.Annotations())
	l.create(drifted, doubtful, right, deployment(osd1, "242.0.1.1"), newExport(serviceExport, rookDaemon(osd0)))
	l.report(osd1, "True", "Valid")
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(view.States{View: l.view}))
	require.NoError(t, newCounters().register(registry))
	require.NoError(t, testutil.GatherAndCompare(registry, bytes.NewBufferString(`
# HELP rook_clusterset_cluster_state 1 for each CephCluster in an enabled namespace; state is served, or why it is left alone.
# TYPE rook_clusterset_cluster_state gauge
rook_clusterset_cluster_state{cluster="my-cluster",namespace="rook-ceph",state="served"} 1
# HELP rook_clusterset_daemon_state 1 for each mon and OSD; state is ok, or what keeps it from advertising its global IP.
# TYPE rook_clusterset_daemon_state gauge
rook_clusterset_daemon_state{daemon="rook-ceph-mon-a",namespace="rook-ceph",state="address_drifted"} 1
rook_clusterset_daemon_state{daemon="rook-ceph-mon-b",namespace="rook-ceph",state="sources_disagree"} 1
rook_clusterset_daemon_state{daemon="rook-ceph-osd-0",namespace="rook-ceph",state="export_not_valid"} 1
rook_clusterset_daemon_state{daemon="rook-ceph-osd-1",namespace="rook-ceph",state="ok"} 1
# HELP rook_clusterset_mon_drift 1 for each mon of which a source says now that its global IP is not the one that it was born with.
# TYPE rook_clusterset_mon_drift gauge
rook_clusterset_mon_drift{daemon="rook-ceph-mon-a",namespace="rook-ceph"} 1
rook_clusterset_mon_drift{daemon="rook-ceph-mon-b",namespace="rook-ceph"} 1
`)))
}

func TestEachQuestionIsCountedByItsOutcome(t *testing.T) {
	c := newCounters()
	c.resolved("GlobalIngressIP", nil)
	c.resolved("GlobalIngressIP", nil)
	c.resolved("DNS", reason.Errorf(reason.DNSTimeout, "after 3s"))
	c.resolved("", reason.Errorf(reason.SourcesDisagree, "two"))
	require.NoError(t, testutil.CollectAndCompare(c.resolutions, bytes.NewBufferString(`
# HELP rook_clusterset_resolutions_total How often a global IP was asked for, by the source that the outcome is due to and why an answer was taken or not.
# TYPE rook_clusterset_resolutions_total counter
rook_clusterset_resolutions_total{reason="address_resolved",source="GlobalIngressIP"} 2
rook_clusterset_resolutions_total{reason="dns_timeout",source="DNS"} 1
rook_clusterset_resolutions_total{reason="sources_disagree",source="none"} 1
`)))
}

func TestATurnCountsWhatItAsked(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), deployment(osd0, "10.0.0.1"), newExport(serviceExport, rookDaemon(osd0)))
	l.settle()
	l.report(osd0, "True", "Valid")
	l.answers[osd0] = "242.0.1.0"
	l.settle()
	require.Positive(t, testutil.ToFloat64(l.metrics.resolutions.WithLabelValues("GlobalIngressIP", string(reason.AddressResolved))))
}

func TestANamespaceThatIsSwitchedOffIsMeasuredByItsExports(t *testing.T) {
	l := newLoop(t, cephClusterObject(nil), newExport(serviceExport, rookDaemon(monA)), newExport(serviceExport, rookDaemon(osd0)), foreignExport(osd1))
	require.NoError(t, l.client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: testNamespace}}))
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(view.States{View: l.view}))
	require.NoError(t, testutil.GatherAndCompare(registry, bytes.NewBufferString(`
# HELP rook_clusterset_left_exports How many exports of rook-clusterset live in a namespace that is switched off; there is none of a namespace without any.
# TYPE rook_clusterset_left_exports gauge
rook_clusterset_left_exports{namespace="rook-ceph"} 2
`)))
}
