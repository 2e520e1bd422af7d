package mcsstandin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
)

// egressAddresses is how many addresses at the bottom of its range Globalnet keeps for what leaves the cluster.
const egressAddresses = 8

// errExhausted has the words of Submariner's pool.
var errExhausted = errors.New("insufficient IPs available for allocation")

// pool hands out the addresses of an IPv4 range, without its first and its last, as Submariner does: a single one from the top,
// several from the bottom, and one that was freed to whoever asks next. A fresh pool never gives an address twice.
type pool struct {
	mu          sync.Mutex
	first, last netip.Addr
	used        map[netip.Addr]bool
	fresh       bool
}

func newPool(prefix netip.Prefix, fresh bool) *pool {
	network := prefix.Masked().Addr()
	bytes := network.As4()
	binary.BigEndian.PutUint32(bytes[:], binary.BigEndian.Uint32(bytes[:])|(1<<(32-prefix.Bits())-1))
	return &pool{first: network.Next(), last: netip.AddrFrom4(bytes).Prev(), used: map[netip.Addr]bool{}, fresh: fresh}
}

// Draw takes the highest address that is free.
func (p *pool) Draw() (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for a := p.last; !a.Less(p.first); a = a.Prev() {
		if !p.used[a] {
			p.used[a] = true
			return a, nil
		}
	}
	return netip.Addr{}, errExhausted
}

// DrawBlock takes the lowest addresses that are free and follow each other.
func (p *pool) DrawBlock(count int) ([]netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var block []netip.Addr
	for a := p.first; !p.last.Less(a); a = a.Next() {
		if block = append(block, a); p.used[a] {
			block = nil
		}
		if len(block) == count {
			for _, taken := range block {
				p.used[taken] = true
			}
			return block, nil
		}
	}
	return nil, errExhausted
}

// Reserve takes this address, unless somebody has it.
func (p *pool) Reserve(a netip.Addr) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !a.Is4() || p.used[a] {
		return fmt.Errorf("requested IP %s already allocated", a)
	}
	p.used[a] = true
	return nil
}

// Free gives the address back.
func (p *pool) Free(a netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.fresh {
		delete(p.used, a)
	}
}
