package scenarios_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// osds gives Rook as many OSDs, one after the other on each of the nodes.
func osds(count int) func(*rookstandin.Options) {
	return func(o *rookstandin.Options) {
		for id := range count {
			o.OSDs = append(o.OSDs, rookstandin.OSD{ID: strconv.Itoa(id)})
		}
	}
}

// beginsOSDs has Rook bring up so many, each of whose exports gets its address after the delay.
func (s *story) beginsOSDs(count int, delay time.Duration) {
	s.t.Helper()
	for id := range count {
		s.World.MCS.SetFault(s.Namespace, measure.OSDName(id), mcsstandin.Fault{Delay: delay})
	}
	s.createCephCluster()
	s.startOperator(osds(count))
}

// bringsUpOSDs returns how long Rook took from the first report of a prepare job to the last of its OSDs.
func (s *story) bringsUpOSDs(count int) time.Duration {
	s.t.Helper()
	// Where the delays come one after the other, the story is told to its end all the same, for the figure.
	require.Eventually(s.t, func() bool { return s.Operator.Reconciled() > 0 }, 6*time.Minute, 50*time.Millisecond, "Rook has brought up the cluster")
	require.Equal(s.t, map[string]int{"ConfigMap": 1}, s.Operator.Journal().Refusals())
	s.eventually("all OSDs are up", func() bool { return len(s.Ceph.OSDMap()) == count })
	s.everyOSDIsGlobal(slices.Sorted(maps.Keys(s.Ceph.OSDMap()))...)
	started := s.Operator.Journal().Of(rookstandin.PrepareReported)[0].Time
	created := slices.DeleteFunc(s.Operator.Journal().Of(rookstandin.Wrote), func(e rookstandin.Entry) bool {
		return e.Kind != "Deployment" || !strings.Contains(e.Object, "/rook-ceph-osd-")
	})
	return created[len(created)-1].Time.Sub(started)
}

// Rook creates the OSDs one by one, and each waits for its address; but Rook names those of a node together before.
func TestThirtyOSDsOnThreeNodesComeUpInOneDelayPerNode(t *testing.T) {
	const count, delay, margin = 30, 5 * time.Second, 2 * time.Second
	// All that is told beside others begins after it.
	apart.begin(t)
	atOnce, late := apart.another(t, true), apart.another(t, true)
	// Both at the same time, so that what else the machine has to do costs them alike.
	atOnce.beginsOSDs(count, 0)
	late.beginsOSDs(count, delay)
	undelayed, delayed := atOnce.bringsUpOSDs(count), late.bringsUpOSDs(count)
	t.Logf("%d OSDs took %s without a delay and %s with one of %s each: %.1f times as long, %.1f delays more", count,
		undelayed.Round(time.Millisecond), delayed.Round(time.Millisecond), delay, delayed.Seconds()/undelayed.Seconds(), (delayed-undelayed).Seconds()/delay.Seconds())
	require.LessOrEqual(t, delayed-undelayed, time.Duration(len(rookstandin.DefaultNodes))*delay+margin)
}

func TestAnOSDThatWasNamedAndNeverComesIsAnOrphan(t *testing.T) {
	const grace = 10 * time.Second
	s := apart.newStory(t, alone, true)
	s.roll("--orphan-grace=" + grace.String())
	defer s.roll()
	s.createCephCluster()
	s.startOperator(osds(3), func(o *rookstandin.Options) { o.OSDs = append(o.OSDs, rookstandin.OSD{ID: "3", Lost: true}) })

	const name = "rook-ceph-osd-3"
	hasService := func() bool { return s.has(s.Namespace, name, &corev1.Service{}) }
	s.eventually("the OSD that is named has its Service and its export", func() bool { return hasService() && s.isExported(name) })
	s.eventually("they go", func() bool { return !hasService() && !s.isExported(name) })
	gone := time.Now()
	reports := s.Operator.Journal().Of(rookstandin.PrepareReported)
	named := slices.IndexFunc(reports, func(e rookstandin.Entry) bool { return strings.HasSuffix(e.Message, "[0 3]") })
	require.GreaterOrEqual(t, named, 0)
	lived := gone.Sub(reports[named].Time)
	t.Logf("they stood for %s after the OSD was named", lived.Round(time.Millisecond))
	// It is noted in whole seconds since when a daemon is missed.
	require.Greater(t, lived, grace-time.Second, "they stay through the grace")
	s.comesUp()
	require.Empty(t, s.Recorder.Of("Deployment", name))
	s.everyOSDIsGlobal("0", "1", "2")
}
