package scenarios_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

func TestANewClusterComesUpAtGlobalIPs(t *testing.T) {
	s := newStory(t, true)
	s.createCephCluster()
	started := time.Now()
	s.startOperator()
	s.comesUp()
	t.Logf("3 mons and 3 OSDs after %s", time.Since(started).Round(time.Millisecond))

	s.everyDaemonIsGlobal()
	s.noClusterIPEver("a", "b", "c")
	s.everyPlaceTells("EndpointSlice rook-ceph-active-mons-ipv4", "CephConnection "+s.Namespace)
	require.Equal(t, map[string]int{"ConfigMap": 1}, s.Operator.Journal().Refusals(), "the first mon's endpoint is refused, and nothing else")
	require.Zero(t, s.Operator.Journal().Count(rookstandin.QuorumGivenUp))
	s.allIsWell(6)
	require.Equal(t, 1, s.events()["ReloadRequested"], "Rook is asked once to reload")
}

func TestASlowExportIsWaitedFor(t *testing.T) {
	s := newStory(t, true)
	for _, name := range []string{"rook-ceph-mon-a", "rook-ceph-osd-0"} {
		s.World.MCS.SetFault(s.Namespace, name, mcsstandin.Fault{Delay: 5 * time.Second})
	}
	s.createCephCluster()
	started := time.Now()
	s.startOperator()
	// It is looked at often, for what is measured from then on.
	require.Eventually(t, func() bool { return s.noted("rook-ceph-osd-0", "global-ip") != "" }, 90*time.Second, 5*time.Millisecond)
	known := time.Now()
	s.comesUp()
	require.Greater(t, time.Since(started), 5*time.Second)
	stored := s.Recorder.Of("Deployment", "rook-ceph-osd-0")[0].Seen
	t.Logf("the held OSD was stored %s after its address was seen in the export", stored.Sub(known).Round(time.Millisecond))
	// The bar of 100 ms is held against the webhook alone, beside its code: here all share one machine.
	require.Less(t, stored.Sub(known), time.Second)
	require.Equal(t, map[string]int{"ConfigMap": 1}, s.Operator.Journal().Refusals())
	require.Empty(t, s.Recorder.ClusterIPsAfterBirth())
	s.everyOSDIsGlobal("0", "1", "2")
}
