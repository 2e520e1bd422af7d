package scenarios_test

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// global waits until the operator knows as many mons, each by its global IP, and asserts that no other was ever told.
func (s *story) global(mons int) {
	s.t.Helper()
	s.settled()
	s.eventually("the mons are as many as they should be", func() bool { return len(s.Operator.Memory()) == mons })
	s.everyMonIsGlobal(slices.Sorted(maps.Keys(s.Operator.Memory()))...)
}

// loses kills a mon, and waits until Rook has replaced it by itself.
func (s *story) loses(mon string) {
	s.t.Helper()
	refusals := s.Operator.Journal().Count(rookstandin.Refused)
	s.Ceph.Kill(mon)
	s.eventually("the mon is replaced", func() bool { return s.Operator.Journal().Count(rookstandin.MonRemoved) > 0 })
	require.Equal(s.t, refusals, s.Operator.Journal().Count(rookstandin.Refused), "a failover is never refused")
	require.Zero(s.t, s.Operator.Journal().Count(rookstandin.FailoverReverted))
	require.NotContains(s.t, s.Operator.Memory(), mon)
}

// onceBefore calls f in the operator's own time at the first entry that matches, before the operator goes on.
func onceBefore(match func(rookstandin.Entry) bool, f func()) func(*rookstandin.Options) {
	var once sync.Once
	return func(o *rookstandin.Options) {
		o.OnEntry = func(e rookstandin.Entry) {
			if match(e) {
				once.Do(f)
			}
		}
	}
}

// Until Rook has reloaded, it reaches a new cluster through its first mon alone.
func TestTheOnlyMonThatTheOperatorKnewRightly(t *testing.T) {
	t.Parallel()
	lastMonIsUp := func(e rookstandin.Entry) bool {
		return e.Event == rookstandin.QuorumReached && len(e.Message) > 7 && e.Message[:7] == "[a b c]"
	}
	clusterIsUp := func(e rookstandin.Entry) bool { return e.Event == rookstandin.ReconcileSucceeded }
	for name, c := range map[string]struct {
		at   func(rookstandin.Entry) bool
		does func(*story)
	}{
		"is lost in the middle of the first reconcile": {lastMonIsUp, func(s *story) { s.Ceph.Kill("a") }},
		"is lost as soon as the cluster is up":         {clusterIsUp, func(s *story) { s.Ceph.Kill("a") }},
		"fails over as soon as the cluster is up": {clusterIsUp, func(s *story) {
			s.t.Log("failover of mon a:", s.Operator.FailOver(s.t.Context(), "a"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, true)
			s.createCephCluster()
			var outOfTouch bool
			s.startOperator(onceBefore(c.at, func() {
				wrong := 0
				for id, endpoint := range s.Operator.Memory() {
					if !globalRange.Contains(endpoint.Addr()) {
						wrong++
						t.Logf("the operator takes %s for the address of mon %s", endpoint.Addr(), id)
					}
				}
				outOfTouch = wrong == 2
				c.does(s)
			}), impatient)
			s.comesUp()
			s.global(3)
			require.True(t, outOfTouch, "the operator knew one mon rightly when it was lost")
			s.everyOSDIsGlobal("0", "1", "2")

			if _, lost := s.Operator.Memory()["a"]; lost {
				s.eventually("the mon that is lost is replaced", func() bool {
					_, known := s.Operator.Memory()["a"]
					return !known || s.inQuorum("a")
				})
			}
			s.global(3)
		})
	}
}

// inQuorum says whether the cluster has the mon in quorum, asked at the addresses that the mons truly have.
func (s *story) inQuorum(id string) bool {
	address, _ := s.Ceph.Advertised(id)
	status, err := s.Ceph.QuorumAt(address)
	return err == nil && status.In(id)
}
