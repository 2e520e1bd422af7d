package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestTurnsCanBeTakenWithoutAQueue(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(monService(monA, "10.96.0.1"))
	var woken []types.NamespacedName
	turns := NewTurns(l.view, l.ensurer, l, TurnOptions{
		Options: Options{OrphanGrace: time.Hour}, Events: l, Now: func() time.Time { return noon },
		Wake: func(to types.NamespacedName) { woken = append(woken, to) },
	})
	mon := types.NamespacedName{Namespace: testNamespace, Name: monA}
	_, err := turns.Take(t.Context(), types.NamespacedName{Namespace: testNamespace})
	require.NoError(t, err)
	require.Equal(t, []types.NamespacedName{mon}, woken, "a turn of the namespace asks for those of its daemons")
	again, err := turns.Take(t.Context(), mon)
	require.NoError(t, err)
	require.Equal(t, createdPause, again)
	require.True(t, l.export(monA).Exists)
}

func TestAChangeIsDueWhereItMatters(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	turns := NewTurns(l.view, l.ensurer, l, TurnOptions{Events: l, Now: time.Now})
	whole := types.NamespacedName{Namespace: testNamespace}
	mon := types.NamespacedName{Namespace: testNamespace, Name: monA}
	written := deployment(monA, "242.0.0.1")
	looked := written.DeepCopy()
	looked.Status.ReadyReplicas = 1
	rewritten := written.DeepCopy()
	rewritten.Generation++
	for name, c := range map[string]struct {
		before, after client.Object
		want          []types.NamespacedName
	}{
		"a new Deployment of a mon, which tells the version of Rook": {after: written, want: []types.NamespacedName{mon, whole}},
		"one that is gone":           {before: written, want: []types.NamespacedName{mon, whole}},
		"one that was written again": {before: written, after: rewritten, want: []types.NamespacedName{mon, whole, mon, whole}},
		"not its status":             {before: written, after: looked},
		"a Service":                  {after: monService(monA, "10.96.0.1"), want: []types.NamespacedName{mon}},
		"the mon endpoints":          {after: endpointsOf("a=242.0.0.1:6789"), want: []types.NamespacedName{whole, mon}},
		"a namespace":                {after: enabledNamespace(), want: []types.NamespacedName{whole}},
		"a CephCluster":              {after: cephClusterObject(nil), want: []types.NamespacedName{whole}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, turns.Due(c.before, c.after))
		})
	}
	require.Panics(t, func() { turns.Due(nil, &appsv1.DaemonSet{}) })
}
