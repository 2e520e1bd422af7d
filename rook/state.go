package rook

import (
	"cmp"
	"time"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// State is how a daemon is: what every command, metric and alert says of it.
type State struct {
	Code reason.Code
	// Detail holds the particulars; it can be empty.
	Detail string
}

// String returns what the state means, in words that follow the name of the daemon.
func (s State) String() string {
	return (&reason.Error{Code: s.Code, Detail: s.Detail}).Error()
}

// State returns reason.OK for a daemon that advertises its global IP and that Rook looks for there, and otherwise the
// first thing that keeps it from that, in the order in which an address travels.
func (m DaemonFacts) State() State {
	switch {
	case m.leaving():
		return State{Code: reason.Leaving, Detail: "missed since " + m.Export.OrphanedSince.Format(time.RFC3339)}
	case m.Foreign:
		return State{Code: reason.AddressForeign, Detail: m.Address.String()}
	case m.Export.Identity == IdentityCluster:
		return State{Code: reason.IdentityCluster}
	case !m.Export.Ready():
		why := m.Export.Why(m.Daemon)
		return State{Code: why.Code, Detail: why.Detail}
	case m.Export.Drift.IsValid():
		return State{Code: reason.AddressDrifted, Detail: m.Export.Drift.String()}
	case m.Export.Refused != "":
		// What is wrong with an answer beside a known address: the address may be another's by now.
		return State{Code: m.Export.Refused, Detail: m.Export.RefusedDetail}
	case !m.Deployed:
		return State{Code: reason.NoDeployment}
	case m.Address != m.Export.GlobalIP:
		return State{Code: reason.NotAdvertised, Detail: "it advertises " + cmp.Or(AddressText(m.Address), "none")}
	case m.Daemon.Type.StandsInList() && m.Listed != m.Export.GlobalIP:
		return State{Code: reason.EndpointWrong, Detail: "Rook keeps " + cmp.Or(AddressText(m.Listed), "none")}
	}
	return State{Code: reason.OK}
}

// leaving says that the export waits for its grace: what is left of a mon that Rook replaced, or of an OSD that was removed.
func (m DaemonFacts) leaving() bool {
	return m.Export.Ours && !m.Export.OrphanedSince.IsZero() && !m.Deployed && !m.Listed.IsValid()
}

// Well says whether nobody has to do anything about what is in that state.
func (s State) Well() bool { return s.Code == reason.OK || s.Code == reason.Leaving }

// State returns reason.Served for a CephCluster whose daemons are given global IPs, and otherwise why it is left alone.
// exportKindServed says whether the API server serves the ServiceExport kind.
func (c Cluster) State(exportKindServed bool) reason.Code {
	if code := c.StandAside(); code != "" {
		return code
	}
	if !exportKindServed {
		return reason.NoServiceExportKind
	}
	return reason.Served
}
