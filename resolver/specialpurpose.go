package resolver

import "net/netip"

// specialPurpose are the ranges of RFC 6890 that no peer can be expected to reach. 240.0.0.0/4 is not among them, though it
// is reserved: Globalnet's own default range is 242.0.0.0/8.
var specialPurpose = []struct {
	name   string
	ranges []netip.Prefix
}{
	{"link-local", prefixes("169.254.0.0/16", "fe80::/10")},
	{"this-network", prefixes("0.0.0.0/8")},
	{"private-use", prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")},
	{"shared address space", prefixes("100.64.0.0/10")},
	{"protocol assignment", prefixes("192.0.0.0/24", "2001::/23")},
	{"documentation", prefixes("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")},
	{"6to4", prefixes("192.88.99.0/24", "2002::/16")},
	{"benchmarking", prefixes("198.18.0.0/15")},
	{"address translation", prefixes("64:ff9b::/96")},
	{"discard-only", prefixes("100::/64")},
}

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// specialPurposeOf names the purpose that the range of an address is set apart for, or returns "".
func specialPurposeOf(ip netip.Addr) string {
	for _, purpose := range specialPurpose {
		if _, inside := within(purpose.ranges, ip); inside {
			return purpose.name
		}
	}
	return ""
}
