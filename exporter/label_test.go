package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// unmarked is what an earlier release made, by the one label that it set.
func unmarked(object client.Object) client.Object {
	labels := object.GetLabels()
	delete(labels, rook.ManagedLabel)
	object.SetLabels(labels)
	return object
}

func TestWhatAnEarlierReleaseMadeIsMarkedAtTheFirstTurn(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(unmarked(newExport(serviceExport, rookDaemon(osd0))), unmarked(rook.OSDService(rookDaemon(osd0), aCluster().cluster)), deployment(osd0, ""))
	_, writes, _ := l.turn()
	require.Contains(t, writes, "patch ServiceExport "+osd0)
	l.settle()
	require.True(t, rook.IsMarked(l.exportObject(osd0).GetLabels()))
	require.True(t, rook.IsMarked(l.service(osd0).Labels))
	_, writes, _ = l.turn()
	require.Empty(t, writes)
}

func TestNothingIsRemovedThatIsNotMarkedAsOurs(t *testing.T) {
	orphan := known(osd0, func(e *rook.Export) { e.OrphanedSince = noon.Add(-2 * time.Hour) })
	facts := aCluster()
	facts.services[osd0] = ownService(facts, osd0, "10.96.1.0")
	facts.exports[osd0] = orphan
	require.NotEmpty(t, makePlan(facts.of(osd0)).remove)

	orphan.Marked = false
	facts.exports[osd0] = orphan
	s := makePlan(facts.of(osd0))
	require.Empty(t, s.remove)
	require.Equal(t, []labelled{{uid: orphan.UID}}, s.label)
	require.Equal(t, time.Second, s.again)

	orphan.Marked = true
	facts.exports[osd0] = orphan
	unmarked(facts.services[osd0])
	s = makePlan(facts.of(osd0))
	require.Empty(t, s.remove)
	require.Equal(t, []labelled{{service: true, uid: facts.services[osd0].UID}}, s.label)
}

// Policy engines set the label by which tools tell what they manage to what they like.
func TestWhatAPolicyEngineOverwritesIsOursStillAndNoCauseForAQuarrel(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	export, service := newExport(serviceExport, rookDaemon(osd0)), rook.OSDService(rookDaemon(osd0), aCluster().cluster)
	for _, o := range []client.Object{export, service} {
		labels := o.GetLabels()
		labels[rook.ManagedByLabel] = "a-policy-engine"
		o.SetLabels(labels)
	}
	l.create(export, service, deployment(osd0, ""))
	_, writes, told := l.turn()
	require.Empty(t, writes)
	require.Empty(t, told)
	require.True(t, l.export(osd0).Ours)

	require.NoError(t, l.client.Delete(t.Context(), deployment(osd0, "")))
	l.clock = noon.Add(time.Hour)
	l.settle()
	l.clock = noon.Add(3 * time.Hour)
	_, writes, _ = l.turn()
	require.Equal(t, []string{"delete Service " + osd0, "delete ServiceExport " + osd0}, writes)
}
