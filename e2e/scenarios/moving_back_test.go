package scenarios_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// labelNamespace sets a label of ours on the namespace, or removes it with a minus.
func (s *story) labelNamespace(label string) {
	s.t.Helper()
	s.kubectl("label", "namespace", s.Namespace, "--overwrite", "rook-clusterset.io/"+label)
}

// osdsAt says whether so many OSDs are at their global IPs.
func (s *story) osdsAt(global int) bool {
	at := 0
	for id, address := range s.Ceph.OSDMap() {
		if ip, ok := s.World.MCS.GlobalIP(s.Namespace, "rook-ceph-osd-"+id); ok && ip == address {
			at++
		}
	}
	return at == global
}

func TestWhatLeavesIsLetGoOfAndComesBackByTheSameRoll(t *testing.T) {
	s := apart.newStory(t, alone, true)
	s.createCephCluster()
	s.startOperator(osds(6), reportsOften)
	s.comesUp()
	s.settled()
	s.aLeaderOfItsOwn("--orphan-grace=2s")
	lost, mon := s.globalIP("rook-ceph-osd-0"), s.globalIP("rook-ceph-mon-a")

	s.labelNamespace("enabled=false")
	s.changeCephCluster(map[string]any{"logCollector": map[string]any{"enabled": true}})
	s.eventually("Rook has written the OSDs without global IPs", func() bool { return s.osdsAt(0) && len(s.Ceph.OSDMap()) == 6 })
	time.Sleep(3 * time.Second)
	require.Equal(t, lost, s.globalIP("rook-ceph-osd-0"), "nothing is torn down by itself")

	s.labelNamespace("cleanup=true")
	s.eventually("what no OSD advertises is gone", func() bool {
		for id := range 6 {
			name := fmt.Sprintf("rook-ceph-osd-%d", id)
			if s.has(s.Namespace, name, &corev1.Service{}) || s.isExported(name) {
				return false
			}
		}
		return true
	})
	time.Sleep(3 * time.Second)
	require.True(t, s.isExported("rook-ceph-mon-a"), "the mons still advertise theirs")
	require.Equal(t, mon, s.globalIP("rook-ceph-mon-a"))

	w := s.watchPods()
	s.labelNamespace("enabled=true")
	s.eventually("the OSDs are at global IPs again", func() bool { return s.osdsAt(6) && w.Had()["osd 5"] == 2 })
	s.eachMovedOnce(w, "a", "b", "c")
}

// isCalm waits until Rook has reconciled and nothing makes it reconcile again.
func (s *story) isCalm() {
	s.t.Helper()
	s.reconcileAgain()
	started := -1
	s.eventually("Rook is calm", func() bool {
		before := started
		started = s.Operator.Journal().Count(rookstandin.ReconcileStarted)
		time.Sleep(2 * time.Second)
		return before == started
	})
}

func TestAnOSDWhoseAddressChangedIsGivenTheNewOne(t *testing.T) {
	s := apart.newStory(t, 1, true)
	s.bringsUp(reportsOften)
	s.settled()
	s.isCalm()
	before := s.globalIP("rook-ceph-osd-1")
	s.World.MCS.Reallocate(s.Namespace, "rook-ceph-osd-1")
	s.eventually("it has the new address, without a write of Rook", func() bool {
		return s.globalIP("rook-ceph-osd-1") != before && s.osdsAt(3)
	})
	require.NotEmpty(t, s.deployment("rook-ceph-osd-1").Annotations["rook-clusterset.io/asked"])
	require.Empty(t, s.deployment("rook-ceph-osd-0").Annotations["rook-clusterset.io/asked"])
}
