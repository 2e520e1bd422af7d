// Package scenarios holds the stories that must hold on a real API server, each a test.
package scenarios_test

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/recorder"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// stage is a World, and the turns of the stories that are told in it, each in a namespace of its own.
type stage struct {
	*world.World
	turns *semaphore.Weighted
	args  []string
	begun sync.Once
}

// What is told at once is enough to keep two cores busy.
var (
	// shared is the World of all that leaves its replicas as they are.
	shared = &stage{turns: semaphore.NewWeighted(together)}
	// apart is that of what kills, replaces or loads them, alone, and of clusters that are moved.
	apart = &stage{turns: semaphore.NewWeighted(alone), args: quickly}
	// own are the turns of those that need another World.
	own = semaphore.NewWeighted(1)
)

const (
	// together are as many as share their replicas.
	together = 3
	// alone is told what has its replicas for itself.
	alone = 2
)

var globalRange = netip.MustParsePrefix("242.0.0.0/16")

// quickly are the settings of a manager that moves clusters of a story.
var quickly = []string{"--migrate-settle=300ms", "--migrate-slack=30s"}

func TestMain(m *testing.M) {
	flag.Parse()
	// Who waits for his turn is to keep nobody from another stage.
	if err := flag.Set("test.parallel", "100"); err != nil {
		panic(err)
	}
	code := m.Run()
	for _, s := range []*stage{shared, apart} {
		for _, fault := range s.end() {
			fmt.Fprintln(os.Stderr, fault)
			code = 1
		}
	}
	os.Exit(code)
}

// end stops the World, and returns what nobody may have noticed in it.
func (s *stage) end() (faults []string) {
	if s.World == nil {
		return nil
	}
	for _, replica := range s.Replicas {
		for line := range strings.Lines(replica.Log()) {
			if strings.Contains(line, "is forbidden: User") {
				faults = append(faults, "the shipped rights do not suffice: "+strings.TrimSpace(line))
			}
		}
	}
	for _, err := range s.Plane.EndedReplicas() {
		faults = append(faults, "a replica ended by itself: "+err.Error())
	}
	if err := s.Stop(); err != nil {
		faults = append(faults, "stop the world of the scenarios: "+err.Error())
	}
	return faults
}

// waitsFor lets the test be told beside others, of another stage at least, once it is its turn.
func waitsFor(t *testing.T, turns *semaphore.Weighted, weight int64) {
	t.Helper()
	t.Parallel()
	require.NoError(t, turns.Acquire(t.Context(), weight))
	t.Cleanup(func() { turns.Release(weight) })
	began := time.Now()
	t.Cleanup(func() { t.Logf("told in %s", time.Since(began).Round(100*time.Millisecond)) })
}

func (s *stage) enter(t *testing.T, weight int64) {
	t.Helper()
	waitsFor(t, s.turns, weight)
	s.begin(t)
}

func (s *stage) begin(t *testing.T) {
	t.Helper()
	s.begun.Do(func() {
		var err error
		// A story that takes an address away has to see another one. The World outlives the test.
		s.World, err = world.Start(context.WithoutCancel(t.Context()), mcsstandin.Options{FreshAddresses: true}, s.args...)
		require.NoError(t, err)
	})
	require.NotNil(t, s.World, "the World could not be started")
}

var siteNumber atomic.Int32

// story is a scenario in a namespace of its own.
type story struct {
	*world.Site
	t *testing.T
}

// watchReplicas fails the scenario if a replica ends by itself, and keeps the logs of all replicas if the scenario fails.
func watchReplicas(t *testing.T, plane *controlplane.Plane) {
	t.Helper()
	t.Cleanup(func() {
		for _, err := range plane.EndedReplicas() {
			t.Errorf("a replica ended by itself: %v", err)
		}
		if !t.Failed() {
			return
		}
		dir, err := plane.KeepLogs(t.Name())
		if err != nil {
			t.Errorf("the logs of the replicas are lost: %v", err)
			return
		}
		t.Logf("the whole logs of the replicas are kept in %s", dir)
	})
}

// newStory begins a story that leaves the replicas as they are.
func newStory(t *testing.T, enabled bool) *story {
	t.Helper()
	return shared.newStory(t, 1, enabled)
}

func (s *stage) newStory(t *testing.T, weight int64, enabled bool) *story {
	t.Helper()
	s.enter(t, weight)
	return s.another(t, enabled)
}

func (s *stage) another(t *testing.T, enabled bool) *story {
	t.Helper()
	return storyOf(t, s.World, fmt.Sprintf("rook-%d", siteNumber.Add(1)), enabled)
}

// storyOf begins a story in a World of whatever kind.
func storyOf(t *testing.T, w *world.World, namespace string, enabled bool) *story {
	t.Helper()
	site, err := w.NewSite(t.Context(), namespace, enabled)
	require.NoError(t, err)
	s := &story{Site: site, t: t}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		if s.Operator != nil {
			for _, e := range s.Operator.Journal().Entries() {
				t.Log(e)
			}
		}
		for i, replica := range w.Replicas {
			for line := range strings.Lines(replica.Log()) {
				if strings.Contains(line, s.Namespace) {
					t.Logf("replica %d: %s", i, strings.TrimSpace(line))
				}
			}
		}
	})
	watchReplicas(t, w.Plane)
	return s
}

// newCluster begins a story of a cluster that Rook has brought up, and of whose mons it remembers the addresses rightly.
func newCluster(t *testing.T, edits ...func(*rookstandin.Options)) *story {
	t.Helper()
	s := newStory(t, true)
	s.bringsUp(edits...)
	s.settled()
	return s
}

func (s *story) createCephCluster(edits ...func(spec map[string]any)) {
	s.t.Helper()
	require.NoError(s.t, s.CreateCephCluster(s.t.Context(), edits...))
}

func (s *story) startOperator(edits ...func(*rookstandin.Options)) {
	s.t.Helper()
	var options rookstandin.Options
	for _, edit := range edits {
		edit(&options)
	}
	require.NoError(s.t, s.StartOperator(s.t.Context(), options))
}

// bringsUp has Rook bring up a cluster of three mons.
func (s *story) bringsUp(edits ...func(*rookstandin.Options)) {
	s.t.Helper()
	s.createCephCluster()
	s.startOperator(edits...)
	s.comesUp()
}

// impatient makes the operator give up its waits for quorum after some ten seconds instead of thirty.
func impatient(o *rookstandin.Options) { o.Timing.QuorumTries = 20 }

// comesUp waits until Rook has brought up the cluster.
func (s *story) comesUp() {
	s.t.Helper()
	s.eventually("Rook has brought up the cluster", func() bool { return s.Operator.Reconciled() > 0 })
}

func (s *story) eventually(what string, holds func() bool) {
	s.t.Helper()
	require.Eventually(s.t, holds, 90*time.Second, 100*time.Millisecond, what)
}

// kubectl runs it in the namespace, and returns what it printed.
func (s *story) kubectl(args ...string) string {
	s.t.Helper()
	said, err := s.World.Plane.Kubectl(s.t.Context(), nil, append([]string{"-n", s.Namespace}, args...)...)
	require.NoError(s.t, err)
	return said
}

// globalIP returns what the MCS implementation gave the Service.
func (s *story) globalIP(name string) netip.Addr {
	s.t.Helper()
	ip, ok := s.World.MCS.GlobalIP(s.Namespace, name)
	require.True(s.t, ok, "%s has no global IP", name)
	return ip
}

// everyMonIsGlobal asserts that each mon that Rook knows advertises the global IP of its Service, that the operator's
// memory says so, and that no stored object ever told otherwise once the mon was born.
func (s *story) everyMonIsGlobal(ids ...string) {
	s.t.Helper()
	memory := s.Operator.Memory()
	require.Len(s.t, memory, len(ids))
	for _, id := range ids {
		ip := s.globalIP("rook-ceph-mon-" + id)
		require.True(s.t, globalRange.Contains(ip))
		advertised, _ := s.Ceph.Advertised(id)
		require.Equal(s.t, ip, advertised, "mon %s", id)
		require.Equal(s.t, ip, memory[id].Addr(), "the operator's memory of mon %s", id)
	}
	require.Empty(s.t, s.Recorder.ClusterIPsAfterBirth())
}

// everyDaemonIsGlobal waits until the operator's memory is true, and asserts that each daemon that Rook brings up by itself is at its
// global IP.
func (s *story) everyDaemonIsGlobal() {
	s.t.Helper()
	s.settled()
	s.everyMonIsGlobal("a", "b", "c")
	s.everyOSDIsGlobal("0", "1", "2")
}

// everyPlaceTells asserts that what is stored last in each place tells the global IP of each mon that the operator knows.
// So it asserts as well that the recorder has seen those places.
func (s *story) everyPlaceTells(places ...string) {
	s.t.Helper()
	last := map[string]recorder.Write{}
	for _, w := range s.Recorder.Writes() {
		last[w.Kind+" "+w.Object.GetName()] = w
	}
	for id := range s.Operator.Memory() {
		ip := s.globalIP("rook-ceph-mon-" + id)
		for _, place := range append(places, "ConfigMap rook-ceph-mon-endpoints", "Secret rook-ceph-config", "Deployment rook-ceph-mon-"+id) {
			w, seen := last[place]
			require.True(s.t, seen, "%s was never seen", place)
			require.True(s.t, w.Holds(ip), "%s does not tell mon %s at %s: %s", place, id, ip, w.Text)
		}
		endpoints, _ := last["ConfigMap rook-ceph-mon-endpoints"].Object.(*corev1.ConfigMap)
		for _, key := range []string{"data", "csi-cluster-config-json"} {
			require.Contains(s.t, endpoints.Data[key], ip.String()+":", key)
		}
	}
}

// noClusterIPEver asserts that no object that was ever stored told any mon by its ClusterIP, born or not.
func (s *story) noClusterIPEver(mons ...string) {
	s.t.Helper()
	for _, mon := range mons {
		clusterIPs := s.Recorder.ClusterIPs(mon)
		require.NotEmpty(s.t, clusterIPs)
		for _, address := range clusterIPs {
			require.Empty(s.t, s.Recorder.Held(address, 0), "mon %s", mon)
		}
	}
}

func (s *story) everyOSDIsGlobal(ids ...string) {
	s.t.Helper()
	osds := s.Ceph.OSDMap()
	require.Len(s.t, osds, len(ids))
	for _, id := range ids {
		require.Equal(s.t, s.globalIP("rook-ceph-osd-"+id), osds[id], "OSD %s", id)
	}
}

// events returns how often each reason stands in the events on the CephCluster, but for those of Rook.
func (s *story) events() map[string]int {
	s.t.Helper()
	list := &corev1.EventList{}
	require.NoError(s.t, s.World.Plane.Client.List(s.t.Context(), list, client.InNamespace(s.Namespace)))
	counts := map[string]int{}
	for i := range list.Items {
		if e := &list.Items[i]; e.InvolvedObject.Kind == "CephCluster" && !strings.HasPrefix(e.Reason, "Reconcile") {
			counts[e.Reason]++
		}
	}
	return counts
}
