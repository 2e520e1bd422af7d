package scenarios_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
)

var replicaNumber atomic.Int32

// killReplicas ends the first n replicas as lost nodes would, and returns once the others alone serve.
func (s *story) killReplicas(n int) {
	s.t.Helper()
	for _, replica := range s.World.Replicas[:n] {
		require.NoError(s.t, replica.Kill())
	}
	s.World.Replicas = s.World.Replicas[n:]
	s.World.Plane.Serve(s.World.Replicas...)
}

func (s *story) addReplicas(n int, args ...string) {
	s.t.Helper()
	for range n {
		require.NoError(s.t, s.World.AddReplica(s.t.Context(), nextReplica(), slices.Concat(quickly, args)...))
	}
}

func nextReplica() string { return fmt.Sprintf("replica-again-%d", replicaNumber.Add(1)) }

func TestALeaderLostInTheMiddleLosesNothing(t *testing.T) {
	s := apart.newStory(t, alone, true)
	s.createCephCluster()
	s.startOperator()
	s.eventually("the first mon is born", func() bool { return s.Recorder.Born("a") > 0 })
	s.killReplicas(1)
	s.comesUp()
	s.addReplicas(1)
	s.everyDaemonIsGlobal()
}

// roll replaces the replicas one by one, as a rollout does: a new one serves before an old one is asked to stop.
func (s *story) roll(args ...string) {
	s.t.Helper()
	for _, old := range slices.Clone(s.World.Replicas) {
		s.addReplicas(1, args...)
		s.World.Replicas = slices.DeleteFunc(s.World.Replicas, func(r *controlplane.Replica) bool { return r == old })
		s.World.Plane.Serve(s.World.Replicas...)
		require.NoError(s.t, old.Stop())
	}
}

func TestARolloutInTheMiddleLosesNothingThoughARequestIsHeld(t *testing.T) {
	s := apart.newStory(t, alone, true)
	s.World.MCS.SetFault(s.Namespace, "rook-ceph-mon-b", mcsstandin.Fault{NeverValid: &mcsstandin.AwaitingExport})
	s.createCephCluster()
	s.startOperator()
	s.eventually("the second mon is held", func() bool { return strings.Contains(s.metrics(), "rook_clusterset_held_admissions 1") })
	started := time.Now()
	s.roll()
	t.Logf("all replicas were replaced in %s", time.Since(started).Round(time.Millisecond))
	s.World.MCS.SetFault(s.Namespace, "rook-ceph-mon-b", mcsstandin.Fault{})
	s.comesUp()
	s.everyDaemonIsGlobal()
	require.Equal(t, map[string]int{"ConfigMap": 1}, s.Operator.Journal().Refusals(), "whoever was held was sent to the next replica")
}

func TestWhileTheWebhookIsDownPodsReturnAndRooksWritesAreRefused(t *testing.T) {
	s := apart.newStory(t, alone, true)
	s.bringsUp()
	s.settled()
	s.killReplicas(len(s.World.Replicas))
	require.Contains(t, s.status(s.Namespace).Err, "Service rook-clusterset/rook-clusterset-webhook is answered by nobody")

	pods := func() []corev1.Pod {
		list := &corev1.PodList{}
		require.NoError(t, s.World.Plane.Client.List(t.Context(), list, client.InNamespace(s.Namespace), client.MatchingLabels{"ceph-osd-id": "0"}))
		return list.Items
	}
	before := pods()
	require.Len(t, before, 1)
	require.NoError(t, s.World.Plane.Client.Delete(t.Context(), &before[0], client.GracePeriodSeconds(0)))
	s.eventually("the pod is back", func() bool { now := pods(); return len(now) == 1 && now[0].UID != before[0].UID })

	refused := s.Operator.Journal().Refusals()["ConfigMap"]
	s.Operator.Reconcile()
	s.eventually("Rook's writes are refused", func() bool { return s.Operator.Journal().Refusals()["ConfigMap"] > refused })

	reconciled := s.Operator.Reconciled()
	s.addReplicas(2)
	s.eventually("Rook has reconciled again", func() bool { return s.Operator.Reconciled() > reconciled })
	s.everyDaemonIsGlobal()
}
