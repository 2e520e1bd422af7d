package rook

import (
	"fmt"
	"net/netip"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// DeploymentFacts is what a decision on the write of a Deployment rests on.
type DeploymentFacts struct {
	// Daemon is the one that New runs, by IdentifyOurs.
	Daemon Daemon
	New    *appsv1.Deployment
	// Stored is what New replaces. Rook creates what exists already before it updates it: of such a creation Stored is
	// the object that exists. It is nil for a Deployment that is truly new.
	Stored *appsv1.Deployment
	// Cluster is nil as long as the CephCluster is not known.
	Cluster *Cluster
	Export  Export
	// Listed is where the stored mon endpoints have a mon; it is invalid for one that they do not list.
	Listed netip.Addr
	// MonHostBehind says that mon_host has not told that address yet.
	MonHostBehind bool
	// HeldBy names the other daemon that holds the address of the export; it is empty for an address that is free.
	HeldBy string
	// Stranger says that somebody else than Rook writes: it may put back what lived, and brings nothing into being.
	Stranger bool
	// GaveUp is why waiting must end now; it is empty while waiting is still allowed.
	GaveUp reason.Code
}

// DecideDeployment decides on the write of a Deployment. Only the birth of a daemon is ever held or refused: what lives
// goes on living with the address that it has.
func DecideDeployment(f DeploymentFacts) Decision {
	if f.New.Spec.Template.Spec.HostNetwork {
		return allow(reason.HostNetwork)
	}
	if f.Cluster != nil {
		if f.Cluster.Name != f.Daemon.Cluster {
			return allow(reason.ForeignOwner)
		}
		if code := f.cluster().StandAside(); code != "" {
			return allow(code)
		}
	}
	if f.Daemon.Type.KeepsAddressForLife() && f.Export.Identity == IdentityCluster {
		return allow(reason.IdentityCluster)
	}
	switch {
	case f.Stored != nil:
		return decideUpdate(f)
	case f.Stranger:
		return allow(reason.NotRookDaemon)
	}
	return decideBirth(f)
}

// cluster completes the CephCluster with the versions that Rook writes on every Deployment: its status may lack them yet.
func (f DeploymentFacts) cluster() Cluster {
	c := *f.Cluster
	if c.RookVersion == "" {
		c.RookVersion = f.New.Labels[RookVersionLabel]
	}
	if c.CephVersion == "" {
		c.CephVersion = f.New.Labels[CephVersionLabel]
	}
	return c
}

// decideUpdate keeps the address of a daemon that has it for life, whatever is known elsewhere, and lets any other follow
// its export.
func decideUpdate(f DeploymentFacts) Decision {
	otherwise := allow(reason.AddressUnknown)
	switch {
	case f.Daemon.Type.KeepsAddressForLife():
		otherwise = allow(reason.MalformedDeployment)
	case f.Export.Ready() && f.HeldBy != "":
		// Its export was given what a daemon lives at: it stays where it is until that is settled.
		otherwise = Decision{Code: reason.UsedByAnother, Message: heldBy(f.Export.GlobalIP, f.HeldBy)}
	case f.Export.Ready():
		d := f.rewriteTo(f.Export.GlobalIP, reason.Rewritten)
		if d.Code != reason.AddressFamilyMismatch {
			return d
		}
		// Better the address that it has than none.
		otherwise = d
	}
	if stored, ok := Address(f.Stored); ok {
		return f.rewriteTo(stored, reason.AddressKept)
	}
	if f.Export.Pinned && f.Export.GlobalIP.IsValid() {
		return f.rewriteTo(f.Export.GlobalIP, reason.AddressKept)
	}
	return otherwise
}

// decideBirth gives a new daemon its global IP, or waits for it.
func decideBirth(f DeploymentFacts) Decision {
	daemon := f.Daemon
	switch {
	case f.Cluster == nil:
		return holdOrRefuse(daemon, reason.ClusterUnknown, "it "+reason.ClusterUnknown.Sentence(), f.GaveUp)
	case f.ownedByAnotherBirth():
		// A CephCluster of that name was deleted and created again, and the cache still has the old one, or the
		// Deployment belongs to the old one and will be collected.
		return holdOrRefuse(daemon, reason.ClusterUnknown, "it belongs to another CephCluster of that name than is known here", f.GaveUp)
	case f.Export.Exists && !f.Export.Ours:
		// To wait would be in vain: a foreign export is never touched.
		_, obstacle := f.Export.obstacle(daemon)
		return Decision{Action: Refuse, Code: reason.ExportForeign, Message: notReady(daemon, obstacle)}
	case !f.Export.Ready() || daemon.Type.KeepsAddressForLife() && f.Export.Identity == "":
		code, obstacle := f.Export.obstacle(daemon)
		return holdOrRefuse(daemon, code, obstacle, f.GaveUp)
	case f.HeldBy != "":
		return holdOrRefuse(daemon, reason.UsedByAnother, heldBy(f.Export.GlobalIP, f.HeldBy), f.GaveUp)
	case daemon.Type.StandsInList() && f.Listed.IsValid() && f.Listed != f.Export.GlobalIP:
		// Its Service was made anew since Rook saved its addresses. mon_host, which was saved with the mon endpoints, has
		// the lost address too: a mon that is born next to it never gets a rank. Rook saves anew at its next try.
		return Decision{Action: Refuse, Code: reason.EndpointWrong, Message: fmt.Sprintf(
			"%s cannot be given its clusterset address %s: it %s, %s; Rook will retry",
			daemon, f.Export.GlobalIP, reason.EndpointWrong.Sentence(), f.Listed)}
	case daemon.Type.StandsInList() && f.Listed.IsValid() && f.MonHostBehind:
		// The list was written once more since, for a mon that was created before this one.
		return Decision{Action: Refuse, Code: reason.MonHostBehind, Message: fmt.Sprintf(
			"%s cannot be given its clusterset address %s: it %s; Rook will retry",
			daemon, f.Export.GlobalIP, reason.MonHostBehind.Sentence())}
	}
	d := f.rewriteTo(f.Export.GlobalIP, reason.Rewritten)
	// An OSD can take its address at a later update. A mon that cannot be rewritten would be born with its ClusterIP for
	// life, while all that Rook writes says that it has its global IP.
	if daemon.Type.KeepsAddressForLife() && (d.Code == reason.AddressFamilyMismatch || d.Code == reason.MalformedDeployment) {
		d.Action = Refuse
		d.Message = fmt.Sprintf("%s cannot be given its clusterset address %s: its Deployment %s; Rook will retry",
			daemon, f.Export.GlobalIP, d.Code.Sentence())
	}
	return d
}

func (f DeploymentFacts) ownedByAnotherBirth() bool {
	owner := controllingCluster(f.New)
	return f.Cluster.UID != "" && owner.UID != "" && owner.UID != f.Cluster.UID
}

// rewriteTo returns the decision to rewrite the Deployment to the address for the reason, or why that cannot or need not be.
func (f DeploymentFacts) rewriteTo(ip netip.Addr, why reason.Code) Decision {
	changes, code := plan(f.Daemon, f.New, ip)
	switch code {
	case reason.Rewritten:
		return Decision{Action: Rewrite, Code: why, Changes: changes}
	case reason.AddressFamilyMismatch:
		return Decision{Code: code, Message: ip.String()}
	}
	return allow(code)
}
