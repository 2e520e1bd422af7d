package shapes

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func monsAt(endpoints ...string) Mons {
	mons := Mons{}
	for i, endpoint := range endpoints {
		mons[MonName(i)] = Mon{Endpoint: netip.MustParseAddrPort(endpoint)}
	}
	return mons
}

func TestMonHost(t *testing.T) {
	for name, c := range map[string]struct {
		mons    Mons
		hosts   string
		parsed  []string
		members string
	}{
		"without mons": {monsAt(), "", nil, ""},
		"both protocols": {
			monsAt("10.96.0.1:6789", "242.0.0.2:6789"), "[v2:10.96.0.1:3300,v1:10.96.0.1:6789],[v2:242.0.0.2:3300,v1:242.0.0.2:6789]",
			[]string{"10.96.0.1", "242.0.0.2"},
			"a,b",
		},
		"msgr2 alone": {monsAt("10.96.0.1:3300"), "[v2:10.96.0.1:3300]", []string{"10.96.0.1"}, "a"},
		"IPv6": {
			monsAt("[fd00::1]:6789", "[fd00::2]:3300"), "[v2:[fd00::1]:3300,v1:[fd00::1]:6789],[v2:[fd00::2]:3300]",
			[]string{"fd00::1", "fd00::2"},
			"a,b",
		},
		"one out of quorum": {
			Mons{"a": {netip.MustParseAddrPort("10.96.0.1:3300"), true}, "b": {netip.MustParseAddrPort("10.96.0.2:3300"), false}},
			"[v2:10.96.0.2:3300]",
			[]string{"10.96.0.2"},
			"b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			hosts, members := c.mons.MonHost()
			require.Equal(t, c.hosts, hosts)
			require.Equal(t, c.members, members)
			var parsed []string
			for _, address := range ParseMonHost(hosts) {
				parsed = append(parsed, address.String())
			}
			require.Equal(t, c.parsed, parsed)
		})
	}
}

func TestNamesOfMons(t *testing.T) {
	for index, name := range map[int]string{0: "a", 25: "z", 26: "aa", 27: "ab", 701: "zz", 702: "aaa"} {
		require.Equal(t, name, MonName(index))
		require.Equal(t, index, MonIndex(name))
	}
	require.Equal(t, -1, MonIndex("A1"))
}
