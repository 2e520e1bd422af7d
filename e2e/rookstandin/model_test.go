package rookstandin

import (
	"testing"

	"github.com/stretchr/testify/require"
)

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
