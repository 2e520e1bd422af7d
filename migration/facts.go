package migration

import (
	"slices"
	"time"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// Settings are those of the manager.
type Settings struct {
	// Off leaves every cluster where it is.
	Off bool
	// Settle is how long all has to have been well before a step.
	Settle time.Duration
	// Slack is how much longer than Rook's own timeout the replacement of a mon may take.
	Slack time.Duration
}

// DefaultSettings are those of a manager that is told nothing else.
var DefaultSettings = Settings{Settle: 30 * time.Second, Slack: 10 * time.Minute}

// Facts is what a decision rests on.
type Facts struct {
	view.Snapshot
	ExportKindServed bool
	Settings         Settings
	Now              time.Time
	// Asks says that somebody wants to know and does nothing: no step has to wait for calm.
	Asks bool
	// Steady is the daemon whose step nothing but the wait for calm has held back, and since when.
	Steady Steady
	// Probe is what came of dialling the daemon that is next at its global IP.
	Probe Probe
}

// Steady is a step that could be done, and since when that is so.
type Steady struct {
	Daemon string
	Since  time.Time
}

// Probe is whether a daemon answers at its global IP as Ceph does.
type Probe int

// What a probe can tell.
const (
	// NotTold is that of a place from which no global IP can be dialled.
	NotTold Probe = iota
	// Answered says that it did.
	Answered
	// Unanswered says that it did not, though another daemon did.
	Unanswered
)

const (
	// statusAge is how old the status of a CephCluster may be; Rook writes it once a minute. No clock may be ahead by as much.
	statusAge = 3 * time.Minute
	// maxUndone is how often a mon is stopped again that Rook has started.
	maxUndone = 3
	// leastMons are so many that one can be down.
	leastMons = 3
)

// remains says whether a daemon is to be moved: one that lives, is Rook's to write, and is not at its global IP.
func (f Facts) remains(d rook.DaemonFacts) bool {
	if !d.Deployed || f.leftBehind(d) || d.Daemon.Cluster == "" || f.Cluster == nil || d.Daemon.Cluster != f.Cluster.Name {
		return false
	}
	if d.Daemon.Type.KeepsAddressForLife() {
		return d.Export.Identity != rook.IdentityClusterset
	}
	return !d.Export.GlobalIP.IsValid() || d.Address != d.Export.GlobalIP
}

// remaining returns the daemons that are to be moved in the order in which they are: mons first, and of each type first those
// that nothing of their own keeps back.
func (f Facts) remaining() []rook.DaemonFacts {
	var all []rook.DaemonFacts
	for _, d := range f.Daemons {
		if f.remains(d) {
			all = append(all, d)
		}
	}
	slices.SortStableFunc(all, func(a, b rook.DaemonFacts) int {
		return rank(a) - rank(b)
	})
	return all
}

func rank(d rook.DaemonFacts) int {
	r := 0
	if !d.Daemon.Type.KeepsAddressForLife() {
		r = 2
	}
	if _, kept := keptBack(d); kept {
		r++
	}
	return r
}

// keptBack returns what of the daemon's own keeps it where it is: it has no address that it could take, or is not to be touched.
func keptBack(d rook.DaemonFacts) (rook.State, bool) {
	switch {
	case d.Rollout.HostNetwork:
		return rook.State{Code: reason.HostNetwork}, true
	case d.Rollout.Skipped:
		return rook.State{Code: reason.ReconcileSkipped, Detail: "on " + d.Daemon.Name()}, true
	case d.Export.Refused != "":
		return rook.State{Code: d.Export.Refused, Detail: d.Export.RefusedDetail}, true
	}
	if why := d.Export.Why(d.Daemon); why != nil {
		return rook.State{Code: why.Code, Detail: why.Detail}, true
	}
	return rook.State{}, false
}

// mons returns the mons that have a Deployment.
func (f Facts) mons() []rook.DaemonFacts {
	return slices.DeleteFunc(slices.Clone(f.Daemons), func(d rook.DaemonFacts) bool {
		return !d.Deployed || !d.Daemon.Type.KeepsAddressForLife() || f.leftBehind(d)
	})
}

// leftBehind says whether a Deployment is all that is left of a mon that was replaced: Rook takes a mon from the monmap, from its
// list, and deletes its Deployment last, which it never does if it fails in between. To start it would be in vain.
func (f Facts) leftBehind(d rook.DaemonFacts) bool {
	return d.Daemon.Type.StandsInList() && d.Deployed && d.Rollout.Replicas == 0 && f.List.Mons > 0 && !d.Listed.IsValid()
}

// moving returns the mon that is being replaced.
func (f Facts) moving() (rook.DaemonFacts, bool) {
	i := slices.IndexFunc(f.Daemons, func(d rook.DaemonFacts) bool { return d.Export.Move.UnderWay() })
	if i < 0 {
		return rook.DaemonFacts{}, false
	}
	return f.Daemons[i], true
}

// lastStep returns when a daemon of the cluster last came up or went down, or was asked to.
func (f Facts) lastStep() time.Time {
	var last time.Time
	for _, d := range f.Daemons {
		for _, at := range []time.Time{d.Rollout.AvailableSince, f.noted(d.Rollout.Asked.At), f.noted(d.Export.Move.Since)} {
			if at.After(last) {
				last = at
			}
		}
	}
	return last
}

// noted returns a time that a leader noted, and none for one that is to come: be it by hand, or by a clock that went wrong, it would
// be waited for.
func (f Facts) noted(at time.Time) time.Time {
	if at.After(f.Now.Add(statusAge)) {
		return time.Time{}
	}
	return at
}

// patience is how long the replacement of a mon may take.
func (f Facts) patience() time.Duration { return f.Failover.Timeout + f.Settings.Slack }
