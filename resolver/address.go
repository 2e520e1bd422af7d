package resolver

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// mostAddressShown is how much is shown of what is no address: anybody may write it, and of any length.
const mostAddressShown = 64

// parseAddress reads an address that the owner, the object that says so, told. An IPv4 address in the clothes of IPv6
// is the IPv4 address: two sources that write it differently do not disagree.
func parseAddress(text, owner string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil {
		return netip.Addr{}, reason.Errorf(reason.MalformedAddress, "%s says %q", owner, reason.Shorten(text, mostAddressShown))
	}
	return ip.Unmap(), nil
}

// oneAddress picks the address out of the list of a dual-stack ServiceImport. The IPv4 one is it, because Globalnet
// maps no IPv6 and leaves the ClusterIP there, unless the ranges that are known to be global are all of IPv6; two of a family
// leave no way to tell.
func oneAddress(texts []string, ranges []netip.Prefix, owner string) (netip.Addr, error) {
	var v4, v6 []netip.Addr
	for _, text := range texts {
		ip, err := parseAddress(text, owner)
		if err != nil {
			return netip.Addr{}, err
		}
		family := &v6
		if ip.Is4() {
			family = &v4
		}
		if !slices.Contains(*family, ip) {
			*family = append(*family, ip)
		}
	}
	families := [][]netip.Addr{v4, v6}
	if len(ranges) > 0 && !slices.ContainsFunc(ranges, func(r netip.Prefix) bool { return r.Addr().Is4() }) {
		slices.Reverse(families)
	}
	for _, family := range families {
		switch len(family) {
		case 0:
		case 1:
			return family[0], nil
		default:
			return netip.Addr{}, reason.Errorf(reason.SeveralAddresses, "%s says %s", owner, joined(family))
		}
	}
	return netip.Addr{}, reason.Errorf(reason.NoAnswer, "%s has no IP", owner)
}

// joined writes addresses or ranges one after the other.
func joined[T interface{ String() string }](values []T) string {
	texts := make([]string, 0, len(values))
	for _, value := range values {
		texts = append(texts, value.String())
	}
	return strings.Join(texts, ", ")
}
