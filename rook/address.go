package rook

import "net/netip"

// AddressText returns the address as it is written, and nothing for none.
func AddressText(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

// addressOrNone reads an address; what is none is none.
func addressOrNone(text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}
