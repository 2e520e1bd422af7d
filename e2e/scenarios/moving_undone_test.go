package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// replicas returns how many pods a Deployment is to have; none of one that is gone.
func (s *story) replicas(name string) int32 {
	s.t.Helper()
	d := &appsv1.Deployment{}
	if !s.has(s.Namespace, name, d) {
		return 0
	}
	return *d.Spec.Replicas
}

// A full reconcile of Rook starts every mon that it knows.
func TestAMonThatRookStartsAgainIsStoppedAgainThreeTimes(t *testing.T) {
	s := runsWithoutUs(t, 1, "1h")
	s.switchOn()
	for range 4 {
		s.eventually("the mon is stopped", func() bool { return s.replicas("rook-ceph-mon-a") == 0 })
		reconciled := s.Operator.Reconciled()
		s.Operator.Reconcile()
		s.eventually("Rook has reconciled and started the mon", func() bool {
			return s.Operator.Reconciled() > reconciled &&
				(s.replicas("rook-ceph-mon-a") == 1 || strings.Contains(s.noted("rook-ceph-mon-a", "move"), "undone"))
		})
	}
	s.eventually("it is left alone, and that is told", func() bool {
		return s.events()["MonMoveUndone"] == 1 && s.replicas("rook-ceph-mon-a") == 1
	})
	require.Regexp(t, `^failed=1 retry-at=`, s.noted("rook-ceph-mon-a", "move"))
	require.Contains(t, s.status(s.Namespace).Err,
		`: mon "a" waits, for it could not be replaced: why stands in the log of Rook's operator (until `)
	for _, id := range []string{"b", "c"} {
		require.EqualValues(t, 1, s.replicas("rook-ceph-mon-"+id))
	}
	require.Zero(t, s.Operator.Journal().Count(rookstandin.FailoverStarted))
}

func TestAMonThatRookDoesNotReplaceIsStartedAgain(t *testing.T) {
	doesNotLookAfterItsMons := func(o *rookstandin.Options) { o.Timing.HealthInterval = time.Hour }
	s := runsWithoutUs(t, alone, "1s", doesNotLookAfterItsMons)
	kill := s.aLeaderOfItsOwn("--migrate-slack=2s")
	s.switchOn()
	s.eventually("the mon is stopped", func() bool { return s.replicas("rook-ceph-mon-a") == 0 })
	kill()
	s.eventually("the mon is started again", func() bool { return s.replicas("rook-ceph-mon-a") == 1 })
	s.eventually("and left alone", func() bool { return strings.HasPrefix(s.noted("rook-ceph-mon-a", "move"), "failed=1 retry-at=") })
	s.eventually("that is told", func() bool { return s.events()["MonNotReplaced"] == 1 && s.events()["RetryLater"] == 1 })
	s.eventually("all mons are in quorum", func() bool { return s.inQuorum("a") && s.inQuorum("b") && s.inQuorum("c") })
}
