package scenarios_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
)

// lease returns the lease of the exporter.
func (s *story) lease() *coordinationv1.Lease {
	s.t.Helper()
	return get(s, controlplane.Namespace, "rook-clusterset-exporter", &coordinationv1.Lease{})
}

func TestALostLeaseEndsATermAndNotTheProcess(t *testing.T) {
	s := apart.newStory(t, alone, true)
	s.killReplicas(1)
	killed := time.Now()
	t.Cleanup(func() {
		require.NoError(t, s.World.AddReplica(context.WithoutCancel(t.Context()), "replica-in-place", quickly...))
	})
	// Whoever is left has the lease once that of the killed one has run out.
	s.eventually("the last replica leads", func() bool { return s.lease().Spec.RenewTime.After(killed.Add(3 * time.Second)) })
	pid, leader := s.World.Replicas[0].PID(), *s.lease().Spec.HolderIdentity

	const thief = "a replica of which nobody knows"
	// The one that leads renews it meanwhile.
	require.NoError(t, retry.RetryOnConflict(retry.DefaultRetry, func() error {
		stolen := s.lease()
		stolen.Spec.HolderIdentity, stolen.Spec.RenewTime = new(thief), new(metav1.NowMicro())
		return s.World.Plane.Client.Update(t.Context(), stolen)
	}))
	began := time.Now()
	s.createCephCluster()
	s.startOperator()
	s.eventually("the replica leads again", func() bool { return *s.lease().Spec.HolderIdentity == leader })
	t.Logf("led again %s after the lease was lost", time.Since(began).Round(100*time.Millisecond))
	require.Empty(t, s.World.Plane.EndedReplicas())
	require.Equal(t, pid, s.World.Replicas[0].PID())
	s.comesUp()
	s.everyDaemonIsGlobal()
}
