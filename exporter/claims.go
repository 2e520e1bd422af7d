package exporter

import (
	"net/netip"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// claims is what this process gave to whom and the cache may not show yet, and who waits for what another has. Turns of
// several daemons run at once.
type claims struct {
	mu    sync.Mutex
	given map[types.NamespacedName]gift
	// waiting are the daemons that were refused an address because of its holder.
	waiting map[netip.Addr]map[types.NamespacedName]bool
}

// gift is an address and the export that it was given to. With that it goes.
type gift struct {
	address netip.Addr
	export  types.UID
}

func newClaims() *claims {
	return &claims{given: map[types.NamespacedName]gift{}, waiting: map[netip.Addr]map[types.NamespacedName]bool{}}
}

// forget drops all that was given: another leader may have given it to others.
func (c *claims) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.given)
	clear(c.waiting)
}

// settle gives the address to the export of the daemon unless another holds it, whose name it returns. cached is what the cache
// shows of the address.
func (c *claims) settle(daemon types.NamespacedName, to gift, cached []rook.Claim, leaving func(types.NamespacedName) bool) types.NamespacedName {
	address := to.address
	c.mu.Lock()
	defer c.mu.Unlock()
	own := rook.Claim{Daemon: daemon}
	if i := slices.IndexFunc(cached, func(found rook.Claim) bool { return found.Daemon == daemon }); i >= 0 {
		own = cached[i]
	}
	before, given := c.given[daemon]
	// The cache has caught up, or the sources say what they said before, and what was given in between need not have been stored.
	delete(c.given, daemon)
	others := c.others(daemon, address, cached)
	for i := range others {
		others[i].Leaving = !others[i].Pinned && leaving(others[i].Daemon)
	}
	holds := rook.Holder(own, others)
	if holds != daemon {
		if c.waiting[address] == nil {
			c.waiting[address] = map[types.NamespacedName]bool{}
		}
		c.waiting[address][daemon] = true
		return holds
	}
	delete(c.waiting[address], daemon)
	if !own.Exported || given && before != to {
		c.given[daemon] = to
	}
	return daemon
}

// others returns the claims to the address that the cache shows of others, as they are by what was given meanwhile.
func (c *claims) others(daemon types.NamespacedName, address netip.Addr, cached []rook.Claim) []rook.Claim {
	var others []rook.Claim
	for _, found := range cached {
		if given, moved := c.given[found.Daemon]; moved && given.address != address {
			found.Exported = false
		}
		if found.Daemon != daemon && (found.Exported || found.Advertised) {
			others = append(others, found)
		}
	}
	for other, given := range c.given {
		known := slices.ContainsFunc(others, func(o rook.Claim) bool { return o.Daemon == other })
		if given.address == address && other != daemon && !known {
			others = append(others, rook.Claim{Daemon: other, Exported: true})
		}
	}
	return others
}

// release returns who waits for an address that a daemon has no longer.
func (c *claims) release(daemon types.NamespacedName, address netip.Addr) []types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.given[daemon].address == address {
		delete(c.given, daemon)
	}
	return c.endWaiting(address)
}

// lose forgets what was given to an export that is gone, or another by now, and returns who waits for it.
func (c *claims) lose(daemon types.NamespacedName, export types.UID) []types.NamespacedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	had, given := c.given[daemon]
	if !given || had.export == export {
		return nil
	}
	delete(c.given, daemon)
	return c.endWaiting(had.address)
}

func (c *claims) endWaiting(address netip.Addr) []types.NamespacedName {
	var waiting []types.NamespacedName
	for name := range c.waiting[address] {
		waiting = append(waiting, name)
	}
	delete(c.waiting, address)
	return waiting
}
