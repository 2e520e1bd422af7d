package mcsstandin

import (
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

func TestJoinedMembersTellWhatEachOtherExports(t *testing.T) {
	const name = "rook-ceph-mon-a.rook-ceph.svc.clusterset.local."
	east := newTestStandin(t, Options{}, export("e1"), service("s1"))
	west := newTestStandin(t, Options{ClusterID: "west"})
	require.Equal(t, dns.RcodeNameError, west.ask(t, "udp", "east."+name, dns.TypeA).Rcode, "they have not joined yet")
	Join(east, west)
	require.Equal(t, dns.RcodeNameError, west.ask(t, "udp", "east."+name, dns.TypeA).Rcode, "it is not exported yet")

	east.reconcileOnce(t)
	require.Equal(t, []string{"242.0.255.253"}, addressesIn(west.ask(t, "udp", "east."+name, dns.TypeA)))
	require.Equal(t, []string{"242.0.255.253"}, addressesIn(west.ask(t, "udp", name, dns.TypeA)), "without a cluster ID it is the peer's, for want of an own one")
	require.Equal(t, dns.RcodeNameError, west.ask(t, "udp", "west."+name, dns.TypeA).Rcode)
}
