package exporter

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestWhatNoDaemonAdvertisesIsLetGoOfAfterTheGrace(t *testing.T) {
	const grace = time.Hour
	at := addr("242.0.0.1")
	orphan := func(d rook.DaemonFacts) rook.DaemonFacts { d.Export.OrphanedSince = noon.Add(-grace); return d }
	osd := func(address netip.Addr) rook.DaemonFacts {
		return rook.DaemonFacts{Daemon: rookDaemon(osd0), Export: rook.Export{GlobalIP: at}, Deployed: true, Address: address}
	}
	mon := func(edit func(*rook.DaemonFacts)) rook.DaemonFacts {
		d := rook.DaemonFacts{Daemon: rookDaemon(monA), Export: rook.Export{GlobalIP: at, Pinned: true}}
		edit(&d)
		return d
	}
	nobody := rook.Claim{Daemon: types.NamespacedName{Namespace: testNamespace, Name: osd0}, Exported: true}
	somebody := rook.Claim{Daemon: types.NamespacedName{Namespace: "elsewhere", Name: monA}, Advertised: true}
	for name, c := range map[string]struct {
		daemon rook.DaemonFacts
		claims []rook.Claim
		since  time.Time
		remove bool
	}{
		"an OSD that advertises it":               {daemon: orphan(osd(at))},
		"an OSD that has ceased to":               {daemon: osd(netip.Addr{}), since: noon},
		"an OSD that ceased to an hour ago":       {daemon: orphan(osd(netip.Addr{})), claims: []rook.Claim{nobody}, since: noon.Add(-grace), remove: true},
		"an OSD whose address another daemon has": {daemon: orphan(osd(netip.Addr{})), claims: []rook.Claim{somebody}},
		"an OSD without an address":               {daemon: orphan(rook.DaemonFacts{Daemon: rookDaemon(osd0)}), since: noon.Add(-grace), remove: true},
		"a mon that advertises it":                {daemon: orphan(mon(func(d *rook.DaemonFacts) { d.Deployed, d.Address = true, at }))},
		"a mon that is listed there":              {daemon: orphan(mon(func(d *rook.DaemonFacts) { d.Listed = at }))},
		"a mon that was put to sleep":             {daemon: orphan(mon(func(d *rook.DaemonFacts) { d.Deployed = true }))},
		"a mon that is gone":                      {daemon: orphan(mon(func(*rook.DaemonFacts) {})), since: noon.Add(-grace), remove: true},
		"a mon of its name that has its ClusterIP": {daemon: orphan(mon(func(d *rook.DaemonFacts) {
			d.Deployed, d.Address, d.ClusterIPs = true, addr("10.96.0.1"), []netip.Addr{addr("10.96.0.1")}
		})), since: noon.Add(-grace), remove: true},
		"a mon of its name on the host network": {daemon: orphan(mon(func(d *rook.DaemonFacts) {
			d.Deployed, d.Address, d.Rollout.HostNetwork = true, addr("192.168.0.1"), true
		})), since: noon.Add(-grace), remove: true},
		"an OSD at an address that its export does not tell": {daemon: orphan(rook.DaemonFacts{Daemon: rookDaemon(osd0), Deployed: true, Address: at})},
		"an OSD at another than its export tells":            {daemon: orphan(osd(addr("242.0.0.9")))},
		"a mon at an address that its export does not tell": {daemon: orphan(mon(func(d *rook.DaemonFacts) {
			d.Export.GlobalIP, d.Export.Pinned = netip.Addr{}, false
			d.Deployed, d.Address, d.ClusterIPs = true, at, []netip.Addr{addr("10.96.0.1")}
		}))},
	} {
		t.Run(name, func(t *testing.T) {
			since, remove := decideCleanup(c.daemon, c.claims, noon, grace)
			require.Equal(t, c.since, since)
			require.Equal(t, c.remove, remove)
			_, early := decideCleanup(c.daemon, c.claims, noon.Add(-time.Second), grace)
			require.False(t, early)
		})
	}
}

func TestWhatCannotBeLetGoOfKeepsNothingElseFromIt(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), endpointsOf(""))
	l.relabel(map[string]string{rook.CleanupSwitch: "true"})
	mons := []string{monA, "rook-ceph-mon-b", "rook-ceph-mon-c", "rook-ceph-mon-d", "rook-ceph-mon-e", "rook-ceph-mon-f"}
	for _, name := range mons {
		require.NoError(t, l.ensurer.applyExport(t.Context(), rookDaemon(name), rook.Export{OrphanedSince: noon.Add(-2 * time.Hour)}))
	}
	term := recall.NewTerm()
	term.Begin(t.Context())
	c := &cleaner{view: l.view, ensurer: l.ensurer, metrics: l.metrics, term: term, log: logr.Discard(), now: func() time.Time { return noon }, grace: time.Hour}
	l.deny = func(write string) error {
		if write == "delete ServiceExport rook-ceph-mon-a" {
			return errors.New("somebody's policy says no")
		}
		return nil
	}
	require.ErrorContains(t, c.look(t.Context()), "rook-ceph-mon-a")
	for _, name := range mons {
		require.Equal(t, name == monA, l.export(name).Exists, name)
	}
}
