package migration

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// hold returns what holds back the step for a daemon; an empty code lets it go on.
type hold func(f Facts, d rook.DaemonFacts) rook.State

// The holds in the order in which they are looked at: what will not change by itself comes first.
var (
	beforeMon = []hold{
		switchedOff, tooFewMons, externalMons, floatingMons, monCheckOff, monTimeoutZero, failedBefore, ownReason, skipped,
		notReady, reloadPending, statusOld, healthError, monDown, osdsUnwell, outOfQuorum, failoverRunning, monCount, unavailableMons,
		otherMonsUntrue, statusBeforeStep, probeUnanswered, settling,
	}
	beforeOSD = []hold{
		switchedOff, ownReason, notRewritten, skipped, notReady, statusOld, healthError, monDown, osdsUnwell, outOfQuorum,
		unavailableMons, unavailableOSDs, statusBeforeStep, settling,
	}
	afterMon = []hold{
		failoverRunning, monCount, unavailableMons, otherMonsUntrue, statusOld, healthError, monDown, outOfQuorum, statusBeforeStep,
	}
)

// holds returns the first thing that holds back the step for a daemon.
func (f Facts) holds(d rook.DaemonFacts) (rook.State, bool) {
	if d.Daemon.Type.KeepsAddressForLife() {
		return first(f, d, beforeMon)
	}
	return first(f, d, beforeOSD)
}

func first(f Facts, d rook.DaemonFacts, holds []hold) (rook.State, bool) {
	for _, h := range holds {
		if why := h(f, d); why.Code != "" {
			return why, true
		}
	}
	return rook.State{}, false
}

func when(held bool, code reason.Code, format string, args ...any) rook.State {
	if !held {
		return rook.State{}
	}
	return rook.State{Code: code, Detail: fmt.Sprintf(format, args...)}
}

func switchedOff(f Facts, _ rook.DaemonFacts) rook.State { return rook.State{Code: f.mayBegin()} }

func tooFewMons(f Facts, _ rook.DaemonFacts) rook.State {
	return when(f.Failover.Mons < leastMons, reason.TooFewMons, "spec.mon.count is %d", f.Failover.Mons)
}

func externalMons(f Facts, _ rook.DaemonFacts) rook.State {
	return when(f.Failover.External || f.List.External, reason.ExternalMons, "")
}

func floatingMons(f Facts, _ rook.DaemonFacts) rook.State {
	return when(f.Floating, reason.FloatingMons, "")
}

func monCheckOff(f Facts, _ rook.DaemonFacts) rook.State {
	return when(f.Failover.Off, reason.MonCheckOff, "")
}

func monTimeoutZero(f Facts, _ rook.DaemonFacts) rook.State {
	return when(f.Failover.Timeout == 0, reason.MonTimeoutZero, "")
}

func failedBefore(f Facts, _ rook.DaemonFacts) rook.State {
	at := f.retryAt()
	return when(f.Now.Before(at), reason.RetryLater, "until %s", clock(at))
}

func ownReason(_ Facts, d rook.DaemonFacts) rook.State {
	why, _ := keptBack(d)
	return why
}

// skipped is for the whole cluster: on the Deployment of any mon the label ends the failover of all.
func skipped(f Facts, _ rook.DaemonFacts) rook.State {
	if f.Failover.Skipped {
		return rook.State{Code: reason.ReconcileSkipped, Detail: "on the CephCluster"}
	}
	return about(f.mons(), reason.ReconcileSkipped, "on ", func(mon rook.DaemonFacts) bool { return mon.Rollout.Skipped })
}

func notReady(f Facts, _ rook.DaemonFacts) rook.State {
	return when(!f.Cluster.IsReady(), reason.ClusterNotReady, "its phase is %s", f.Cluster.Phase)
}

// reloadPending is a full reconcile to come, in which Rook would start a mon again that was stopped.
func reloadPending(f Facts, _ rook.DaemonFacts) rook.State {
	return when(f.List.Stale, reason.ReloadPending, "")
}

func statusOld(f Facts, _ rook.DaemonFacts) rook.State {
	if f.Health.Checked.IsZero() {
		return rook.State{Code: reason.StatusOld, Detail: "there is none"}
	}
	return when(f.Now.Sub(f.Health.Checked).Abs() > statusAge, reason.StatusOld, "it is of %s", clock(f.Health.Checked))
}

func healthError(f Facts, _ rook.DaemonFacts) rook.State {
	return when(f.Health.Status == rook.HealthError || f.Health.Status == "", reason.HealthError, "%s", strings.Join(f.Health.Checks, ", "))
}

func monDown(f Facts, _ rook.DaemonFacts) rook.State {
	return when(f.Health.Has("MON_DOWN"), reason.MonDown, "")
}

func outOfQuorum(f Facts, _ rook.DaemonFacts) rook.State {
	return when(len(f.List.OutOfQuorum) > 0, reason.MonOutOfQuorum, "%s", strings.Join(f.List.OutOfQuorum, ", "))
}

// failoverRunning is a mon that Rook lists, or looks for a node for, and that has no Deployment yet.
func failoverRunning(f Facts, _ rook.DaemonFacts) rook.State {
	if f.Placing {
		return rook.State{Code: reason.FailoverRunning, Detail: "it looks for a node"}
	}
	return about(f.Daemons, reason.FailoverRunning, "mon ", func(d rook.DaemonFacts) bool { return d.Listed.IsValid() && !d.Deployed })
}

func monCount(f Facts, _ rook.DaemonFacts) rook.State {
	wanted, deployed := f.Failover.Mons, len(f.mons())
	return when(deployed != wanted || f.List.Mons != wanted || f.Health.Mons != wanted, reason.MonCountDiffers,
		"%d are wanted, %d deployed, %d listed by Rook, %d in quorum", wanted, deployed, f.List.Mons, f.Health.Mons)
}

func unavailableMons(f Facts, _ rook.DaemonFacts) rook.State { return unavailable(f.mons()) }

func unavailableOSDs(f Facts, _ rook.DaemonFacts) rook.State {
	return unavailable(slices.DeleteFunc(slices.Clone(f.Daemons), func(d rook.DaemonFacts) bool {
		return !d.Deployed || d.Daemon.Type.KeepsAddressForLife()
	}))
}

func unavailable(daemons []rook.DaemonFacts) rook.State {
	return about(daemons, reason.Unavailable, "", func(d rook.DaemonFacts) bool { return !d.Rollout.Available })
}

// otherMonsUntrue is a mon that has its global IP and is not well with it.
func otherMonsUntrue(f Facts, _ rook.DaemonFacts) rook.State {
	for _, mon := range f.mons() {
		if state := mon.State(); mon.Export.Identity == rook.IdentityClusterset && state.Code != reason.OK {
			return rook.State{Code: state.Code, Detail: strings.TrimPrefix(mon.Daemon.String()+": "+state.Detail, ": ")}
		}
	}
	return rook.State{}
}

// statusBeforeStep waits for Rook to have asked Ceph since a daemon last changed.
func statusBeforeStep(f Facts, _ rook.DaemonFacts) rook.State {
	last := f.lastStep()
	return when(!f.Health.Checked.After(last), reason.StatusBeforeStep, "which was at %s", clock(last))
}

func probeUnanswered(f Facts, d rook.DaemonFacts) rook.State {
	return when(f.Probe == Unanswered, reason.ProbeUnanswered, "%s", d.Export.GlobalIP)
}

// notRewritten is an OSD that admission did not give its global IP when it was written.
func notRewritten(f Facts, d rook.DaemonFacts) rook.State {
	asked := d.Rollout.Asked
	return when(asked.For == d.Export.GlobalIP && f.Now.Sub(f.noted(asked.At)) < askAgain, reason.OSDNotRewritten, "at %s", clock(asked.At))
}

// askAgain is when an OSD is written again that admission did not give its global IP.
const askAgain = 30 * time.Minute

// osdsUnwell are the complaints with which no OSD may be missed: one is down, or data has not all its copies, or has no room.
func osdsUnwell(f Facts, _ rook.DaemonFacts) rook.State {
	unwell := slices.DeleteFunc(slices.Clone(f.Health.Checks), func(check string) bool {
		down := strings.HasPrefix(check, "OSD_") && strings.HasSuffix(check, "_DOWN")
		return !down && !slices.Contains(unwellChecks, check)
	})
	return when(len(unwell) > 0, reason.OSDsUnwell, "%s", strings.Join(unwell, ", "))
}

// unwellChecks are Ceph's names of its health checks, besides OSD_DOWN and OSD_<a level of the CRUSH map>_DOWN. Without a mgr the mons
// answer, and of the data they tell what the last one told.
var unwellChecks = []string{
	"MGR_DOWN",
	"OSDMAP_FLAGS", "OSD_FLAGS", "OSD_FULL", "OSD_BACKFILLFULL", "POOL_FULL",
	"PG_AVAILABILITY", "PG_DEGRADED", "PG_DAMAGED", "PG_RECOVERY_FULL", "PG_BACKFILL_FULL", "OBJECT_UNFOUND",
}

// settling waits for all to have been well for a while.
func settling(f Facts, d rook.DaemonFacts) rook.State {
	steady := f.Steady.Daemon == d.Daemon.Name() && f.Now.Sub(f.Steady.Since) >= f.Settings.Settle
	return when(!f.Asks && !steady, reason.Settling, "%s", f.Settings.Settle)
}

// about returns the code for the daemons of which something holds, and their names.
func about(daemons []rook.DaemonFacts, code reason.Code, prefix string, holds func(rook.DaemonFacts) bool) rook.State {
	var names []string
	for _, d := range daemons {
		if holds(d) {
			names = append(names, d.Daemon.String())
		}
	}
	return when(len(names) > 0, code, "%s%s", prefix, strings.Join(names, ", "))
}
