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
	if wanted.Identity != rook.IdentityClusterset || p.deployment == nil || !address.IsValid() {
		return
	}
	if own && address != wanted.GlobalIP {
		// A mon that got its Deployment while admission was switched off. What is pinned stays, whatever a Deployment says
		// later: a mon never changes the address that it was born with.
		if !wanted.Pinned {
			*wanted = rook.Export{Exists: wanted.Exists, Ours: wanted.Ours, Valid: wanted.Valid, Identity: rook.IdentityCluster}
		}
		return
	}
	if wanted.GlobalIP != address {
		wanted.GlobalIP, wanted.Source, wanted.Drift = address, sourceDeployment, netip.Addr{}
	}
	wanted.Pinned = true
}

// unborn is for a mon that neither runs nor stands in Rook's list: whatever it was before, it will be born anew.
func (p *planner) unborn(wanted *rook.Export) {
	wanted.Identity = rook.IdentityClusterset
	if wanted.Pinned {
		wanted.Pinned = false
		wanted.GlobalIP, wanted.Source, wanted.Drift = netip.Addr{}, "", netip.Addr{}
	}
}

// bornAt returns the address of a mon that has a Deployment, or else of one that stands in Rook's list.
func (p *planner) bornAt() (netip.Addr, bool) {
	if p.deployment == nil {
		return p.listed, p.listed.IsValid()
	}
	if address, ok := rook.Address(p.deployment); ok {
		return address, true
	}
	return p.listed, true
}

func (p *planner) isClusterIP(address netip.Addr) bool {
	return p.service != nil && slices.Contains(rook.ClusterIPs(p.service), address)
}
