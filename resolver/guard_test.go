package resolver_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

func TestGuard(t *testing.T) {
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	member := resolver.Membership{
		ClusterID:   "cluster-a",
		GlobalCIDRs: []netip.Prefix{prefix("242.0.0.0/16"), prefix("242.5.0.0/24")},
		PeerCIDRs: map[string][]netip.Prefix{
			"cluster-b": {prefix("242.1.0.0/16")},
			"cluster-c": {prefix("242.2.0.0/16"), prefix("fd00:2::/32")},
		},
	}
	request := resolver.Request{
		Namespace:  "rook-ceph",
		Name:       "rook-ceph-mon-a",
		ClusterIPs: []netip.Addr{addr("10.96.7.1"), addr("fd00:96::7"), addr("::ffff:10.96.7.2")},
	}
	tests := []struct {
		name           string
		ip             netip.Addr
		member         resolver.Membership
		allowClusterIP bool
		code           reason.Code
		particulars    []string
	}{
		{name: "an address of this cluster's range passes", ip: addr("242.0.255.253"), member: member},
		{name: "an address of this cluster's second range passes", ip: addr("242.5.0.1"), member: member},
		{name: "an address of this cluster's range written as IPv6 passes", ip: addr("::ffff:242.0.0.1"), member: member},
		{name: "any public address passes where no range is known", ip: addr("8.8.4.4")},
		{name: "a public IPv6 address passes where no range is known", ip: addr("2a00:1450::7")},
		{name: "an address of Globalnet's own default range passes where no range is known", ip: addr("242.0.0.7")},
		{
			name: "a special-purpose address passes inside a range that was given", ip: addr("198.51.100.7"),
			member: resolver.Membership{GlobalCIDRs: []netip.Prefix{prefix("198.51.100.0/24")}},
		},
		{
			name: "a link-local address passes inside a range that was given", ip: addr("169.254.7.7"),
			member: resolver.Membership{GlobalCIDRs: []netip.Prefix{prefix("169.254.0.0/16")}},
		},
		{
			name: "a loopback address does not pass inside a range that was given", ip: addr("127.0.0.7"),
			member: resolver.Membership{GlobalCIDRs: []netip.Prefix{prefix("0.0.0.0/0")}},
			code:   reason.Unroutable, particulars: []string{"loopback"},
		},
		{
			name: "no address at all is malformed", member: member,
			code: reason.MalformedAddress,
		},
		{
			name: "the Service's own ClusterIP is not global", ip: addr("10.96.7.1"), member: member,
			code: reason.IsClusterIP, particulars: []string{"10.96.7.1", "--allow-cluster-ip"},
		},
		{
			name: "the Service's own ClusterIP written as IPv6 is not global", ip: addr("::ffff:10.96.7.1"),
			code: reason.IsClusterIP, particulars: []string{"10.96.7.1"},
		},
		{
			name: "the Service's ClusterIP that is noted as IPv6 is not global", ip: addr("10.96.7.2"),
			code: reason.IsClusterIP, particulars: []string{"10.96.7.2"},
		},
		{
			name: "the Service's second ClusterIP is not global", ip: addr("fd00:96::7"),
			code: reason.IsClusterIP, particulars: []string{"fd00:96::7"},
		},
		{
			name: "a ClusterIP that is allowed passes, though it is in no global range", ip: addr("10.96.7.1"),
			member: member, allowClusterIP: true,
		},
		{
			name: "another address outside the range does not pass because ClusterIPs are allowed", ip: addr("10.96.7.3"),
			member: member, allowClusterIP: true, code: reason.OutsideGlobalCIDR,
		},
		{
			name: "an address outside this cluster's ranges is refused", ip: addr("243.0.0.1"), member: member,
			code: reason.OutsideGlobalCIDR, particulars: []string{"243.0.0.1", "242.0.0.0/16, 242.5.0.0/24", "--global-cidr"},
		},
		{
			name: "an IPv6 address is outside IPv4 ranges", ip: addr("2001:db8::7"), member: member,
			code: reason.OutsideGlobalCIDR, particulars: []string{"2001:db8::7"},
		},
		{
			name: "a peer's address is refused and the peer named", ip: addr("242.1.3.4"), member: member,
			code: reason.InsidePeerCIDR, particulars: []string{"242.1.3.4", "242.1.0.0/16", "cluster-b", "cluster-a", "--cluster-id"},
		},
		{
			name: "a peer's IPv6 address is refused", ip: addr("fd00:2::1"), member: member,
			code: reason.InsidePeerCIDR, particulars: []string{"cluster-c"},
		},
		{
			name: "a peer's address is refused though this cluster's range was set too wide", ip: addr("242.1.3.4"),
			member: resolver.Membership{
				GlobalCIDRs: []netip.Prefix{prefix("242.0.0.0/8")},
				PeerCIDRs:   member.PeerCIDRs,
			},
			code: reason.InsidePeerCIDR, particulars: []string{"this one is not known"},
		},
		{
			name: "a peer's range written as IPv6 is the IPv4 range", ip: addr("242.1.3.4"),
			member: resolver.Membership{
				PeerCIDRs: map[string][]netip.Prefix{"cluster-b": {netip.PrefixFrom(addr("::ffff:242.1.0.0"), 112)}},
			},
			code: reason.InsidePeerCIDR, particulars: []string{"cluster-b", "242.1.0.0/16"},
		},
		{
			name: "a wide range of a peer does not speak against an address of this cluster's own", ip: addr("242.0.3.4"),
			member: resolver.Membership{
				GlobalCIDRs: []netip.Prefix{prefix("242.0.0.0/16")},
				PeerCIDRs:   map[string][]netip.Prefix{"cluster-b": {prefix("0.0.0.0/0")}},
			},
		},
		{
			name: "a peer that announces this cluster's very range does not speak against its addresses", ip: addr("242.0.3.4"),
			member: resolver.Membership{
				GlobalCIDRs: []netip.Prefix{prefix("242.0.0.0/16")},
				PeerCIDRs:   map[string][]netip.Prefix{"cluster-b": {prefix("242.0.0.0/16")}},
			},
		},
		{name: "0.0.0.0 cannot be dialled", ip: addr("0.0.0.0"), code: reason.Unroutable, particulars: []string{"unspecified"}},
		{name: ":: cannot be dialled", ip: addr("::"), code: reason.Unroutable, particulars: []string{"unspecified"}},
		{name: "127.0.0.1 cannot be dialled", ip: addr("127.0.0.1"), code: reason.Unroutable, particulars: []string{"loopback"}},
		{name: "127.0.0.1 as IPv6 cannot be dialled", ip: addr("::ffff:127.0.0.1"), code: reason.Unroutable, particulars: []string{"127.0.0.1 is a loopback"}},
		{name: "::1 cannot be dialled", ip: addr("::1"), code: reason.Unroutable, particulars: []string{"loopback"}},
		{name: "169.254.1.1 cannot be dialled", ip: addr("169.254.1.1"), code: reason.Unroutable, particulars: []string{"link-local"}},
		{name: "fe80::1 cannot be dialled", ip: addr("fe80::1"), code: reason.Unroutable, particulars: []string{"link-local"}},
		{name: "an address of one link only cannot be dialled", ip: addr("2001:db8::1%eth0"), code: reason.Unroutable, particulars: []string{"link-local"}},
		{name: "224.0.0.1 cannot be dialled", ip: addr("224.0.0.1"), code: reason.Unroutable, particulars: []string{"multicast"}},
		{name: "ff05::1 cannot be dialled", ip: addr("ff05::1"), code: reason.Unroutable, particulars: []string{"multicast"}},
		{name: "255.255.255.255 cannot be dialled", ip: addr("255.255.255.255"), code: reason.Unroutable, particulars: []string{"broadcast"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			refusal := resolver.Guard(tt.ip, request, tt.member, tt.allowClusterIP)
			if tt.code == "" {
				require.Nil(t, refusal)
				return
			}
			requireRefusal(t, refusal, tt.code, tt.particulars...)
		})
	}
}

func TestAnAddressOfASpecialPurposeRangeIsNotTakenUnlessItsRangeWasGiven(t *testing.T) {
	for _, address := range []string{
		"0.1.2.3", "10.1.2.3", "100.64.0.7", "172.16.0.7", "192.0.0.7", "192.0.2.7", "192.88.99.7", "192.168.0.7", "198.18.0.7",
		"198.51.100.7", "203.0.113.7", "64:ff9b::7", "100::7", "2001::7", "2001:db8::7", "2002::7", "fd00::7",
	} {
		t.Run(address, func(t *testing.T) {
			ip := netip.MustParseAddr(address)
			requireRefusal(t, resolver.Guard(ip, resolver.Request{}, resolver.Membership{}, false), reason.Unroutable, address, "--global-cidr")
			given := resolver.Membership{GlobalCIDRs: []netip.Prefix{netip.PrefixFrom(ip, ip.BitLen()-8)}}
			require.Nil(t, resolver.Guard(ip, resolver.Request{}, given, false))
		})
	}
	own := resolver.Request{ClusterIPs: []netip.Addr{netip.MustParseAddr("10.96.0.7")}}
	require.Nil(t, resolver.Guard(own.ClusterIPs[0], own, resolver.Membership{}, true), "a ClusterIP that may be advertised is private")
}
