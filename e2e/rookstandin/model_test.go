package rookstandin

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheModelWritesWhatRookWritesWithoutAGoroutine(t *testing.T) {
	ctx := t.Context()
	s := newStage(t)
	s.serve("a", "b", "c")
	started := time.Now()
	m, err := NewModel(ctx, Options{
		Client: s.client, Kubelet: Assumed{Client: s.site.client}, Nodes: []Node{{Name: "node-0", Address: "192.0.2.1"}}, OSDs: []OSD{{ID: "0"}},
	})
	require.NoError(t, err)
	require.Error(t, m.Reconcile(ctx), "the first address is refused")
	for range 10 {
		if m.Wanted() {
			require.NoError(t, m.Reconcile(ctx))
		}
		if s.is(&s.stale) {
			require.NoError(t, makeOwned(ctx, m.Client()))
			s.set(&s.stale, false)
		}
	}
	written := slices.DeleteFunc(reduce(s.made()).story, func(line string) bool { return strings.HasSuffix(line, " reload") })
	for _, line := range diff(readLines(t, "testdata/recordings/rook-1.20.6-new-cluster.story"), written) {
		require.Regexp(t, allowed[1].line, line)
	}
	require.Greater(t, m.Elapsed(), time.Duration(0))
	t.Logf("%s in %s", m.Elapsed(), time.Since(started).Round(time.Millisecond))
}

func BenchmarkANewClusterOfTheModel(b *testing.B) {
	for b.Loop() {
		s := newSite(b, nil)
		cluster := NewCephCluster("rook-ceph", "my-cluster")
		cluster.SetUID(clusterUID)
		cluster.SetGeneration(1)
		require.NoError(b, s.client.Create(b.Context(), cluster))
		m, err := NewModel(b.Context(), Options{Client: s.client, Kubelet: Assumed{Client: s.client}})
		require.NoError(b, err)
		require.NoError(b, m.Reconcile(b.Context()))
	}
}
