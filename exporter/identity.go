package exporter

import (
	"net/netip"
	"slices"
	"time"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// sourceDeployment is noted as the source of an address that a mon had before its export had one.
const sourceDeployment = "Deployment"

// identityRetry is when an identity is tried again that cannot be known yet.
const identityRetry = 5 * time.Second

// planIdentity decides which address a mon is, or is to be, born with; that of a living one is pinned.
func (p *planner) planIdentity(wanted *rook.Export) {
	address, born := p.bornAt()
	if !born {
		p.unborn(wanted)
		return
	}
	own := p.isClusterIP(address)
	if wanted.Identity == "" {
		switch {
		case own:
			wanted.Identity = rook.IdentityCluster
		case p.inCIDR == nil && address.IsValid():
			p.lookAgain(identityRetry)
			return
		case p.inCIDR != nil && p.inCIDR(address):
			wanted.Identity = rook.IdentityClusterset
		default:
			wanted.Identity = rook.IdentityCluster
		}
	}
	if own && p.deployment != nil && wanted.Identity == rook.IdentityCluster && p.isAnswered(address) {
		// Where the networks of the clusters do not overlap it is at its global IP, and not to be replaced for another.
		wanted.Identity, wanted.GlobalIP, wanted.Source = rook.IdentityClusterset, address, p.answer.answer.Source
	}
	if wanted.Identity != rook.IdentityClusterset || !address.IsValid() {
		return
	}
	if p.deployment == nil {
		// Its store has the address at which it lived, which only the list still says.
		if !wanted.Pinned && p.export.HasLived(p.hadDeployment) {
			wanted.GlobalIP, wanted.Source, wanted.Pinned = address, rook.SourceList, true
		}
		return
	}
	if own && address != wanted.GlobalIP {
		// A mon that got its Deployment while admission was switched off. What is pinned stays, whatever a Deployment says
		// later: a mon never changes the address that it was born with.
		if !wanted.Pinned {
			*wanted = rook.Export{Exists: wanted.Exists, Ours: wanted.Ours, Marked: wanted.Marked, Valid: wanted.Valid, Identity: rook.IdentityCluster}
		}
		return
	}
	if wanted.GlobalIP != address || wanted.Source == rook.SourceList {
		wanted.GlobalIP, wanted.Source, wanted.Drift = address, sourceDeployment, netip.Addr{}
	}
	wanted.Pinned = true
}

// unborn is for a mon that neither runs nor stands in Rook's list. Rook gives no letter twice, unless it took back what it
// noted of it: a letter that is used up is that of a mon that has lived, of which only a restored list can tell more. Without
// any list nothing is known, and so nothing forgotten.
func (p *planner) unborn(wanted *rook.Export) {
	switch {
	case wanted.Pinned && !p.listKnown:
		return
	case p.export.HasLived(p.hadDeployment) && p.hadDeployment:
		wanted.Identity = ""
	default:
		wanted.Identity = rook.IdentityClusterset
	}
	if wanted.Pinned || wanted.Identity == "" {
		// It went with the mon's Service, and Globalnet gives it to the next: be it that the export is Valid still, the mon that
		// comes after one which never lived there must not be refused for it.
		wanted.Pinned = false
		wanted.GlobalIP, wanted.Source, wanted.Drift = netip.Addr{}, "", netip.Addr{}
	}
}

// bornAt returns the address of a mon that has a Deployment, or else of one that stands in Rook's list. Where the Deployment
// says none, as that of a mon which was put to sleep, the mon is where it was.
func (p *planner) bornAt() (netip.Addr, bool) {
	if p.deployment == nil {
		return p.listed, p.listed.IsValid()
	}
	if address, ok := rook.Address(p.deployment); ok {
		return address, true
	}
	if p.export.Pinned {
		return p.export.GlobalIP, true
	}
	return p.listed, true
}

// isAnswered says whether the sources just answered the address, and no guard refused it.
func (p *planner) isAnswered(address netip.Addr) bool {
	return p.answer != nil && p.answer.refusal == nil && p.answer.answer.IP == address
}

func (p *planner) isClusterIP(address netip.Addr) bool {
	return p.service != nil && slices.Contains(rook.ClusterIPs(p.service), address)
}
