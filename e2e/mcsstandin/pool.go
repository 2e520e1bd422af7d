package mcsstandin

import (
	"fmt"
	"net/netip"
	"sync"
)

// reserved is how many addresses at the start of its range Globalnet keeps for the egress of the cluster.
const reserved = 8

// pool hands out the addresses of a range, none of them twice: a Service that is exported anew never gets its old
// address back, so that a test sees the worst case.
type pool struct {
	mu     sync.Mutex
	prefix netip.Prefix
	last   netip.Addr
}

func newPool(prefix netip.Prefix) *pool {
	last := prefix.Masked().Addr()
	for range reserved {
		last = last.Next()
	}
	return &pool{prefix: prefix, last: last}
}

func (p *pool) draw() (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.last.Next()
	if !next.IsValid() || !p.prefix.Contains(next) {
		return netip.Addr{}, fmt.Errorf("no address left in %s", p.prefix)
	}
	p.last = next
	return next, nil
}

// skip makes sure that the address is not drawn again.
func (p *pool) skip(addr netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.prefix.Contains(addr) && p.last.Less(addr) {
		p.last = addr
	}
}
