package migration

import (
	"fmt"
	"time"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Action is what a step does.
type Action int

// What a step can do.
const (
	// Wait does nothing.
	Wait Action = iota
	// StopMon notes the move on the export of a mon, and stops the mon.
	StopMon
	// StartMon notes that a move failed, and starts the mon again.
	StartMon
	// NoteMove notes on the export of a mon what has become of its move.
	NoteMove
	// WriteOSD has admission give an OSD its global IP.
	WriteOSD
)

// String returns the action as logs and tests name it.
func (a Action) String() string {
	switch a {
	case Wait:
		return "wait"
	case StopMon:
		return "stop mon"
	case StartMon:
		return "start mon"
	case NoteMove:
		return "note move"
	case WriteOSD:
		return "write OSD"
	}
	return fmt.Sprintf("action %d", int(a))
}

// Step is the next thing to do for a running cluster.
type Step struct {
	Action Action
	// Daemon is the one that it is done for, or waited for; it has no ID where there is none.
	Daemon rook.Daemon
	// Move is what is noted of a mon.
	Move rook.Move
}

// Next returns the next step of a cluster that runs, and why it is done or waited for.
func Next(f Facts) (Step, rook.State) {
	if code := f.aside(); code != "" {
		return Step{}, rook.State{Code: code}
	}
	if mon, underWay := f.moving(); underWay {
		return f.follow(mon)
	}
	remaining := f.remaining()
	if len(remaining) == 0 {
		return Step{}, rook.State{Code: reason.MigrationDone}
	}
	next := remaining[0]
	if why, held := f.holds(next); held {
		return Step{Daemon: next.Daemon}, why
	}
	if next.Daemon.Type.KeepsAddressForLife() {
		return f.stop(next, next.Export.Move), rook.State{Code: reason.MonStopped}
	}
	return Step{Action: WriteOSD, Daemon: next.Daemon}, rook.State{Code: reason.OSDWritten, Detail: next.Export.GlobalIP.String()}
}

// aside returns why the whole cluster is left where it is.
func (f Facts) aside() reason.Code {
	switch {
	case !f.Enabled:
		return reason.NamespaceNotEnabled
	case f.Cluster == nil:
		return reason.ClusterUnknown
	case f.Cluster.Deleting:
		return reason.ClusterDeleting
	}
	if code := f.Cluster.State(f.ExportKindServed); code != reason.Served {
		return code
	}
	return ""
}

// mayBegin returns why no step is begun, which does not hold for one that is under way.
func (f Facts) mayBegin() reason.Code {
	switch {
	case f.Settings.Off, f.Switches.Migrate == rook.SwitchOff:
		return reason.MigrationOff
	case f.Switches.Migrate == rook.SwitchPause:
		return reason.MigrationPaused
	}
	return ""
}

// stop returns the step that stops a mon, for the first time or again.
func (f Facts) stop(mon rook.DaemonFacts, move rook.Move) Step {
	move.Since, move.Generation, move.RetryAt = f.Now.UTC().Truncate(time.Second), mon.Rollout.Generation, time.Time{}
	move.Newest = f.newest().ID
	return Step{Action: StopMon, Daemon: mon.Daemon, Move: move}
}
