package rook

import (
	"net/netip"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// CorrectEndpointSlice replaces the addresses of an EndpointSlice of mons and says whether there were any to replace.
// Where the true address is not of the family of the slice, the wrong one is dropped, and with the last address its
// endpoint: neither may stand there.
func CorrectEndpointSlice(s *discoveryv1.EndpointSlice, r Replacements) bool {
	var texts []string
	for _, e := range s.Endpoints {
		texts = append(texts, e.Addresses...)
	}
	r = r.among(standsIn(texts))
	changed := false
	for i := range s.Endpoints {
		addresses, corrected := correctAddresses(s.Endpoints[i].Addresses, s.AddressType, r)
		if corrected {
			s.Endpoints[i].Addresses = addresses
			changed = true
		}
	}
	if changed {
		s.Endpoints = slices.DeleteFunc(s.Endpoints, func(e discoveryv1.Endpoint) bool { return len(e.Addresses) == 0 })
	}
	return changed
}

func correctAddresses(addresses []string, family discoveryv1.AddressType, r Replacements) ([]string, bool) {
	corrected := make([]string, 0, len(addresses))
	changed := false
	for _, text := range addresses {
		if truth, ok := r[addressOrNone(text)]; ok {
			changed = true
			if !isOf(truth, family) {
				continue
			}
			text = truth.String()
			// The addresses of an endpoint are a set.
			if slices.Contains(corrected, text) || staysIn(addresses, truth, r) {
				continue
			}
		}
		corrected = append(corrected, text)
	}
	return corrected, changed
}

// staysIn says whether an address is among those that are not replaced.
func staysIn(addresses []string, address netip.Addr, r Replacements) bool {
	_, replaced := r[address]
	return !replaced && slices.Contains(addresses, address.String())
}

func isOf(addr netip.Addr, family discoveryv1.AddressType) bool {
	switch family {
	case discoveryv1.AddressTypeIPv4:
		return addr.Is4()
	case discoveryv1.AddressTypeIPv6:
		return addr.Is6()
	}
	return false
}
