package scenarios_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/recorder"
)

// watchPods starts to watch; what is up then has to stay so, but for one daemon at a time.
func (s *story) watchPods() *recorder.Witness {
	s.t.Helper()
	watched, err := recorder.Watch(s.t.Context(), s.World.Plane.Client, s.Namespace)
	require.NoError(s.t, err)
	s.eventually("all daemons are seen", func() bool { return len(watched.Up()) == 9 })
	return watched
}

// eachMovedOnce asserts that at no time more was down than may be, and that each of the mons had one pod, and each of six OSDs two.
func (s *story) eachMovedOnce(watched *recorder.Witness, mons ...string) {
	s.t.Helper()
	require.Empty(s.t, watched.Broken())
	pods := map[string]int{}
	for _, id := range mons {
		pods["mon "+id] = 1
	}
	for id := range 6 {
		pods[fmt.Sprintf("osd %d", id)] = 2
	}
	require.Equal(s.t, pods, watched.Had())
}

// runsWithoutUs brings up a cluster of three mons and six OSDs in a namespace that is not switched on. Rook replaces a mon that is out
// of quorum for the time.
func runsWithoutUs(t *testing.T, weight int64, timeout string, edits ...func(*rookstandin.Options)) *story {
	t.Helper()
	s := apart.newStory(t, weight, false)
	s.createCephCluster(monsFailOverAfter(timeout))
	s.startOperator(append(edits, osds(6), reportsOften)...)
	s.comesUp()
	return s
}

func monsFailOverAfter(timeout string) func(spec map[string]any) {
	return func(spec map[string]any) {
		spec["healthCheck"] = map[string]any{"daemonHealth": map[string]any{"mon": map[string]any{"timeout": timeout}}}
	}
}

// reportsOften makes the operator look at Ceph's health more often.
func reportsOften(o *rookstandin.Options) { o.Timing.StatusInterval = 300 * time.Millisecond }

// aLeaderOfItsOwn makes the replicas two: one that only answers admission, for somebody else has the lease, and one that leads
// without asking for it. The function that is returned kills that one and starts another. It answers no admission: Rook reverts a
// failover of which a call dies with a replica, and starts the mon again that it was to replace.
func (s *story) aLeaderOfItsOwn(args ...string) (kill func()) {
	s.t.Helper()
	s.killReplicas(len(s.World.Replicas))
	lease := s.lease()
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = new("the story"), new(int32(3600))
	lease.Spec.RenewTime = new(metav1.NowMicro())
	require.NoError(s.t, s.World.Plane.Client.Update(s.t.Context(), lease))
	s.addReplicas(1)
	lead := func() {
		s.t.Helper()
		leader, err := s.World.Plane.StartReplica(s.t.Context(), nextReplica(), slices.Concat(quickly, []string{"--leader-elect=false"}, args)...)
		require.NoError(s.t, err)
		s.World.Replicas = append(s.World.Replicas, leader)
	}
	lead()
	s.t.Cleanup(func() {
		// The context of the test has ended.
		ctx := context.WithoutCancel(s.t.Context())
		faults := []error{s.World.Plane.Client.Delete(ctx, lease)}
		for _, replica := range s.World.Replicas {
			faults = append(faults, replica.Kill())
		}
		s.World.Replicas = nil
		for range 2 {
			faults = append(faults, s.World.AddReplica(ctx, nextReplica(), quickly...))
		}
		require.NoError(s.t, errors.Join(faults...))
	})
	return func() {
		s.t.Helper()
		leader := s.World.Replicas[1]
		s.World.Replicas = s.World.Replicas[:1]
		require.NoError(s.t, leader.Kill())
		lead()
	}
}

// signs are what can be seen of steps: notes on exports and Deployments, mons that were stopped, mons that are gone.
func (s *story) signs() map[string]bool {
	s.t.Helper()
	seen := map[string]bool{}
	list := &appsv1.DeploymentList{}
	require.NoError(s.t, s.World.Plane.Client.List(s.t.Context(), list, client.InNamespace(s.Namespace)))
	for _, export := range s.exports() {
		if export.GetAnnotations()["rook-clusterset.io/move"] != "" {
			seen["moving "+export.GetName()] = true
		}
	}
	for i := range list.Items {
		d := &list.Items[i]
		if name := recorder.DaemonName(d); name != "" {
			seen["there is "+name] = true
			if d.Spec.Replicas != nil && *d.Spec.Replicas == 0 {
				seen["stopped "+name] = true
			}
			if d.Annotations["rook-clusterset.io/asked"] != "" {
				seen["asked "+name] = true
			}
		}
	}
	return seen
}

func TestARunningClusterMovesUnattendedThoughEachLeaderDies(t *testing.T) {
	s := runsWithoutUs(t, alone, "1s")
	kill := s.aLeaderOfItsOwn()
	w := s.watchPods()
	started := time.Now()
	s.switchOn()
	known := s.signs()
	kills := 0
	require.Eventually(t, func() bool {
		for sign := range s.signs() {
			if !known[sign] {
				known[sign] = true
				kill()
				kills++
				t.Logf("%s: killed the leader, for %s", time.Since(started).Round(time.Millisecond), sign)
			}
		}
		return s.moved()
	}, 6*time.Minute, 20*time.Millisecond, "the cluster has moved")
	t.Logf("moved in %s, with %d leaders killed", time.Since(started).Round(time.Millisecond), kills)
	require.GreaterOrEqual(t, kills, 3*2+6)
	s.eventually("the last OSD has restarted", func() bool { return w.Had()["osd 5"] == 2 })
	s.eventually("each daemon that lives is well", func() bool {
		for _, row := range s.status(s.Namespace).Daemons {
			_, known := s.Operator.Memory()[row.ID]
			if row.Deployment != "" && row.State != "ok" && (known || row.Type != "mon") {
				return false
			}
		}
		return true
	})
	require.NotContains(t, s.status(s.Namespace).Err, "remain")
	s.eachMovedOnce(w, "a", "b", "c", "d", "e", "f")
	s.settled()
	s.everyOSDIsGlobal("0", "1", "2", "3", "4", "5")
	require.Equal(t, []string{"d", "e", "f"}, slices.Sorted(maps.Keys(s.Operator.Memory())))
	require.Zero(t, s.Operator.Journal().Count(rookstandin.FailoverReverted))
}

// moved says whether all daemons that live are at their global IPs.
func (s *story) moved() bool {
	mons, osds := slices.Collect(maps.Values(s.Operator.Memory())), slices.Collect(maps.Values(s.Ceph.OSDMap()))
	return len(mons) == 3 && !slices.ContainsFunc(mons, isNotGlobal) &&
		len(osds) == 6 && !slices.ContainsFunc(osds, func(osd netip.Addr) bool { return !globalRange.Contains(osd) })
}

func TestAClusterThatIsNotWellIsNotMoved(t *testing.T) {
	s := runsWithoutUs(t, 1, "1s")
	w := s.watchPods()
	before := w.Pods()
	s.Ceph.Complain("MON_DOWN")
	s.switchOn()
	tells := func(what string) {
		t.Helper()
		s.eventually("status tells: "+what, func() bool { return strings.Contains(s.status(s.Namespace).Err, what) })
		// Long enough for several looks at a cluster that would be moved.
		time.Sleep(2 * time.Second)
		require.Contains(t, s.status(s.Namespace).Err, what)
	}
	tells("waits for all mons to be up: Ceph tells MON_DOWN")
	s.Ceph.Complain("PG_DEGRADED")
	tells("waits for Ceph to have all OSDs up and all data whole (PG_DEGRADED)")
	s.migrate("pause")
	s.Ceph.Complain()
	tells("waits, for rook-clusterset.io/migrate on the namespace says pause")
	tells("to do it by hand: kubectl -n " + s.Namespace + " scale deployment rook-ceph-mon-a --replicas=0")
	s.migrate("false")
	tells("stays where it is, for migration is switched off")
	s.Ceph.Complain("MON_DOWN")
	s.migrate("true")
	tells("MON_DOWN")
	s.setStatusChecked(time.Now().Add(-4 * time.Minute))
	tells("waits for a recent status of the CephCluster")
	s.eventually("it is told by events", func() bool {
		told := s.events()
		// It was so twice, which the recorder may tell as one event that was repeated.
		return told["MonDown"] > 0 && told["MonDown"] <= 2 && told["OsdsUnwell"] == 1 && told["MigrationPaused"] == 1 && told["MigrationOff"] == 1 && told["StatusOld"] == 1
	})
	require.Contains(t, s.metrics(), `rook_clusterset_migration_remaining_daemons{cluster="my-cluster",namespace="`+s.Namespace+`",type="osd"} 6`)
	require.Regexp(t, `namespace="`+s.Namespace+`".*reason="status_old"`, s.metrics())
	require.Equal(t, before, w.Pods())
	require.Empty(t, w.Broken())
}

func TestAClusterOfTwoMonsIsNotMoved(t *testing.T) {
	s := apart.newStory(t, 1, false)
	s.createCephCluster(func(spec map[string]any) { spec["mon"] = map[string]any{"count": int64(2)} })
	s.startOperator(reportsOften)
	s.comesUp()
	plan := s.plan()
	require.Contains(t, plan, "To be moved: 2 mons, 3 OSDs, in this order:")
	require.Contains(t, plan, `Now: mon "a" stays where it is, for of fewer than 3 mons none can be spared: raise spec.mon.count to 3`)
	s.switchOn()
	s.eventually("it is told why", func() bool { return s.events()["TooFewMons"] == 1 })
	time.Sleep(2 * time.Second)
	require.Contains(t, s.status(s.Namespace).Err,
		`: mon "a" stays where it is, for of fewer than 3 mons none can be spared: raise spec.mon.count to 3`)
	require.Equal(t, []string{"a", "b"}, slices.Sorted(maps.Keys(s.Operator.Memory())))
	for id := range s.Ceph.OSDMap() {
		require.Empty(t, s.deployment("rook-ceph-osd-" + id).Annotations["rook-clusterset.io/asked"])
	}
}

// plan runs the command with the rights of a pod of rook-clusterset.
func (s *story) plan() string {
	s.t.Helper()
	said, err := s.World.RunAsPod(s.t.Context(), "plan", "-n", s.Namespace)
	require.NoError(s.t, err)
	require.Zero(s.t, said.Code, said.Err)
	return said.Out
}

// migrate sets the switch of the namespace.
func (s *story) migrate(value string) {
	s.t.Helper()
	s.kubectl("annotate", "namespace", s.Namespace, "--overwrite", "rook-clusterset.io/migrate="+value)
}

// setStatusChecked silences the operator and makes its last look at Ceph's health as old as that.
func (s *story) setStatusChecked(at time.Time) {
	s.t.Helper()
	s.Operator.Silence(true)
	s.Ceph.Complain()
	c := s.World.Plane.Client
	cluster := rookstandin.NewCephCluster(s.Namespace, "my-cluster")
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"ceph": map[string]any{
		"health": "HEALTH_OK", "details": nil, "lastChecked": at.UTC().Format(time.RFC3339),
	}}})
	require.NoError(s.t, err)
	s.eventually("the status is old", func() bool {
		require.NoError(s.t, c.Status().Patch(s.t.Context(), cluster, client.RawPatch(types.MergePatchType, patch)))
		time.Sleep(500 * time.Millisecond)
		require.NoError(s.t, c.Get(s.t.Context(), client.ObjectKeyFromObject(cluster), cluster))
		checked, _, _ := unstructured.NestedString(cluster.Object, "status", "ceph", "lastChecked")
		return checked == at.UTC().Format(time.RFC3339)
	})
}
