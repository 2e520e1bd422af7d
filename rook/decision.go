package rook

import (
	"fmt"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// Action is what is to be done with a write.
type Action int

// What can be done with a write.
const (
	// Allow lets it through as it is.
	Allow Action = iota
	// Rewrite lets it through corrected.
	Rewrite
	// Hold waits for the facts to change.
	Hold
	// Refuse denies it.
	Refuse
	// StoreAndRefuse stores a corrected object first, so that Rook finds that one when it tries again.
	StoreAndRefuse
)

// String returns the action as logs and tests name it.
func (a Action) String() string {
	switch a {
	case Allow:
		return "allow"
	case Rewrite:
		return "rewrite"
	case Hold:
		return "hold"
	case Refuse:
		return "refuse"
	case StoreAndRefuse:
		return "store and refuse"
	}
	return fmt.Sprintf("Action(%d)", int(a))
}

// Decision is what is to be done with a write, and why.
type Decision struct {
	Action Action
	Code   reason.Code
	// Message holds the particulars: of a refusal the whole sentence that its client reads.
	Message string
	// Changes are what becomes of a Deployment that is rewritten.
	Changes Changes
}

func allow(code reason.Code) Decision {
	return Decision{Action: Allow, Code: code}
}

// holdOrRefuse waits for what hinders a new daemon from being born, and refuses it when the waiting is over.
func holdOrRefuse(d Daemon, code reason.Code, obstacle string, gaveUp reason.Code) Decision {
	decision := Decision{Action: Hold, Code: code, Message: notReady(d, obstacle)}
	switch gaveUp {
	case "":
		return decision
	case reason.HoldTimedOut, reason.DryRun:
		// The obstacle says more than that it was waited for.
	default:
		// This says something of the moment, not of the daemon: who reads the code can try again at once.
		decision.Code = gaveUp
		decision.Message = notReady(d, obstacle+"; it "+gaveUp.Sentence())
	}
	decision.Action = Refuse
	return decision
}

func notReady(d Daemon, obstacle string) string {
	return fmt.Sprintf("%s is not ready for its clusterset address: %s; Rook will retry", d, obstacle)
}
