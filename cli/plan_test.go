package cli

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/migration"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

var update = flag.Bool("update", false, "write testdata/*.txt anew")

// runningCluster is one of three mons and two OSDs that ran without us, and is well.
func runningCluster() migration.Facts {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	f := migration.Facts{
		Snapshot: view.Snapshot{
			Namespace: "rook-ceph", Enabled: true,
			Cluster:  &rook.Cluster{Namespace: "rook-ceph", Name: "my-cluster", Phase: "Ready", CephVersion: "20.2.4-0", RookVersion: "v1.20.6"},
			Health:   rook.Health{Status: "HEALTH_OK", Checked: now.Add(-time.Minute), Mons: 3},
			Failover: rook.Failover{Mons: 3, Timeout: 10 * time.Minute, Interval: 45 * time.Second},
			List:     rook.MonList{Mons: 3},
		},
		ExportKindServed: true, Settings: migration.DefaultSettings, Now: now, Asks: true,
	}
	for i, d := range []rook.Daemon{{Type: rook.Mon, ID: "a"}, {Type: rook.Mon, ID: "b"}, {Type: rook.Mon, ID: "c"}, {Type: rook.OSD, ID: "0"}, {Type: rook.OSD, ID: "1"}} {
		d.Namespace, d.Cluster = "rook-ceph", "my-cluster"
		facts := rook.DaemonFacts{
			Daemon: d, Deployed: true,
			Export:  rook.Export{Exists: true, Ours: true, GlobalIP: netip.AddrFrom4([4]byte{242, 0, 0, byte(i + 1)}), Valid: metav1.ConditionTrue},
			Rollout: rook.Rollout{Replicas: 1, Generation: 1, Available: true, AvailableSince: now.Add(-time.Hour)},
		}
		if d.Type == rook.Mon {
			facts.Export.Identity = rook.IdentityCluster
			facts.Address = netip.AddrFrom4([4]byte{10, 96, 0, byte(i + 1)})
			facts.Listed = facts.Address
		}
		f.Daemons = append(f.Daemons, facts)
	}
	return f
}

func TestAPlanIsPrintedAsItStandsInTheGoldenFile(t *testing.T) {
	for name, edit := range map[string]func(*migration.Facts){
		"nothing-in-the-way": func(*migration.Facts) {},
		"not-switched-on": func(f *migration.Facts) {
			f.Enabled = false
			for i := range f.Daemons {
				f.Daemons[i].Export = rook.Export{}
			}
		},
		"not-switched-on-and-not-well": func(f *migration.Facts) {
			f.Enabled, f.Health.Checks = false, []string{"MON_DOWN"}
			for i := range f.Daemons {
				f.Daemons[i].Export = rook.Export{}
			}
		},
		"two-mons": func(f *migration.Facts) { f.Failover.Mons = 2; f.Daemons = f.Daemons[1:] },
		"mon-down": func(f *migration.Facts) { f.Health.Status, f.Health.Checks = "HEALTH_WARN", []string{"MON_DOWN"} },
		"paused":   func(f *migration.Facts) { f.Switches.Migrate = "pause" },
		"mon-being-replaced": func(f *migration.Facts) {
			f.Daemons[0].Export.Move = rook.Move{Since: f.Now.Add(-time.Minute), Generation: 1, Newest: "c"}
			f.Daemons[0].Rollout = rook.Rollout{Generation: 2}
		},
		"an-export-that-is-not-valid": func(f *migration.Facts) {
			f.Daemons = f.Daemons[3:]
			f.Failover.Timeout = 20 * time.Minute
			f.Daemons[0].Export.Valid, f.Daemons[0].Export.ValidReason = metav1.ConditionFalse, "NoBroker"
		},
		"done": func(f *migration.Facts) { f.Daemons = nil },
	} {
		t.Run(name, func(t *testing.T) {
			f := runningCluster()
			edit(&f)
			var out bytes.Buffer
			require.NoError(t, printPlan(&out, f))
			compareGolden(t, "plan-"+name, out.Bytes())
		})
	}
}

// compareGolden holds what was printed to testdata, or writes it there.
func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func TestStatusTellsWhatRemainsOfMovingACluster(t *testing.T) {
	f := runningCluster()
	require.Equal(t, []string{
		"rook-ceph: 3 mons and 2 OSDs remain to be moved to global IPs",
		`rook-ceph: mon "a" is next, once all has been well for a while`,
	}, notesOf(f))
	f.Switches.Migrate = "false"
	require.Equal(t, "rook-ceph: to do it by hand: kubectl -n rook-ceph scale deployment rook-ceph-mon-a --replicas=0", notesOf(f)[2])
	f.Daemons = f.Daemons[4:]
	require.Equal(t, []string{
		"rook-ceph: 0 mons and 1 OSD remain to be moved to global IPs",
		`rook-ceph: osd "1" stays where it is, for migration is switched off: by rook-clusterset.io/migrate on the namespace or --migrate of the manager`,
		"rook-ceph: to do it by hand: kubectl -n rook-ceph annotate deployment rook-ceph-osd-1 --overwrite rook-clusterset.io/asked=by-hand",
	}, notesOf(f))
	f.Daemons = nil
	require.Empty(t, notesOf(f))
}

func TestStatusNamesNoCommandThatTakesTheQuorum(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*migration.Facts)
		says string
	}{
		"with two mons": {func(f *migration.Facts) {
			f.Failover.Mons, f.Daemons, f.List.Mons, f.Health.Mons = 2, f.Daemons[1:], 2, 2
		}, "spec.mon.count is 2"},
		"with a mon down":    {func(f *migration.Facts) { f.Health.Status, f.Health.Checks = "HEALTH_WARN", []string{"MON_DOWN"} }, "MON_DOWN"},
		"without a failover": {func(f *migration.Facts) { f.Failover.Off = true }, "healthCheck"},
	} {
		t.Run(name, func(t *testing.T) {
			f := runningCluster()
			f.Switches.Migrate = "pause"
			c.edit(&f)
			notes := notesOf(f)
			require.Len(t, notes, 3)
			require.NotContains(t, notes[2], "kubectl")
			require.Contains(t, notes[2], c.says)
		})
	}
}
