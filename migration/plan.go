package migration

import (
	"net/netip"
	"time"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Plan is what is left to be done for a cluster that runs, in order, and what the first of it waits for.
type Plan struct {
	Moves []Planned
	// Next is the step that comes next, and Why it is done or waited for.
	Next Step
	Why  rook.State
	// AtLeast is how long it takes if nothing stands in the way, as far as that is known.
	AtLeast time.Duration
}

// Planned is a daemon that is to be moved.
type Planned struct {
	Daemon rook.Daemon
	From   netip.Addr
	// To is the global IP that an OSD is given; the mon that takes the place of another has its own.
	To netip.Addr
	// UnderWay says that it is being moved now.
	UnderWay bool
	// KeptBack is what of its own keeps it where it is; an empty code is nothing.
	KeptBack rook.State
}

// What a move takes besides what the CephCluster says.
const (
	// statusInterval passes between two looks of Rook at Ceph's health.
	statusInterval = time.Minute
	// replacing is the longest that Rook took from the creation of a mon to the removal of the old one (measured, Rook 1.20.6).
	replacing = 22 * time.Second
)

// MakePlan returns what is left to be done.
func MakePlan(f Facts) Plan {
	p := Plan{}
	p.Next, p.Why = Next(f)
	underWay, moving := f.moving()
	if moving {
		p.add(f, underWay, true)
	}
	for _, d := range f.remaining() {
		if !moving || d.Daemon != underWay.Daemon {
			p.add(f, d, false)
		}
	}
	return p
}

func (p *Plan) add(f Facts, d rook.DaemonFacts, underWay bool) {
	planned := Planned{Daemon: d.Daemon, From: d.Address, UnderWay: underWay}
	planned.KeptBack, _ = keptBack(d)
	if d.Daemon.Type.KeepsAddressForLife() {
		p.AtLeast += f.Failover.Timeout + f.Failover.Interval + replacing
	} else {
		planned.To = d.Export.GlobalIP
	}
	p.Moves = append(p.Moves, planned)
	p.AtLeast += statusInterval + f.Settings.Settle
}

// Count returns how many mons and OSDs are to be moved.
func (p Plan) Count() (mons, osds int) {
	for _, m := range p.Moves {
		if m.Daemon.Type.KeepsAddressForLife() {
			mons++
		} else {
			osds++
		}
	}
	return mons, osds
}
