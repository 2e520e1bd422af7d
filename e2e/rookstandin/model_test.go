package rookstandin

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestTheModelWritesWhatRookWritesWithoutAGoroutine(t *testing.T) {
	ctx := t.Context()
	s := newStage(t)
	s.serve("a", "b", "c")
	started := time.Now()
	m, err := NewModel(ctx, Options{
		Client: s.client, AssumePods: s.site.client, Nodes: []Node{{Name: "node-0", Address: "192.0.2.1"}}, OSDs: []OSD{{ID: "0"}},
	})
	require.NoError(t, err)
	require.Error(t, m.Reconcile(ctx), "the first address is refused")
	for range 10 {
		if m.Wanted() {
			require.NoError(t, m.Reconcile(ctx))
		}
		if s.stale.Load() {
			require.NoError(t, makeOwned(ctx, m.Client()))
			s.stale.Store(false)
		}
	}
	written := slices.DeleteFunc(reduce(s.made()).story, func(line string) bool { return strings.HasSuffix(line, " reload") })
	for _, line := range diff(readLines(t, "testdata/recordings/rook-1.20.6-new-cluster.story"), written) {
		require.Regexp(t, allowed[1].line, line)
	}
	require.Greater(t, m.Elapsed(), time.Duration(0))
	t.Logf("%s in %s", m.Elapsed(), time.Since(started).Round(time.Millisecond))
}

func modelOf(tb testing.TB, s *site, see func(Entry)) *Model {
	s.createCluster(tb)
	m, err := NewModel(tb.Context(), Options{Client: s.client, AssumePods: s.client, OnEntry: see})
	require.NoError(tb, err)
	return m
}

func TestReadyLastsNoTimeWhereAReconcileIsWanted(t *testing.T) {
	s := newSite(t, nil)
	var m *Model
	var seen []string
	m = modelOf(t, s, func(e Entry) {
		if e.Event == ReconcileSucceeded && len(seen) == 1 {
			require.NoError(t, makeOwned(t.Context(), m.Client()))
		}
		if e.Event == ReconcileSucceeded || e.Event == Loaded {
			seen = append(seen, textAt(s.cluster(t).Object, "status", "phase")+" "+m.Elapsed().String())
		}
	})
	require.NoError(t, m.Reconcile(t.Context()))
	require.True(t, m.Wanted())
	require.NoError(t, m.Reconcile(t.Context()))
	require.Equal(t, []string{"Progressing 0s", "Ready 150ms", "Progressing 150ms", "Ready 300ms"}, seen)
}

func BenchmarkANewClusterOfTheModel(b *testing.B) {
	for b.Loop() {
		require.NoError(b, modelOf(b, newSite(b, nil), nil).Reconcile(b.Context()))
	}
}

// makeOwned creates something that the CephCluster owns, and deletes it.
func makeOwned(ctx context.Context, c client.Client) error {
	owned := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace: "rook-ceph", Name: "reload", OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "my-cluster", UID: clusterUID},
		},
	}}
	if err := c.Create(ctx, owned); err != nil {
		return err
	}
	return c.Delete(ctx, owned)
}
