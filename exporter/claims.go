package exporter

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/view"
)

// claim is a daemon's claim to an address that another is to be given.
type claim struct {
	view.Claim
	// leaving says that its own sources give it another address by now.
	leaving bool
}

// holder settles which daemon gets an address: a living mon before all others, for it cannot change; who has it already
// before who is to have it anew, and of two that have it the first by name. An address that its daemon is about to leave
// is free: were it not, two OSDs whose addresses were swapped would wait for each other. others are the claims of all but
// the one that asks, which has the address already or not.
func holder(asking types.NamespacedName, has bool, others []claim) types.NamespacedName {
	slices.SortFunc(others, func(a, b claim) int { return strings.Compare(a.Daemon.String(), b.Daemon.String()) })
	for _, other := range others {
		if other.Pinned {
			return other.Daemon
		}
	}
	for _, other := range others {
		if first := has && asking.String() < other.Daemon.String(); !other.leaving && !first {
			return other.Daemon
		}
	}
	return asking
}

// claims is what this process gave to whom and the cache may not show yet, and who waits for what another has. Turns of
// several daemons run at once.
type claims struct {
	mu    sync.Mutex
	given map[types.NamespacedName]netip.Addr
	// waiting are the daemons that were refused an address because of its holder.
	waiting map[netip.Addr]map[types.NamespacedName]bool
}

func newClaims() *claims {
	return &claims{given: map[types.NamespacedName]netip.Addr{}, waiting: map[netip.Addr]map[types.NamespacedName]bool{}}
}

// settle gives the address to the daemon unless another holds it, whose name it returns. cached is what the cache shows
// of the address, and has whether it shows it for the daemon itself.
func (c *claims) settle(daemon types.NamespacedName, address netip.Addr, has bool, cached []view.Claim, leaving func(types.NamespacedName) bool) types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	if has && c.given[daemon] == address {
		// The cache has caught up.
		delete(c.given, daemon)
	}
	var others []claim
	for _, found := range cached {
		given, moved := c.given[found.Daemon]
		if found.Daemon != daemon && (!moved || given == address) {
			others = append(others, claim{Claim: found})
		}
	}
	for other, given := range c.given {
		known := slices.ContainsFunc(others, func(o claim) bool { return o.Daemon == other })
		if given == address && other != daemon && !known {
			others = append(others, claim{Claim: view.Claim{Daemon: other}})
		}
	}
	for i := range others {
		others[i].leaving = !others[i].Pinned && leaving(others[i].Daemon)
	}
	holds := holder(daemon, has, others)
	if holds != daemon {
		if c.waiting[address] == nil {
			c.waiting[address] = map[types.NamespacedName]bool{}
		}
		c.waiting[address][daemon] = true
		return holds
	}
	delete(c.waiting[address], daemon)
	if !has {
		c.given[daemon] = address
	}
	return daemon
}

// release returns who waits for an address that a daemon has no longer.
func (c *claims) release(daemon types.NamespacedName, address netip.Addr) []types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.given[daemon] == address {
		delete(c.given, daemon)
	}
	var waiting []types.NamespacedName
	for name := range c.waiting[address] {
		waiting = append(waiting, name)
	}
	delete(c.waiting, address)
	return waiting
}
