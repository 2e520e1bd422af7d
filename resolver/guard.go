package resolver

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// Guard returns why the address must not be advertised for the Service, or nil. A mon keeps its first address for
// life, so a wrong one is worse than none.
func Guard(ip netip.Addr, req Request, m Membership, allowClusterIP bool) *reason.Error {
	if !ip.IsValid() {
		return reason.Errorf(reason.MalformedAddress, "nothing")
	}
	ip = ip.Unmap()
	if kind := unroutable(ip); kind != "" {
		return reason.Errorf(reason.Unroutable, "%s is a %s address", ip, kind)
	}
	isClusterIP := contains(req.ClusterIPs, ip)
	if isClusterIP && !allowClusterIP {
		return reason.Errorf(reason.IsClusterIP,
			"%s; where the networks of the clusters do not overlap, set --allow-cluster-ip", ip)
	}
	own, inside := within(m.GlobalCIDRs, ip)
	for _, peer := range slices.Sorted(maps.Keys(m.PeerCIDRs)) {
		// A peer that announces too much must not stop this cluster. A range inside this cluster's is a sign that this one
		// announces too much.
		if r, ok := within(m.PeerCIDRs[peer], ip); ok && (!inside || r.Bits() > own.Bits()) {
			return reason.Errorf(reason.InsidePeerCIDR,
				"%s is in %s of cluster %s, and this one is %s: is --cluster-id right?", ip, r, peer, idOrUnknown(m.ClusterID))
		}
	}
	switch {
	case inside, isClusterIP:
		// A ClusterIP that may be advertised comes from the range of Services, not from the global one.
		return nil
	case len(m.GlobalCIDRs) > 0:
		return reason.Errorf(reason.OutsideGlobalCIDR, "%s is not in %s: is --global-cidr right?", ip, joined(m.GlobalCIDRs))
	}
	if purpose := specialPurposeOf(ip); purpose != "" {
		return reason.Errorf(reason.Unroutable,
			"%s is a %s address, and it is not known to be of this cluster's range: set --global-cidr if it is", ip, purpose)
	}
	return nil
}

// unroutable names the kind of an address that no peer can dial whatever range it is in, or returns "".
func unroutable(ip netip.Addr) string {
	switch {
	case ip.IsUnspecified():
		return "unspecified"
	case ip.IsLoopback():
		return "loopback"
	case ip.Zone() != "":
		return "link-local"
	case ip.IsMulticast():
		return "multicast"
	case ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "broadcast"
	}
	return ""
}

func contains(ips []netip.Addr, ip netip.Addr) bool {
	return slices.ContainsFunc(ips, func(other netip.Addr) bool { return other.Unmap() == ip })
}

// within returns the narrowest of the ranges that the address is in.
func within(ranges []netip.Prefix, ip netip.Addr) (netip.Prefix, bool) {
	var narrowest netip.Prefix
	for _, r := range masked(ranges) {
		if r.Contains(ip) && (!narrowest.IsValid() || r.Bits() > narrowest.Bits()) {
			narrowest = r
		}
	}
	return narrowest, narrowest.IsValid()
}

func idOrUnknown(clusterID string) string {
	if clusterID == "" {
		return "not known"
	}
	return clusterID
}
