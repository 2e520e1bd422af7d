package addresses

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// healthy is a cluster of three mons and two OSDs that is up, and at its global IPs.
func healthy() Facts {
	f := Facts{
		Snapshot: view.Snapshot{
			Namespace: "rook-ceph", Enabled: true,
			Cluster:  &rook.Cluster{Namespace: "rook-ceph", Name: "my-cluster", UID: "u", Phase: "Ready"},
			Failover: rook.Failover{Mons: 3},
		},
		ExportKindServed: true, Name: "my-cluster", Generation: 1,
	}
	for i, d := range []rook.Daemon{{Type: rook.Mon, ID: "a"}, {Type: rook.Mon, ID: "b"}, {Type: rook.Mon, ID: "c"}, {Type: rook.OSD, ID: "0"}, {Type: rook.OSD, ID: "1"}} {
		d.Namespace = "rook-ceph"
		ip := netip.AddrFrom4([4]byte{242, 0, 0, byte(i + 1)})
		facts := rook.DaemonFacts{Daemon: d, Deployed: true, Address: ip, Export: rook.Export{Exists: true, Ours: true, GlobalIP: ip, Valid: metav1.ConditionTrue}}
		if d.Type == rook.Mon {
			facts.Listed, facts.Export.Identity = ip, rook.IdentityClusterset
		}
		f.Daemons = append(f.Daemons, facts)
	}
	return f
}

// said is what the conditions say, without times.
func said(s Status) string {
	var words []string
	for _, name := range []string{Ready, Complete, TokenRight} {
		c := meta.FindStatusCondition(s.Conditions, name)
		words = append(words, fmt.Sprintf("%s (%s)", c.Status, c.Reason))
	}
	return strings.Join(words, ", ")
}

func TestAnObjectSaysWhatIsMissingFirst(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*Facts)
		// ready, complete, token.
		want    string
		message string
	}{
		"all is well": {func(*Facts) {}, "True (Ok), True (Ok), True (PeerTokenRight)", "all 5 mons and OSDs advertise their global IPs"},
		"an OSD awaits its address": {
			func(f *Facts) { f.Daemons[4].Export.GlobalIP, f.Daemons[4].Deployed = netip.Addr{}, false },
			"False (AddressUnknown), False (AddressUnknown), True (PeerTokenRight)", `1 of 5 mons and OSDs are not at their global IPs: osd "1" has no global IP yet`,
		},
		"all OSDs and a mon are elsewhere": {
			func(f *Facts) {
				f.Daemons = append(f.Daemons, f.Daemons[4])
				for i := 2; i < 6; i++ {
					f.Daemons[i].Address = netip.MustParseAddr("10.96.0.9")
				}
			},
			"False (NotAdvertised), False (NotAdvertised), True (PeerTokenRight)", "; and 1 more",
		},
		"a mon that was replaced is leaving": {
			func(f *Facts) {
				gone := f.Daemons[0]
				gone.Daemon.ID, gone.Deployed, gone.Listed, gone.Export.OrphanedSince = "x", false, netip.Addr{}, noon
				f.Daemons = append(f.Daemons, gone)
			},
			"True (Ok), True (Ok), True (PeerTokenRight)", "all 6 mons",
		},
		"two of three mons are born": {
			func(f *Facts) { f.Daemons = f.Daemons[1:] },
			"False (MonCountDiffers), False (MonCountDiffers), True (PeerTokenRight)", "it waits for the mons to be as many as spec.mon.count says: of 3 there are 2",
		},
		"nothing is born": {
			func(f *Facts) { f.Daemons, f.Failover.Mons = nil, 0 },
			"False (MonCountDiffers), False (MonCountDiffers), True (PeerTokenRight)", "there are 0",
		},
		"Rook has not got to its end": {
			func(f *Facts) { f.Cluster.Phase = "Progressing" },
			"False (CephClusterNotReady), False (CephClusterNotReady), True (PeerTokenRight)", "it waits for the CephCluster to be Ready",
		},
		"Rook remembers a mon wrongly": {
			func(f *Facts) {
				f.Remembered = rook.Remembered{Version: "1", Mons: []rook.Endpoint{{ID: "b"}}, TokenRight: noon}
			},
			"False (PeerTokenStale), True (Ok), False (PeerTokenStale)", "Secret rook-ceph/cluster-peer-token-my-cluster may tell ClusterIPs",
		},
		"Rook was asked to read its mons anew, and has not written the token yet": {
			func(f *Facts) { f.Remembered = rook.Remembered{Version: "1"} },
			"False (PeerTokenStale), True (Ok), False (PeerTokenStale)", "may tell ClusterIPs",
		},
		"the token is right again": {
			func(f *Facts) { f.Remembered = rook.Remembered{Version: "1", TokenRight: noon} },
			"True (Ok), True (Ok), True (PeerTokenRight)", "all 5",
		},
		"the namespace was switched off": {
			func(f *Facts) { f.Enabled = false },
			"False (NamespaceNotEnabled), False (NamespaceNotEnabled), Unknown (NamespaceNotEnabled)", "is in a namespace without the label",
		},
		"there is no CephCluster": {
			func(f *Facts) { f.Cluster = nil },
			"False (CephClusterUnknown), False (CephClusterUnknown), Unknown (CephClusterUnknown)", "CephCluster my-cluster",
		},
		"the CephCluster has another name": {
			func(f *Facts) { f.Name = "my-clustre" },
			"False (CephClusterUnknown), False (CephClusterUnknown), Unknown (CephClusterUnknown)", "CephCluster my-clustre",
		},
		"the CephCluster is left alone": {
			func(f *Facts) { f.Cluster.HostNetwork = true },
			"False (CephClusterHostNetwork), False (CephClusterHostNetwork), Unknown (CephClusterHostNetwork)", "on the host network",
		},
		"there is nothing to export by": {
			func(f *Facts) { f.ExportKindServed = false },
			"False (NoServiceExportKind), False (NoServiceExportKind), Unknown (NoServiceExportKind)", "is not installed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy()
			c.edit(&f)
			decided := Decide(f, Status{}, noon)
			require.Equal(t, c.want, said(decided))
			require.Contains(t, meta.FindStatusCondition(decided.Conditions, Ready).Message, c.message)
			require.EqualValues(t, 1, decided.ObservedGeneration)
			require.Equal(t, decided, Decide(f, decided, noon.Add(time.Hour)), "what does not change is not written again")
		})
	}
}

func TestAReconcileOfRookTakesNothingBack(t *testing.T) {
	f := healthy()
	before := Decide(f, Status{}, noon)
	f.Cluster.Phase = "Progressing"
	require.Equal(t, before, Decide(f, before, noon.Add(time.Hour)))
}

func TestTheTimeOfAConditionIsThatOfItsChange(t *testing.T) {
	f := healthy()
	before := Decide(f, Status{}, noon)
	f.Daemons[3].Address = netip.MustParseAddr("10.244.0.9")
	after := Decide(f, before, noon.Add(time.Hour))
	at := func(s Status, name string) time.Time {
		return meta.FindStatusCondition(s.Conditions, name).LastTransitionTime.Time
	}
	require.Equal(t, noon.Add(time.Hour), at(after, Ready))
	require.Equal(t, noon, at(after, TokenRight))
	require.Equal(t, 5, after.Daemons)
	require.Equal(t, 4, after.AtGlobalIPs)
}

func TestAThousandOSDsFillNoMessage(t *testing.T) {
	f := healthy()
	for i := range 1000 {
		d := f.Daemons[4]
		d.Daemon.ID, d.Address = fmt.Sprint(i+2), netip.Addr{}
		f.Daemons = append(f.Daemons, d)
	}
	message := meta.FindStatusCondition(Decide(f, Status{}, noon).Conditions, Ready).Message
	require.Less(t, len(message), 500)
	require.Contains(t, message, "and 997 more")
}

// The API server takes no reason of another length, and what stood there would stand there for ever.
func TestAReasonIsOneThatTheAPIServerTakesWhateverStandsInAnExport(t *testing.T) {
	for _, refused := range []string{strings.Repeat("x", 2000), "_: nothing", "öl_éa: letters"} {
		f := healthy()
		meta := &metav1.ObjectMeta{Name: "rook-ceph-osd-1", Labels: rook.Marks(), Annotations: map[string]string{
			rook.GlobalIPAnnotation: f.Daemons[4].Address.String(), rook.RefusedAnnotation: refused,
		}}
		f.Daemons[4].Export = rook.ReadExport(meta, &metav1.Condition{Status: metav1.ConditionTrue})
		for _, c := range Decide(f, Status{}, noon).Conditions {
			require.Regexp(t, "^[A-Za-z0-9]+$", c.Reason, c.Type)
			require.LessOrEqual(t, len(c.Reason), 1024, c.Type)
		}
	}
}

func TestConditionsOfOthersMakeNoRoomScarceForOurs(t *testing.T) {
	var before Status
	for i := range 8 {
		before.Conditions = append(before.Conditions, metav1.Condition{Type: fmt.Sprint("Other", i), Status: metav1.ConditionTrue})
	}
	after := Decide(healthy(), before, noon)
	require.Len(t, after.Conditions, 3, "the kind takes eight")
	require.Equal(t, after, Decide(healthy(), after, noon.Add(time.Hour)))
}
