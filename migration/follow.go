package migration

import (
	"fmt"
	"strings"
	"time"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// follow returns what becomes of the mon whose replacement is under way.
func (f Facts) follow(mon rook.DaemonFacts) (Step, rook.State) {
	move := mon.Export.Move
	wait := Step{Daemon: mon.Daemon}
	switch {
	case !mon.Deployed, f.leftBehind(mon):
		return f.finish(mon)
	case mon.Rollout.Skipped && mon.Rollout.Replicas == 0:
		// Somebody works on its store, which a mon that is started would open as well.
		return wait, rook.State{Code: reason.ReconcileSkipped, Detail: "on " + mon.Daemon.Name()}
	case !move.RetryAt.IsZero():
		return f.giveUp(mon)
	case mon.Rollout.Replicas > 0:
		return f.resume(mon)
	case f.quorumLost(mon):
		return f.startAgain(mon, "without it there is no quorum, for another mon failed")
	case f.Now.Before(f.noted(move.Since).Add(f.patience())):
		return wait, rook.State{Code: reason.MonReplacing, Detail: fmt.Sprintf("since %s; Rook takes %s to begin, and has until %s",
			clock(move.Since), f.Failover.Timeout, clock(move.Since.Add(f.patience())))}
	}
	return f.startAgain(mon, "it was stopped at "+clock(move.Since))
}

// startAgain is for a mon that is not replaced. The move is under way until it runs: else a leader that ends here would leave it
// stopped.
func (f Facts) startAgain(mon rook.DaemonFacts, why string) (Step, rook.State) {
	move, failed := mon.Export.Move, f.failed(mon.Export.Move)
	move.Failed, move.RetryAt = failed.Failed, failed.RetryAt
	return Step{Action: StartMon, Daemon: mon.Daemon, Move: move}, rook.State{Code: reason.MonNotReplaced, Detail: why}
}

// quorumLost says whether too few mons are left beside one that was stopped: Rook replaces none without a quorum. Those that it has
// made since count for nothing, for they may not have joined.
func (f Facts) quorumLost(stopped rook.DaemonFacts) bool {
	all, up := 0, 0
	for _, mon := range f.mons() {
		if isLater(mon.Daemon.ID, stopped.Export.Move.Newest) {
			continue
		}
		all++
		if mon.Daemon != stopped.Daemon && !mon.Rollout.Down {
			up++
		}
	}
	return 2*up <= all
}

// giveUp is for a mon that is to be started again, because it was not replaced in time.
func (f Facts) giveUp(mon rook.DaemonFacts) (Step, rook.State) {
	move := mon.Export.Move
	why := rook.State{Code: reason.MonNotReplaced, Detail: "it is tried again at " + clock(move.RetryAt)}
	if mon.Rollout.Replicas == 0 {
		return Step{Action: StartMon, Daemon: mon.Daemon, Move: move}, why
	}
	return Step{Action: NoteMove, Daemon: mon.Daemon, Move: rook.Move{Failed: move.Failed, RetryAt: move.RetryAt}}, why
}

// resume is for a mon that runs although it was to be stopped: it was not stopped yet, or Rook has started it.
func (f Facts) resume(mon rook.DaemonFacts) (Step, rook.State) {
	move := mon.Export.Move
	undone := mon.Rollout.Generation > move.Generation
	switch code := f.mayBegin(); {
	case !f.remains(mon):
		// A backup can have put back what was noted before it was moved.
		return Step{Action: NoteMove, Daemon: mon.Daemon}, rook.State{Code: reason.AlreadyRight}
	case code != "":
		return Step{Action: NoteMove, Daemon: mon.Daemon, Move: rook.Move{Failed: move.Failed}}, rook.State{Code: code}
	case undone && move.Undone >= maxUndone:
		return Step{Action: NoteMove, Daemon: mon.Daemon, Move: f.failed(move)}, rook.State{Code: reason.MonMoveUndone}
	}
	if why, held := f.holds(mon); held {
		return Step{Daemon: mon.Daemon}, why
	}
	if !undone {
		return f.stop(mon, move), rook.State{Code: reason.MonStopped}
	}
	move.Undone++
	return f.stop(mon, move), rook.State{Code: reason.MonStoppedAgain, Detail: fmt.Sprintf("for time %d of %d", move.Undone, maxUndone)}
}

// finish is for a mon that is gone. Its move ends when the one that took its place is in quorum at its global IP.
func (f Facts) finish(mon rook.DaemonFacts) (Step, rook.State) {
	move := mon.Export.Move
	if mon.Listed.IsValid() {
		return Step{Daemon: mon.Daemon}, rook.State{Code: reason.MonReplacing, Detail: "Rook is about to remove it"}
	}
	if wrong, ok := f.bornWrong(mon); ok {
		// Else this would go on for ever, with one new mon after the other.
		return Step{Action: NoteMove, Daemon: wrong.Daemon, Move: f.failed(move)}, rook.State{Code: reason.MonBornWrong}
	}
	if why, held := first(f, mon, afterMon); held {
		return Step{Daemon: mon.Daemon}, why
	}
	code := reason.MonReplaced
	if mon.Deployed {
		code = reason.MonLeftBehind
	}
	return Step{Action: NoteMove, Daemon: mon.Daemon}, rook.State{Code: code, Detail: f.successor(mon)}
}

// bornWrong returns the mon that came after another and was not born with its global IP, unless that is noted already.
func (f Facts) bornWrong(after rook.DaemonFacts) (rook.DaemonFacts, bool) {
	for _, d := range f.mons() {
		if isLater(d.Daemon.ID, after.Export.Move.Newest) && d.Export.Identity == rook.IdentityCluster && d.Export.Move.RetryAt.IsZero() {
			return d, true
		}
	}
	return rook.DaemonFacts{}, false
}

// newest returns the mon that Rook made last.
func (f Facts) newest() rook.Daemon {
	var newest rook.Daemon
	for _, mon := range f.mons() {
		if isLater(mon.Daemon.ID, newest.ID) {
			newest = mon.Daemon
		}
	}
	return newest
}

// successor names the mon that Rook made last, for whoever reads of it.
func (f Facts) successor(gone rook.DaemonFacts) string {
	for _, mon := range f.mons() {
		if isLater(mon.Daemon.ID, gone.Export.Move.Newest) {
			return fmt.Sprintf("by %s at %s", mon.Daemon, mon.Address)
		}
	}
	return ""
}

// isLater says whether Rook made one mon after the other: it gives each the next letter.
func isLater(a, b string) bool {
	return len(a) > len(b) || len(a) == len(b) && strings.Compare(a, b) > 0
}

// retryPauses are how long a mon is left alone that could not be replaced, each time longer.
var retryPauses = []time.Duration{30 * time.Minute, 2 * time.Hour, 12 * time.Hour}

// failed returns what is noted of a mon that was not replaced.
func (f Facts) failed(move rook.Move) rook.Move {
	pause := retryPauses[min(move.Failed, len(retryPauses)-1)]
	return rook.Move{Failed: move.Failed + 1, RetryAt: f.Now.UTC().Add(pause).Truncate(time.Second)}
}

// retryAt returns until when mons are left alone. What was noted of one that is gone by now counts no more.
func (f Facts) retryAt() time.Time {
	var latest time.Time
	for _, d := range f.mons() {
		if d.Export.Move.RetryAt.After(latest) {
			latest = d.Export.Move.RetryAt
		}
	}
	return latest
}

// clock returns a time as messages have it.
func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }
