package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// owned are the owners that earlier releases gave, and one that somebody else gave.
func owned() []metav1.OwnerReference {
	return []metav1.OwnerReference{
		{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: testCluster, UID: testUID},
		{APIVersion: "v1", Kind: "ConfigMap", Name: "others", UID: "others-uid"},
	}
}

func (l *loop) service(name string) *corev1.Service {
	l.t.Helper()
	service := &corev1.Service{}
	require.NoError(l.t, l.client.Get(l.t.Context(), client.ObjectKey{Namespace: testNamespace, Name: name}, service))
	return service
}

func TestWhatAnEarlierReleaseMadeLosesItsOwnerAtTheFirstTurn(t *testing.T) {
	for name, objects := range map[string][]client.Object{
		"with its CephCluster":    {enabledNamespace(), cephClusterObject(nil)},
		"without its CephCluster": {enabledNamespace()},
		"with one that is going":  {enabledNamespace(), dying(cephClusterObject(nil))},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t, objects...)
			export := l.made(osd0)
			service := rook.OSDService(rookDaemon(osd0), aCluster().cluster)
			service.OwnerReferences = owned()
			l.create(export, service, deployment(osd0, ""))
			mon := monService(monA, "10.96.0.1")
			l.create(mon)

			_, writes, _ := l.turn()
			require.Contains(t, writes, "patch Service "+osd0)
			require.Contains(t, writes, "patch ServiceExport "+osd0)
			require.Equal(t, owned()[1:], l.exportObject(osd0).GetOwnerReferences(), "what others gave stays")
			require.Equal(t, owned()[1:], l.service(osd0).OwnerReferences)
			require.Equal(t, mon.OwnerReferences, l.service(monA).OwnerReferences, "the Service of a mon is Rook's")
			l.settle()
		})
	}
}

func TestExportsOutliveTheirCephClusterWhileTheirDaemonsLive(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	service, mon, osd := monService(monA, "10.96.0.1"), deployment(monA, "242.0.0.1"), deployment(osd0, "242.0.1.0")
	for _, o := range []client.Object{service, mon, osd} {
		// As Rook's recovery of a deleted CephCluster makes them.
		o.SetOwnerReferences(nil)
	}
	l.create(service, mon, osd)
	l.answers = map[string]string{monA: "242.0.0.1", osd0: "242.0.1.0"}
	l.settle()
	l.report(monA, "True", "Valid")
	l.report(osd0, "True", "Valid")
	l.settle()
	before := []rook.Export{l.export(monA), l.export(osd0)}

	require.NoError(t, l.client.Delete(t.Context(), cephClusterObject(nil)))
	for _, later := range []time.Duration{0, time.Hour, 24 * time.Hour} {
		l.clock = noon.Add(later)
		_, writes, told := l.turn()
		require.Empty(t, writes)
		require.Empty(t, told)
	}
	again := cephClusterObject(nil)
	again.SetUID("another-uid")
	l.create(again)
	l.settle()
	after := []rook.Export{l.export(monA), l.export(osd0)}
	require.Equal(t, before, after)
}

func TestOrphansAreRemovedAfterTheGraceThoughThereIsNoCephCluster(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	osd, mon, service := deployment(osd0, "242.0.1.0"), deployment(monA, "242.0.0.1"), monService(monA, "10.96.0.1")
	l.create(osd, mon, service)
	l.settle()
	require.NoError(t, l.client.Delete(t.Context(), cephClusterObject(nil)))
	require.NoError(t, l.client.Delete(t.Context(), osd))
	again, _, _ := l.turn()
	require.Equal(t, time.Hour, again)
	require.Equal(t, noon, l.export(osd0).OrphanedSince)
	require.NoError(t, l.client.Delete(t.Context(), mon))
	require.NoError(t, l.client.Delete(t.Context(), service))
	l.clock = noon.Add(59 * time.Minute)
	l.settle()

	l.clock = noon.Add(time.Hour)
	l.restart()
	_, writes, told := l.turn()
	require.Equal(t, []string{"delete Service " + osd0, "delete ServiceExport " + osd0}, writes)
	require.Equal(t, []string{`OrphanRemoved: osd "0" lost its daemon and was removed after the grace period: ServiceExport rook-ceph/rook-ceph-osd-0`}, told)
	require.True(t, l.export(monA).Exists, "its grace began later")

	l.clock = noon.Add(2 * time.Hour)
	_, writes, _ = l.turn()
	require.Equal(t, []string{"delete ServiceExport " + monA}, writes)
}

func TestNothingIsMadeWhereThereIsNoCephCluster(t *testing.T) {
	l := newLoop(t, enabledNamespace())
	l.create(monService(monA, "10.96.0.1"), deployment(osd0, ""), l.made(osd1), deployment(osd1, ""))
	l.answers = map[string]string{osd1: "242.0.1.1"}
	l.report(osd1, "True", "Valid")
	_, writes, told := l.turn()
	require.NotContains(t, writes, "create ServiceExport "+monA)
	require.NotContains(t, writes, "apply Service "+osd0)
	require.Empty(t, told)
	require.Empty(t, l.asked())
}
