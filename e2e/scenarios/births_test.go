package scenarios_test

import (
	"context"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// haltAt makes the operator stand still right after the entry, so that a test can act in between two of Rook's steps: once awaits has
// returned. It goes on when resume is called, or when the test ends.
func (s *story) haltAt(at func(rookstandin.Entry) bool) (stop func(*rookstandin.Options), awaits, resume func()) {
	reached, halt := context.WithCancel(s.t.Context())
	goOn, resume := context.WithCancel(s.t.Context())
	stop = onceBefore(at, func() {
		halt()
		<-goOn.Done()
	})
	awaits = func() {
		s.t.Helper()
		s.eventually("the operator has come to where it is to stop", func() bool { return reached.Err() != nil })
	}
	return stop, awaits, resume
}

// after says yes to the first entry of a kind that comes after a Service was written.
func after(service string, event rookstandin.Event, kind string) func(rookstandin.Entry) bool {
	var written atomic.Bool
	return func(e rookstandin.Entry) bool {
		if e.Event == rookstandin.Wrote && e.Kind == "Service" && strings.HasSuffix(e.Object, "/"+service) {
			written.Store(true)
		}
		return written.Load() && e.Event == event && e.Kind == kind
	}
}

// forgets waits until the export of a Service that is gone tells no address any more.
func (s *story) forgets(name string, address netip.Addr) {
	s.t.Helper()
	s.eventually("the export tells the address no more", func() bool {
		export, err := s.Export(s.t.Context(), name)
		return err == nil && export.GetAnnotations()["rook-clusterset.io/global-ip"] != address.String()
	})
}

func TestTheServiceOfAMonIsRecreatedBeforeTheMonIsBorn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mon string
		at  func(rookstandin.Entry) bool
		// byRook leaves it to Rook to make the Service that is lost anew, at the address that it remembers.
		byRook bool
		// refusedMons is how many Deployments of mons may be refused: once their address stands in Rook's Secret, it is
		// too late to correct it.
		refusedMons int
	}{
		"the first mon's, and Rook makes it anew": {
			mon: "a", at: after("rook-ceph-mon-a", rookstandin.Refused, "ConfigMap"), byRook: true,
		},
		"the first mon's, and somebody makes it anew": {
			mon: "a", at: after("rook-ceph-mon-a", rookstandin.Refused, "ConfigMap"),
		},
		"a later mon's, before its address stands in Rook's Secret": {
			mon: "c", at: after("rook-ceph-mon-c", rookstandin.Wrote, "EndpointSlice"), refusedMons: 1,
		},
		"a later mon's, when its address stands in Rook's Secret": {
			mon: "c", at: after("rook-ceph-mon-c", rookstandin.Wrote, "Secret"), refusedMons: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, true)
			s.createCephCluster()
			stop, awaits, resume := s.haltAt(c.at)
			s.startOperator(stop, impatient)
			awaits()

			name := "rook-ceph-mon-" + c.mon
			lost, before := get(s, s.Namespace, name, &corev1.Service{}), s.globalIP(name)
			require.NoError(t, s.World.Plane.Client.Delete(t.Context(), lost))
			s.forgets(name, before)
			if !c.byRook {
				again := lost.DeepCopy()
				again.UID, again.ResourceVersion = "", ""
				again.Spec.ClusterIP, again.Spec.ClusterIPs = "", nil
				require.NoError(t, s.World.Plane.Client.Create(t.Context(), again))
				require.NotEqual(t, lost.Spec.ClusterIP, again.Spec.ClusterIP)
			}
			resume()

			s.comesUp()
			s.everyDaemonIsGlobal()
			require.NotEqual(t, before, s.globalIP(name))
			require.Empty(t, s.Recorder.Held(before, s.Recorder.Born(c.mon)), "no stored object tells the lost address once the mon is born")
			require.Equal(t, c.refusedMons, s.Operator.Journal().Refusals()["Deployment"])
		})
	}
}

func TestAMonWhoseExportIsNeverValidIsRefusedAndNothingIsHalfWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mon  string
		mons int
	}{
		"the first mon": {mon: "a", mons: 0},
		"a later mon":   {mon: "c", mons: 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, true)
			name := "rook-ceph-mon-" + c.mon
			s.World.MCS.SetFault(s.Namespace, name, mcsstandin.Fault{NeverValid: &mcsstandin.AwaitingExport})
			s.createCephCluster()
			s.startOperator()
			message := `mon "` + c.mon + `" is not ready for its clusterset address: ServiceExport ` + s.Namespace + "/" + name +
				` is not Valid (AwaitingExport: awaiting aggregation on the broker); Rook will retry`
			s.eventually("the mon is refused", func() bool {
				for _, e := range s.Operator.Journal().Of(rookstandin.Refused) {
					if strings.Contains(e.Message, message) {
						return e.Kind == "ConfigMap"
					}
				}
				return false
			})
			require.Len(t, s.Recorder.Mons(), c.mons, "the mon was not born")
			s.noClusterIPEver(c.mon)
			require.Empty(t, s.Recorder.Held(s.globalIP(name), 0), "nothing tells the address of an export that is not Valid")

			s.World.MCS.SetFault(s.Namespace, name, mcsstandin.Fault{})
			s.comesUp()
			s.everyDaemonIsGlobal()
			require.Empty(t, s.Operator.Journal().Refusals()["Deployment"])
		})
	}
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
