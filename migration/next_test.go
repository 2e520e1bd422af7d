package migration_test

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/migration"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

// daemon is one that has run since long at an address of this cluster, while its export has a global IP.
func daemon(kind rook.Type, id string, number int) rook.DaemonFacts {
	last := strconv.Itoa(number)
	d := rook.DaemonFacts{
		Daemon:   rook.Daemon{Type: kind, ID: id, Namespace: "rook-ceph", Cluster: "my-cluster"},
		Deployed: true,
		Export:   rook.Export{Exists: true, Ours: true, GlobalIP: addr("242.0.0." + last), Valid: metav1.ConditionTrue},
		Rollout:  rook.Rollout{Replicas: 1, Generation: 1, Available: true, AvailableSince: now.Add(-time.Hour)},
	}
	if kind == rook.Mon {
		d.Export.Identity = rook.IdentityCluster
		d.Address = addr("10.96.0." + last)
		d.Listed = d.Address
	}
	return d
}

// global makes a daemon one that is at its global IP.
func global(d *rook.DaemonFacts) {
	d.Address = d.Export.GlobalIP
	if d.Daemon.Type == rook.Mon {
		d.Export.Identity, d.Export.Pinned = rook.IdentityClusterset, true
		d.Listed = d.Address
	}
}

// well is a cluster of three mons and two OSDs that ran without us, in which nothing stands in the way, after the wait for calm.
func well() *migration.Facts {
	return &migration.Facts{
		Snapshot: view.Snapshot{
			Namespace: "rook-ceph",
			Enabled:   true,
			Cluster:   &rook.Cluster{Namespace: "rook-ceph", Name: "my-cluster", Phase: "Ready", CephVersion: "20.2.4-0", RookVersion: "v1.20.6"},
			Health:    rook.Health{Status: rook.HealthOK, Checked: now.Add(-time.Minute), Mons: 3},
			Failover:  rook.Failover{Mons: 3, Timeout: 10 * time.Minute, Interval: 45 * time.Second},
			List:      rook.MonList{Mons: 3},
			Daemons: []rook.DaemonFacts{
				daemon(rook.Mon, "a", 1), daemon(rook.Mon, "b", 2), daemon(rook.Mon, "c", 3),
				daemon(rook.OSD, "0", 10), daemon(rook.OSD, "1", 11),
			},
		},
		ExportKindServed: true,
		Settings:         migration.Settings{Settle: 30 * time.Second, Slack: 10 * time.Minute},
		Now:              now,
		Steady:           migration.Steady{Daemon: "rook-ceph-mon-a", Since: now.Add(-30 * time.Second)},
	}
}

// The places of the daemons of well.
const (
	monA = iota
	monB
	monC
	osd0
	osd1
)

// monsDone is the same cluster with its mons replaced, so that OSD 0 is next.
func monsDone() *migration.Facts {
	f := well()
	for i := range osd0 {
		global(&f.Daemons[i])
	}
	f.Steady.Daemon = "rook-ceph-osd-0"
	return f
}

func TestAStepIsHeldBack(t *testing.T) {
	mon := func(edit func(*migration.Facts)) *migration.Facts { f := well(); edit(f); return f }
	osd := func(edit func(*migration.Facts)) *migration.Facts { f := monsDone(); edit(f); return f }
	for name, c := range map[string]struct {
		facts *migration.Facts
		want  reason.Code
		// says is what the particulars have to tell.
		says string
	}{
		"in a namespace that is not switched on": {mon(func(f *migration.Facts) { f.Enabled = false }), reason.NamespaceNotEnabled, ""},
		"without a CephCluster":                  {mon(func(f *migration.Facts) { f.Cluster = nil }), reason.ClusterUnknown, ""},
		"of a CephCluster that is deleted":       {mon(func(f *migration.Facts) { f.Cluster.Deleting = true }), reason.ClusterDeleting, ""},
		"of a CephCluster that is left alone":    {mon(func(f *migration.Facts) { f.Cluster.HostNetwork = true }), reason.ClusterHostNetwork, ""},
		"of an external CephCluster":             {mon(func(f *migration.Facts) { f.Cluster.External = true }), reason.ExternalCluster, ""},
		"in Rook's own multi-cluster mode":       {mon(func(f *migration.Facts) { f.Cluster.NativeMultiCluster = true }), reason.NativeMultiCluster, ""},
		"where nothing can be exported":          {mon(func(f *migration.Facts) { f.ExportKindServed = false }), reason.NoServiceExportKind, ""},
		"by the flag":                            {mon(func(f *migration.Facts) { f.Settings.Off = true }), reason.MigrationOff, ""},
		"by the namespace":                       {mon(func(f *migration.Facts) { f.Switches.Migrate = "false" }), reason.MigrationOff, ""},
		"by a pause":                             {mon(func(f *migration.Facts) { f.Switches.Migrate = "pause" }), reason.MigrationPaused, ""},
		"by a pause, of an OSD":                  {osd(func(f *migration.Facts) { f.Switches.Migrate = "pause" }), reason.MigrationPaused, ""},

		"with two mons":                       {mon(func(f *migration.Facts) { f.Failover.Mons = 2 }), reason.TooFewMons, "2"},
		"with a number of mons not told":      {mon(func(f *migration.Facts) { f.Failover.Mons = 0 }), reason.TooFewMons, "0"},
		"with external mons":                  {mon(func(f *migration.Facts) { f.Failover.External = true }), reason.ExternalMons, ""},
		"with external mons in the list":      {mon(func(f *migration.Facts) { f.List.External = true }), reason.ExternalMons, ""},
		"with a floating mon":                 {mon(func(f *migration.Facts) { f.Floating = true }), reason.FloatingMons, ""},
		"on the host network":                 {mon(func(f *migration.Facts) { everyMon(f, func(d *rook.DaemonFacts) { d.Rollout.HostNetwork = true }) }), reason.HostNetwork, ""},
		"while nobody looks after the mons":   {mon(func(f *migration.Facts) { f.Failover.Off = true }), reason.MonCheckOff, ""},
		"while no mon is ever replaced":       {mon(func(f *migration.Facts) { f.Failover.Timeout = 0 }), reason.MonTimeoutZero, ""},
		"after a move that failed":            {mon(func(f *migration.Facts) { f.Daemons[monB].Export.Move.RetryAt = now.Add(time.Minute) }), reason.RetryLater, "12:01"},
		"while a mon is not to be reconciled": {mon(func(f *migration.Facts) { f.Daemons[monC].Rollout.Skipped = true }), reason.ReconcileSkipped, `mon "c"`},
		"while the cluster is not reconciled": {mon(func(f *migration.Facts) { f.Failover.Skipped = true }), reason.ReconcileSkipped, "CephCluster"},
		"while Rook reconciles":               {mon(func(f *migration.Facts) { f.Cluster.Phase = "Progressing" }), reason.ClusterNotReady, "Progressing"},
		"while Rook reconciles, of an OSD":    {osd(func(f *migration.Facts) { f.Cluster.Phase = "Progressing" }), reason.ClusterNotReady, "Progressing"},
		"before Rook has read its list":       {mon(func(f *migration.Facts) { f.List.Stale = true }), reason.ReloadPending, ""},

		"by an old status":             {mon(func(f *migration.Facts) { f.Health.Checked = now.Add(-181 * time.Second) }), reason.StatusOld, "11:56:59"},
		"by an old status, of an OSD":  {osd(func(f *migration.Facts) { f.Health.Checked = now.Add(-181 * time.Second) }), reason.StatusOld, ""},
		"by a status that is to come":  {mon(func(f *migration.Facts) { f.Health.Checked = now.Add(181 * time.Second) }), reason.StatusOld, "12:03:01"},
		"without a status":             {mon(func(f *migration.Facts) { f.Health.Checked = time.Time{} }), reason.StatusOld, "none"},
		"by HEALTH_ERR":                {mon(func(f *migration.Facts) { f.Health.Status, f.Health.Checks = "HEALTH_ERR", []string{"error"} }), reason.HealthError, "error"},
		"by HEALTH_ERR, of an OSD":     {osd(func(f *migration.Facts) { f.Health.Status = "HEALTH_ERR" }), reason.HealthError, ""},
		"by health that is not told":   {mon(func(f *migration.Facts) { f.Health.Status = "" }), reason.HealthError, ""},
		"by MON_DOWN":                  {mon(unwell("MON_DOWN")), reason.MonDown, ""},
		"by MON_DOWN, of an OSD":       {osd(unwell("MON_DOWN")), reason.MonDown, ""},
		"by a mon out of quorum":       {mon(func(f *migration.Facts) { f.List.OutOfQuorum = []string{"b"} }), reason.MonOutOfQuorum, "b"},
		"while Rook places a mon":      {mon(func(f *migration.Facts) { f.Placing = true }), reason.FailoverRunning, "node"},
		"while a mon is being born":    {mon(func(f *migration.Facts) { f.Daemons[monC].Deployed = false }), reason.FailoverRunning, `mon "c"`},
		"by a mon too many":            {mon(func(f *migration.Facts) { f.Daemons = append(f.Daemons, daemon(rook.Mon, "d", 4)) }), reason.MonCountDiffers, "4 deployed"},
		"by a mon too few":             {mon(func(f *migration.Facts) { f.Failover.Mons = 5 }), reason.MonCountDiffers, "5 are wanted"},
		"by a mon that is not listed":  {mon(func(f *migration.Facts) { f.List.Mons = 2 }), reason.MonCountDiffers, "2 listed"},
		"by a mon more in the monmap":  {mon(func(f *migration.Facts) { f.Health.Mons = 4 }), reason.MonCountDiffers, "4 in quorum"},
		"by a mon that is unavailable": {mon(func(f *migration.Facts) { f.Daemons[monB].Rollout.Available = false }), reason.Unavailable, `mon "b"`},
		"by a mon, of an OSD":          {osd(func(f *migration.Facts) { f.Daemons[monB].Rollout.Available = false }), reason.Unavailable, `mon "b"`},
		"by a new mon that drifted": {mon(func(f *migration.Facts) {
			global(&f.Daemons[monC])
			f.Daemons[monC].Export.Drift = addr("242.0.0.99")
		}), reason.AddressDrifted, `mon "c"`},

		"by its own export": {mon(func(f *migration.Facts) {
			everyMon(f, func(d *rook.DaemonFacts) { d.Export.Valid = metav1.ConditionFalse })
		}), reason.ExportNotValid, ""},
		"by an address that is refused": {mon(func(f *migration.Facts) {
			everyMon(f, func(d *rook.DaemonFacts) { d.Export.Refused = reason.SourcesDisagree })
		}), reason.SourcesDisagree, ""},
		"by an address that is unknown":  {mon(func(f *migration.Facts) { everyMon(f, func(d *rook.DaemonFacts) { d.Export.GlobalIP = netip.Addr{} }) }), reason.AddressUnknown, ""},
		"by its own export, of an OSD":   {osd(func(f *migration.Facts) { f.Daemons[osd0].Export.Valid, f.Daemons[osd1].Export.Valid = "", "" }), reason.ExportNotValid, ""},
		"by a probe":                     {mon(func(f *migration.Facts) { f.Probe = migration.Unanswered }), reason.ProbeUnanswered, "242.0.0.1"},
		"by a status before a restart":   {mon(func(f *migration.Facts) { f.Daemons[osd1].Rollout.AvailableSince = f.Health.Checked }), reason.StatusBeforeStep, "11:59"},
		"by a status before the last":    {osd(func(f *migration.Facts) { f.Daemons[osd1].Rollout.Asked.At = now.Add(-time.Second) }), reason.StatusBeforeStep, ""},
		"until all has been well":        {mon(func(f *migration.Facts) { f.Steady.Since = now.Add(-29 * time.Second) }), reason.Settling, "30s"},
		"until all has been well for it": {mon(func(f *migration.Facts) { f.Steady.Daemon = "rook-ceph-mon-b" }), reason.Settling, "30s"},

		"by an OSD that is down, of a mon":                 {mon(unwell("OSD_DOWN")), reason.OSDsUnwell, "OSD_DOWN"},
		"by an OSD that is down":                           {osd(unwell("OSD_DOWN")), reason.OSDsUnwell, "OSD_DOWN"},
		"by a host that is down":                           {osd(unwell("OSD_HOST_DOWN")), reason.OSDsUnwell, "OSD_HOST_DOWN"},
		"by a rack that is down":                           {osd(unwell("OSD_RACK_DOWN")), reason.OSDsUnwell, "OSD_RACK_DOWN"},
		"by data with too few copies":                      {osd(unwell("PG_DEGRADED")), reason.OSDsUnwell, "PG_DEGRADED"},
		"by data that is not available":                    {osd(unwell("PG_AVAILABILITY")), reason.OSDsUnwell, "PG_AVAILABILITY"},
		"by data that cannot recover":                      {osd(unwell("PG_RECOVERY_FULL")), reason.OSDsUnwell, "PG_RECOVERY_FULL"},
		"by data that cannot move":                         {osd(unwell("PG_BACKFILL_FULL")), reason.OSDsUnwell, "PG_BACKFILL_FULL"},
		"by data that is damaged":                          {osd(unwell("PG_DAMAGED")), reason.OSDsUnwell, "PG_DAMAGED"},
		"by data that is not found":                        {osd(unwell("OBJECT_UNFOUND")), reason.OSDsUnwell, "OBJECT_UNFOUND"},
		"by an OSD that is full":                           {osd(unwell("OSD_FULL")), reason.OSDsUnwell, "OSD_FULL"},
		"by an OSD that is full for backfill":              {osd(unwell("OSD_BACKFILLFULL")), reason.OSDsUnwell, "OSD_BACKFILLFULL"},
		"by a pool that is full":                           {osd(unwell("POOL_FULL")), reason.OSDsUnwell, "POOL_FULL"},
		"by data of which nobody tells":                    {osd(unwell("MGR_DOWN")), reason.OSDsUnwell, "MGR_DOWN"},
		"by flags of the admin":                            {osd(unwell("OSDMAP_FLAGS")), reason.OSDsUnwell, "OSDMAP_FLAGS"},
		"by another OSD":                                   {osd(func(f *migration.Facts) { f.Daemons[osd1].Rollout.Available = false }), reason.Unavailable, `osd "1"`},
		"by a mon that is not to be reconciled, of an OSD": {osd(func(f *migration.Facts) { f.Daemons[monC].Rollout.Skipped = true }), reason.ReconcileSkipped, `mon "c"`},
		"by a mon out of quorum, of an OSD":                {osd(func(f *migration.Facts) { f.List.OutOfQuorum = []string{"b"} }), reason.MonOutOfQuorum, "b"},
		"until all has been well, of an OSD":               {osd(func(f *migration.Facts) { f.Steady.Since = now }), reason.Settling, "30s"},
		"by a write that was in vain": {osd(func(f *migration.Facts) {
			f.Daemons[osd0].Rollout.Asked = rook.Asked{For: addr("242.0.0.10"), At: now.Add(-time.Minute)}
		}), reason.OSDNotRewritten, "11:59"},
		"of OSDs that Rook is to leave alone": {osd(func(f *migration.Facts) {
			f.Daemons[osd0].Rollout.Skipped, f.Daemons[osd1].Rollout.Skipped = true, true
		}), reason.ReconcileSkipped, "rook-ceph-osd-0"},
	} {
		t.Run(name, func(t *testing.T) {
			step, why := migration.Next(*c.facts)
			require.Equal(t, migration.Wait, step.Action)
			require.Equal(t, c.want, why.Code, why.Detail)
			require.Contains(t, why.Detail, c.says)
			require.True(t, why.Code.Known())
		})
	}
}

func unwell(check string) func(*migration.Facts) {
	return func(f *migration.Facts) { f.Health.Status, f.Health.Checks = "HEALTH_WARN", []string{check} }
}

func everyMon(f *migration.Facts, edit func(*rook.DaemonFacts)) {
	for i := range osd0 {
		edit(&f.Daemons[i])
	}
}

func TestAStepIsTaken(t *testing.T) {
	stopped := func(f *migration.Facts, edit func(*rook.DaemonFacts)) *migration.Facts {
		a := &f.Daemons[monA]
		a.Export.Move = rook.Move{Since: now.Add(-5 * time.Minute), Generation: 1, Newest: "c"}
		a.Rollout.Replicas, a.Rollout.Available, a.Rollout.Generation = 0, false, 2
		f.Health.Checks, f.List.OutOfQuorum = []string{"MON_DOWN"}, []string{"a"}
		edit(a)
		return f
	}
	restarted := func(undone int) *migration.Facts {
		return stopped(well(), func(a *rook.DaemonFacts) {
			a.Rollout.Replicas, a.Rollout.Available, a.Rollout.Generation = 1, true, 3
			a.Export.Move.Undone = undone
		})
	}
	calm := func(f *migration.Facts) *migration.Facts {
		f.Health.Checks, f.List.OutOfQuorum = nil, nil
		return f
	}
	replaced := func(edit func(*migration.Facts)) *migration.Facts {
		f := calm(stopped(well(), func(a *rook.DaemonFacts) { a.Deployed, a.Listed = false, netip.Addr{} }))
		d := daemon(rook.Mon, "d", 4)
		global(&d)
		d.Rollout.AvailableSince = now.Add(-2 * time.Minute)
		f.Daemons = append(f.Daemons[:osd0:osd0], d, f.Daemons[osd0], f.Daemons[osd1])
		f.Daemons[monA].Rollout = rook.Rollout{}
		edit(f)
		return f
	}
	for name, c := range map[string]struct {
		facts  *migration.Facts
		action migration.Action
		daemon string
		code   reason.Code
		move   string
	}{
		"the first mon is stopped": {well(), migration.StopMon, "rook-ceph-mon-a", reason.MonStopped, "since=2026-11-25T12:00:00Z generation=1 newest=c"},
		"a mon whose export is not Valid is left for later": {func() *migration.Facts {
			f := well()
			f.Daemons[monA].Export.Valid, f.Steady.Daemon = metav1.ConditionFalse, "rook-ceph-mon-b"
			return f
		}(), migration.StopMon, "rook-ceph-mon-b", reason.MonStopped, "since=2026-11-25T12:00:00Z generation=1 newest=c"},
		"the next mon is stopped with a new one beside it": {func() *migration.Facts {
			f := well()
			global(&f.Daemons[monA])
			f.Steady.Daemon = "rook-ceph-mon-b"
			return f
		}(), migration.StopMon, "rook-ceph-mon-b", reason.MonStopped, "since=2026-11-25T12:00:00Z generation=1 newest=c"},
		"with a warning that does not matter":  {func() *migration.Facts { f := well(); unwell("PG_NOT_DEEP_SCRUBBED")(f); return f }(), migration.StopMon, "rook-ceph-mon-a", reason.MonStopped, "since=2026-11-25T12:00:00Z generation=1 newest=c"},
		"a mon that was stopped is waited for": {stopped(well(), func(*rook.DaemonFacts) {}), migration.Wait, "rook-ceph-mon-a", reason.MonReplacing, ""},
		"it is waited for while migration is off": {func() *migration.Facts {
			f := stopped(well(), func(*rook.DaemonFacts) {})
			f.Settings.Off = true
			return f
		}(), migration.Wait, "rook-ceph-mon-a", reason.MonReplacing, ""},
		"until the end of Rook's timeout and ten minutes":        {stopped(well(), func(a *rook.DaemonFacts) { a.Export.Move.Since = now.Add(-20*time.Minute + time.Second) }), migration.Wait, "rook-ceph-mon-a", reason.MonReplacing, ""},
		"but not for a time to come":                             {stopped(well(), func(a *rook.DaemonFacts) { a.Export.Move.Since = now.AddDate(100, 0, 0) }), migration.StartMon, "rook-ceph-mon-a", reason.MonNotReplaced, "since=2126-11-25T12:00:00Z generation=1 newest=c failed=1 retry-at=2026-11-25T12:30:00Z"},
		"then it is started again, and tried half an hour later": {stopped(well(), func(a *rook.DaemonFacts) { a.Export.Move.Since = now.Add(-20 * time.Minute) }), migration.StartMon, "rook-ceph-mon-a", reason.MonNotReplaced, "since=2026-11-25T11:40:00Z generation=1 newest=c failed=1 retry-at=2026-11-25T12:30:00Z"},
		"but not while somebody works on it": {stopped(well(), func(a *rook.DaemonFacts) {
			a.Export.Move.Since, a.Rollout.Skipped = now.Add(-20*time.Minute), true
		}), migration.Wait, "rook-ceph-mon-a", reason.ReconcileSkipped, ""},
		"nor by a leader that comes after one which was about to": {stopped(well(), func(a *rook.DaemonFacts) {
			a.Export.Move.RetryAt, a.Rollout.Skipped = now.Add(time.Minute), true
		}), migration.Wait, "rook-ceph-mon-a", reason.ReconcileSkipped, ""},
		"the second time it is tried two hours later": {stopped(well(), func(a *rook.DaemonFacts) {
			a.Export.Move.Since, a.Export.Move.Failed = now.Add(-20*time.Minute), 1
		}), migration.StartMon, "rook-ceph-mon-a", reason.MonNotReplaced, "since=2026-11-25T11:40:00Z generation=1 newest=c failed=2 retry-at=2026-11-25T14:00:00Z"},
		"it is started again even while migration is off": {func() *migration.Facts {
			f := stopped(well(), func(a *rook.DaemonFacts) { a.Export.Move.Since = now.Add(-20 * time.Minute) })
			f.Switches.Migrate = "false"
			return f
		}(), migration.StartMon, "rook-ceph-mon-a", reason.MonNotReplaced, "since=2026-11-25T11:40:00Z generation=1 newest=c failed=1 retry-at=2026-11-25T12:30:00Z"},
		"it is started again at once when another mon fails": {func() *migration.Facts {
			f := stopped(well(), func(*rook.DaemonFacts) {})
			f.Daemons[monB].Rollout.Available, f.Daemons[monB].Rollout.Down = false, true
			return f
		}(), migration.StartMon, "rook-ceph-mon-a", reason.MonNotReplaced, "since=2026-11-25T11:55:00Z generation=1 newest=c failed=1 retry-at=2026-11-25T12:30:00Z"},
		"unless enough are left": {func() *migration.Facts {
			f := well()
			f.Daemons = slices.Insert(f.Daemons, osd0, daemon(rook.Mon, "d", 4), daemon(rook.Mon, "e", 5))
			f = stopped(f, func(a *rook.DaemonFacts) { a.Export.Move.Newest = "e" })
			f.Daemons[monB].Rollout.Available, f.Daemons[monB].Rollout.Down = false, true
			return f
		}(), migration.Wait, "rook-ceph-mon-a", reason.MonReplacing, ""},
		"or Rook has but written it": {func() *migration.Facts {
			f := stopped(well(), func(*rook.DaemonFacts) {})
			f.Daemons[monB].Rollout.Available = false
			return f
		}(), migration.Wait, "rook-ceph-mon-a", reason.MonReplacing, ""},
		"and not for the one that is to take its place": {func() *migration.Facts {
			f := stopped(well(), func(*rook.DaemonFacts) {})
			d := daemon(rook.Mon, "d", 4)
			d.Rollout.Available, d.Rollout.Down = false, true
			f.Daemons = slices.Insert(f.Daemons, osd0, d)
			return f
		}(), migration.Wait, "rook-ceph-mon-a", reason.MonReplacing, ""},
		"a leader that ended before it started the mon again": {stopped(well(), func(a *rook.DaemonFacts) {
			a.Export.Move.Failed, a.Export.Move.RetryAt = 1, now.Add(time.Minute)
		}), migration.StartMon, "rook-ceph-mon-a", reason.MonNotReplaced, "since=2026-11-25T11:55:00Z generation=1 newest=c failed=1 retry-at=2026-11-25T12:01:00Z"},
		"a mon that runs again is tried later": {stopped(well(), func(a *rook.DaemonFacts) {
			a.Rollout.Replicas, a.Rollout.Generation = 1, 3
			a.Export.Move.Failed, a.Export.Move.RetryAt = 1, now.Add(time.Minute)
		}), migration.NoteMove, "rook-ceph-mon-a", reason.MonNotReplaced, "failed=1 retry-at=2026-11-25T12:01:00Z"},

		"a leader that ended before it stopped the mon": {calm(stopped(well(), func(a *rook.DaemonFacts) {
			a.Rollout.Replicas, a.Rollout.Available, a.Rollout.Generation = 1, true, 1
		})), migration.StopMon, "rook-ceph-mon-a", reason.MonStopped, "since=2026-11-25T12:00:00Z generation=1 newest=c"},
		"a mon that Rook has started again is stopped again": {calm(restarted(0)), migration.StopMon, "rook-ceph-mon-a", reason.MonStoppedAgain, "since=2026-11-25T12:00:00Z generation=3 newest=c undone=1"},
		"but only once all is well":                          {restarted(0), migration.Wait, "rook-ceph-mon-a", reason.MonDown, ""},
		"and not while migration is paused":                  {func() *migration.Facts { f := restarted(0); f.Switches.Migrate = "pause"; return f }(), migration.NoteMove, "rook-ceph-mon-a", reason.MigrationPaused, ""},
		"nor if it needs no replacement": {func() *migration.Facts {
			f := calm(restarted(0))
			global(&f.Daemons[monA])
			return f
		}(), migration.NoteMove, "rook-ceph-mon-a", reason.AlreadyRight, ""},
		"for the third time": {calm(restarted(2)), migration.StopMon, "rook-ceph-mon-a", reason.MonStoppedAgain, "since=2026-11-25T12:00:00Z generation=3 newest=c undone=3"},
		"and no more":        {calm(restarted(3)), migration.NoteMove, "rook-ceph-mon-a", reason.MonMoveUndone, "failed=1 retry-at=2026-11-25T12:30:00Z"},

		"a mon that is gone and still listed is waited for": {calm(stopped(well(), func(a *rook.DaemonFacts) { a.Deployed = false })), migration.Wait, "rook-ceph-mon-a", reason.MonReplacing, ""},
		"the move of a mon that was replaced is over":       {replaced(func(*migration.Facts) {}), migration.NoteMove, "rook-ceph-mon-a", reason.MonReplaced, ""},
		"a Deployment that Rook left behind is no mon": {replaced(func(f *migration.Facts) {
			f.Daemons[monA].Deployed, f.Daemons[monA].Rollout = true, rook.Rollout{Generation: 2}
			f.Daemons[monA].Export.Move.Since = now.Add(-time.Hour)
		}), migration.NoteMove, "rook-ceph-mon-a", reason.MonLeftBehind, ""},
		"and the next mon follows": {replaced(func(f *migration.Facts) {
			f.Daemons[monA].Deployed, f.Daemons[monA].Rollout = true, rook.Rollout{Generation: 2}
			f.Daemons[monA].Export.Move = rook.Move{Failed: 1, RetryAt: now.Add(time.Hour)}
			f.Steady.Daemon = "rook-ceph-mon-b"
		}), migration.StopMon, "rook-ceph-mon-b", reason.MonStopped, "since=2026-11-25T12:00:00Z generation=1 newest=d"},
		"not before the new one is available":     {replaced(func(f *migration.Facts) { f.Daemons[osd0].Rollout.Available = false }), migration.Wait, "rook-ceph-mon-a", reason.Unavailable, ""},
		"not while Rook makes another":            {replaced(func(f *migration.Facts) { f.Placing = true }), migration.Wait, "rook-ceph-mon-a", reason.FailoverRunning, ""},
		"not by an old status":                    {replaced(func(f *migration.Facts) { f.Health.Checked = now.Add(-time.Hour) }), migration.Wait, "rook-ceph-mon-a", reason.StatusOld, ""},
		"not at HEALTH_ERR":                       {replaced(func(f *migration.Facts) { f.Health.Status = "HEALTH_ERR" }), migration.Wait, "rook-ceph-mon-a", reason.HealthError, ""},
		"not with MON_DOWN":                       {replaced(unwell("MON_DOWN")), migration.Wait, "rook-ceph-mon-a", reason.MonDown, ""},
		"not with a mon out of quorum":            {replaced(func(f *migration.Facts) { f.List.OutOfQuorum = []string{"d"} }), migration.Wait, "rook-ceph-mon-a", reason.MonOutOfQuorum, ""},
		"not before it is listed":                 {replaced(func(f *migration.Facts) { f.List.Mons = 2 }), migration.Wait, "rook-ceph-mon-a", reason.MonCountDiffers, ""},
		"not before Rook has it at its global IP": {replaced(func(f *migration.Facts) { f.Daemons[osd0].Listed = addr("10.96.0.4") }), migration.Wait, "rook-ceph-mon-a", reason.EndpointWrong, ""},
		"not before a status tells of it":         {replaced(func(f *migration.Facts) { f.Health.Checked = now.Add(-2 * time.Minute) }), migration.Wait, "rook-ceph-mon-a", reason.StatusBeforeStep, ""},
		"a mon that was born with its ClusterIP is no success": {replaced(func(f *migration.Facts) {
			f.Daemons[osd0] = daemon(rook.Mon, "d", 4)
		}), migration.NoteMove, "rook-ceph-mon-d", reason.MonBornWrong, "failed=1 retry-at=2026-11-25T12:30:00Z"},

		"an OSD is written once the mons are done": {monsDone(), migration.WriteOSD, "rook-ceph-osd-0", reason.OSDWritten, ""},
		"an OSD that is to be left alone is passed over": {func() *migration.Facts {
			f := monsDone()
			f.Daemons[osd0].Rollout.Skipped, f.Steady.Daemon = true, "rook-ceph-osd-1"
			return f
		}(), migration.WriteOSD, "rook-ceph-osd-1", reason.OSDWritten, ""},
		"an OSD whose address changed is written again": {func() *migration.Facts {
			f := monsDone()
			global(&f.Daemons[osd1])
			f.Daemons[osd0].Address = addr("242.0.0.77")
			f.Daemons[osd0].Rollout.Asked = rook.Asked{For: addr("242.0.0.77"), At: now.Add(-2 * time.Minute)}
			return f
		}(), migration.WriteOSD, "rook-ceph-osd-0", reason.OSDWritten, ""},
		"an OSD is written again in half an hour if that was in vain": {func() *migration.Facts {
			f := monsDone()
			f.Daemons[osd0].Rollout.Asked = rook.Asked{For: addr("242.0.0.10"), At: now.Add(-30 * time.Minute)}
			return f
		}(), migration.WriteOSD, "rook-ceph-osd-0", reason.OSDWritten, ""},
		"an OSD is written whatever time to come stands in another or itself": {func() *migration.Facts {
			f := monsDone()
			for _, i := range []int{osd0, osd1} {
				f.Daemons[i].Rollout.Asked = rook.Asked{For: f.Daemons[i].Export.GlobalIP, At: now.AddDate(100, 0, 0)}
			}
			return f
		}(), migration.WriteOSD, "rook-ceph-osd-0", reason.OSDWritten, ""},
		"two mons at their global IPs keep no OSD back": {func() *migration.Facts {
			f := monsDone()
			f.Failover.Mons = 2
			return f
		}(), migration.WriteOSD, "rook-ceph-osd-0", reason.OSDWritten, ""},
		"nothing is left to do": {func() *migration.Facts {
			f := monsDone()
			global(&f.Daemons[osd0])
			global(&f.Daemons[osd1])
			return f
		}(), migration.Wait, "", reason.MigrationDone, ""},
		"what is not Rook's is not moved": {func() *migration.Facts {
			f := monsDone()
			global(&f.Daemons[osd0])
			f.Daemons[osd1].Daemon.Cluster = ""
			return f
		}(), migration.Wait, "", reason.MigrationDone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			step, why := migration.Next(*c.facts)
			require.Equal(t, c.code, why.Code, why.Detail)
			require.Equal(t, c.action, step.Action, "%s", step.Action)
			if c.daemon == "" {
				require.Empty(t, step.Daemon.ID)
			} else {
				require.Equal(t, c.daemon, step.Daemon.Name())
			}
			require.Equal(t, c.move, step.Move.String())
		})
	}
}

func TestAPlanHasAllThatIsLeftInOrder(t *testing.T) {
	f := well()
	f.Asks = true
	f.Daemons[monB].Export.Valid = metav1.ConditionFalse
	plan := migration.MakePlan(*f)
	var order []string
	for _, m := range plan.Moves {
		order = append(order, m.Daemon.Name())
	}
	require.Equal(t, "rook-ceph-mon-a rook-ceph-mon-c rook-ceph-mon-b rook-ceph-osd-0 rook-ceph-osd-1", strings.Join(order, " "))
	require.Equal(t, reason.ExportNotValid, plan.Moves[2].KeptBack.Code)
	require.Equal(t, migration.StopMon, plan.Next.Action)
	mons, osds := plan.Count()
	require.Equal(t, []int{3, 2}, []int{mons, osds})
	require.Equal(t, 3*(10*time.Minute+45*time.Second+22*time.Second)+5*90*time.Second, plan.AtLeast)
}

func TestAMoveIsReadAsItWasNoted(t *testing.T) {
	for _, move := range []rook.Move{
		{},
		{Since: now, Generation: 7},
		{Since: now, Generation: 7, Newest: "c", Undone: 2, Failed: 1},
		{Failed: 3, RetryAt: now},
	} {
		require.Equal(t, move, rook.ReadMove(move.String()))
	}
	require.Equal(t, rook.Move{}, rook.ReadMove("since=yesterday what failed=many"))
	require.Equal(t, rook.Move{Since: now}, rook.ReadMove("since=2026-11-25T12:00:00Z generation=-1 undone=-3 failed=-1"))
}

func TestWhateverSomebodyWroteOfAMoveNobodyStumblesOverIt(t *testing.T) {
	for _, text := range []string{
		"since=2026-11-25T11:00:00Z undone=7 failed=-1",
		"since=2026-11-25T11:00:00Z undone=7 failed=-9223372036854775808",
		"since=2026-11-25T11:00:00Z undone=7 failed=99999999999999999999",
	} {
		f := well()
		f.Daemons[monA].Export.Move = rook.ReadMove(text)
		step, why := migration.Next(*f)
		require.Equal(t, reason.MonMoveUndone, why.Code, text)
		require.Equal(t, "rook-ceph-mon-a", step.Daemon.Name())
		require.True(t, step.Move.RetryAt.After(now), text)
	}
}

func TestAMoveCountsOnAnExportOfOursOfAMonAlone(t *testing.T) {
	ours := map[string]string{rook.ManagedLabel: "true"}
	for name, c := range map[string]struct {
		daemon rook.Daemon
		labels map[string]string
		counts bool
	}{
		"of a mon":                            {rook.Daemon{Type: rook.Mon, ID: "b"}, ours, true},
		"of an OSD":                           {rook.Daemon{Type: rook.OSD, ID: "1"}, ours, false},
		"of a mon that somebody else exports": {rook.Daemon{Type: rook.Mon, ID: "zz"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			meta := &metav1.ObjectMeta{Name: c.daemon.Name(), Labels: c.labels, Annotations: map[string]string{rook.MoveAnnotation: "since=2026-11-25T11:00:00Z"}}
			f := well()
			i := slices.IndexFunc(f.Daemons, func(d rook.DaemonFacts) bool { return d.Daemon.Name() == c.daemon.Name() })
			if i < 0 {
				i, f.Daemons = len(f.Daemons), append(f.Daemons, rook.DaemonFacts{Daemon: c.daemon})
			}
			f.Daemons[i].Export.Move = rook.ReadExport(meta, nil).Move
			step, _ := migration.Next(*f)
			if c.counts {
				require.Equal(t, "rook-ceph-mon-b", step.Daemon.Name())
				return
			}
			require.Equal(t, "stop mon rook-ceph-mon-a", step.Action.String()+" "+step.Daemon.Name())
		})
	}
}
