package rook

import (
	"maps"
	"net/netip"
)

// among returns the replacements for an object in which some addresses stand. One that another mon has by now, of which Rook
// remembers something else, is a wrong one only beside what it remembers: alone it is already right.
func (r Replacements) among(stands func(netip.Addr) bool) Replacements {
	var right []netip.Addr
	for old := range r {
		if r.isTrueOfAnother(old) && !r.isRemembered(old, stands) {
			right = append(right, old)
		}
	}
	if len(right) == 0 {
		return r
	}
	narrowed := maps.Clone(r)
	for _, address := range right {
		delete(narrowed, address)
	}
	return narrowed
}

func (r Replacements) isTrueOfAnother(address netip.Addr) bool {
	for _, truth := range r {
		if truth == address {
			return true
		}
	}
	return false
}

// isRemembered says whether something stands in the object that is to become the address.
func (r Replacements) isRemembered(address netip.Addr, stands func(netip.Addr) bool) bool {
	for wrong, truth := range r {
		if truth == address && stands(wrong) {
			return true
		}
	}
	return false
}

// stands says whether an address is in one of the texts, each of which is as replace takes it.
func standsIn(texts []string) func(netip.Addr) bool {
	return func(address netip.Addr) bool {
		for _, text := range texts {
			if _, found := (Replacements{address: address}).replace(text); found {
				return true
			}
		}
		return false
	}
}
