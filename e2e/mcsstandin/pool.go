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

// Pool hands out the addresses of an IPv4 range as Submariner does: a single one from the top, several from the bottom, and
// one that was freed to whoever asks next.
type Pool struct {
	mu          sync.Mutex
	first, last uint32
	used        map[uint32]bool
	fresh       bool
}

// NewPool returns the pool of the range without its first and its last address. A fresh pool never gives an address twice.
func NewPool(prefix netip.Prefix, fresh bool) *Pool {
	network := number(prefix.Masked().Addr())
	size := uint32(1)<<(32-prefix.Bits()) - 1
	return &Pool{first: network + 1, last: network + size - 1, used: map[uint32]bool{}, fresh: fresh}
}

// Draw takes the highest address that is free.
func (p *Pool) Draw() (netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := p.last; n >= p.first; n-- {
		if !p.used[n] {
			p.used[n] = true
			return address(n), nil
		}
	}
	return netip.Addr{}, errExhausted
}

// DrawBlock takes the lowest addresses that are free and follow each other.
func (p *Pool) DrawBlock(count int) ([]netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var block []netip.Addr
	for n := p.first; n <= p.last; n++ {
		if block = append(block, address(n)); p.used[n] {
			block = nil
		}
		if len(block) == count {
			for _, a := range block {
				p.used[number(a)] = true
			}
			return block, nil
		}
	}
	return nil, errExhausted
}

// Reserve takes this address, unless somebody has it.
func (p *Pool) Reserve(a netip.Addr) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !a.Is4() || p.used[number(a)] {
		return fmt.Errorf("requested IP %s already allocated", a)
	}
	p.used[number(a)] = true
	return nil
}

// Free gives the address back.
func (p *Pool) Free(a netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.Is4() && !p.fresh {
		delete(p.used, number(a))
	}
}

func number(a netip.Addr) uint32 {
	bytes := a.As4()
	return binary.BigEndian.Uint32(bytes[:])
}

func address(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
}
