package rook

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// MonHosts returns where Secret ConfigSecretName has each mon: Rook writes mon_host and the IDs in one order. It is empty where
// the two do not go together.
func MonHosts(secret *corev1.Secret) map[string]netip.Addr {
	addresses := monHostAddresses(string(secret.Data[MonHostKey]))
	ids := strings.Split(string(secret.Data[monMembersKey]), ",")
	if len(ids) != len(addresses) {
		return nil
	}
	hosts := map[string]netip.Addr{}
	for i, id := range ids {
		hosts[strings.TrimSpace(id)] = addresses[i]
	}
	return hosts
}

// monHostAddresses returns the addresses in the order in which they stand, that of a group of protocols once.
func monHostAddresses(monHost string) []netip.Addr {
	var addresses []netip.Addr
	for piece := range strings.SplitSeq(monHost, ",") {
		if address, ok := monHostAddress(strings.TrimSpace(piece)); ok {
			addresses = append(addresses, address)
		}
	}
	return slices.Compact(addresses)
}

// monHostAddress reads an address, at whose ends a bracket of its group may stand.
func monHostAddress(text string) (netip.Addr, bool) {
	open, closed := strings.TrimPrefix(text, "["), strings.TrimSuffix(text, "]")
	for _, inner := range []string{text, open, closed, strings.TrimSuffix(open, "]")} {
		inner = strings.TrimPrefix(strings.TrimPrefix(inner, "v1:"), "v2:")
		if endpoint, err := netip.ParseAddrPort(inner); err == nil {
			return endpoint.Addr(), true
		}
		if address, err := netip.ParseAddr(inner); err == nil {
			return address, true
		}
	}
	return netip.Addr{}, false
}
