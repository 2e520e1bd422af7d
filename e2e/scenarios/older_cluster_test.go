package scenarios_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// switchOn labels the namespace.
func (s *story) switchOn() {
	s.t.Helper()
	s.labelNamespace("enabled=true")
}

// changeCephCluster merges a change into the spec of the CephCluster.
func (s *story) changeCephCluster(spec map[string]any) {
	s.t.Helper()
	patch, err := json.Marshal(map[string]any{"spec": spec})
	require.NoError(s.t, err)
	s.kubectl("patch", "cephcluster", "my-cluster", "--type=merge", "-p", string(patch))
}

// reconcileAgain makes Rook reconcile until a reconcile succeeds that began after now.
func (s *story) reconcileAgain() {
	s.t.Helper()
	reconciled := s.Operator.Reconciled()
	s.Operator.Reconcile()
	s.eventually("Rook has reconciled again", func() bool { return s.Operator.Reconciled() > reconciled })
}

func TestAClusterOlderThanUsKeepsItsMonsUntilRookReplacesThemAndItsOSDsFollow(t *testing.T) {
	s := newStory(t, false)
	s.bringsUp()
	s.switchOn()
	s.eventually("the mons are known to keep their ClusterIPs, and the OSDs have global IPs", func() bool {
		for _, id := range []string{"a", "b", "c"} {
			if s.noted("rook-ceph-mon-"+id, "identity") != "cluster" {
				return false
			}
		}
		for _, id := range []string{"0", "1", "2"} {
			if s.noted("rook-ceph-osd-"+id, "global-ip") == "" {
				return false
			}
		}
		return true
	})
	mons := map[string][]string{}
	for _, id := range []string{"a", "b", "c"} {
		mons[id] = s.deployment("rook-ceph-mon-" + id).Spec.Template.Spec.Containers[0].Args
	}

	// What Rook has no reason to write stays as it is; so it is given one to write all Deployments.
	s.changeCephCluster(map[string]any{"logCollector": map[string]any{"enabled": true}})
	s.eventually("the OSDs advertise their global IPs", func() bool { return s.osdsAt(3) })
	s.everyOSDIsGlobal("0", "1", "2")
	require.Empty(t, s.Operator.Journal().Refusals())
	for id, endpoint := range s.Operator.Memory() {
		containers := s.deployment("rook-ceph-mon-" + id).Spec.Template.Spec.Containers
		require.Len(t, containers, 2, "mon %s was written", id)
		require.Equal(t, mons[id], containers[0].Args, "mon %s is as it was", id)
		require.Contains(t, s.Recorder.ClusterIPs(id), endpoint.Addr())
	}
	require.True(t, s.Operator.Reachable())

	require.NoError(t, s.Operator.FailOver(t.Context(), "a"))
	s.eventually("the operator knows the new mon by its global IP", func() bool {
		endpoint, known := s.Operator.Memory()["d"]
		ip, ok := s.World.MCS.GlobalIP(s.Namespace, "rook-ceph-mon-d")
		return known && ok && endpoint.Addr() == ip
	})
	advertised, _ := s.Ceph.Advertised("d")
	require.Equal(t, s.globalIP("rook-ceph-mon-d"), advertised)
	s.eventually("all three mons are in quorum", func() bool { return s.inQuorum("b") && s.inQuorum("c") && s.inQuorum("d") })
	require.Empty(t, s.Operator.Journal().Refusals())
	s.noClusterIPEver("d")
}

func TestAnUpdateIsNeverRefusedForWantOfAnAddress(t *testing.T) {
	s := newCluster(t)
	osd, mon := s.globalIP("rook-ceph-osd-1"), s.globalIP("rook-ceph-mon-b")
	refusals := s.Operator.Journal().Count(rookstandin.Refused)
	for _, name := range []string{"rook-ceph-osd-1", "rook-ceph-mon-b"} {
		s.World.MCS.SetFault(s.Namespace, name, mcsstandin.Fault{NeverValid: &mcsstandin.AwaitingExport})
	}
	s.eventually("the exports are no longer Valid", func() bool {
		for _, name := range []string{"rook-ceph-osd-1", "rook-ceph-mon-b"} {
			if export, err := s.Export(t.Context(), name); err != nil || !meta.IsStatusConditionFalse(kinds.Conditions(export), "Valid") {
				return false
			}
		}
		return true
	})
	s.reconcileAgain()
	require.Equal(t, refusals, s.Operator.Journal().Count(rookstandin.Refused))
	require.Equal(t, osd, s.Ceph.OSDMap()["1"])
	require.Contains(t, s.deployment("rook-ceph-osd-1").Spec.Template.Spec.Containers[0].Args, "--public-addr="+osd.String())
	require.Contains(t, s.deployment("rook-ceph-mon-b").Spec.Template.Spec.Containers[0].Args, "--public-addr="+mon.String())
	s.everyMonIsGlobal("a", "b", "c")
}
