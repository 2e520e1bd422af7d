package ceph

import (
	"encoding/base64"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	clusterA, globalA = netip.MustParseAddr("10.96.0.1"), netip.MustParseAddr("242.0.0.1")
	globalB           = netip.MustParseAddr("242.0.0.2")
	globalC           = netip.MustParseAddr("242.0.0.3")
)

func monStart(id string, mkfs netip.Addr, monHost ...netip.Addr) MonStart {
	return MonStart{ID: id, MkfsAddr: mkfs, MonHost: monHost, InitialMembers: []string{"a"}}
}

func TestWhatTheFirstMonAdvertises(t *testing.T) {
	for name, c := range map[string]struct {
		start      MonStart
		advertised netip.Addr
	}{
		"as Rook writes it, its ClusterIP":        {monStart("a", clusterA, clusterA), clusterA},
		"with init-mon-fs and mon_host rewritten": {monStart("a", globalA, globalA), globalA},
		"with mon_host left at the ClusterIP":     {monStart("a", globalA, clusterA), netip.Addr{}},
		"with init-mon-fs left at the ClusterIP":  {monStart("a", clusterA, globalA), netip.Addr{}},
	} {
		t.Run(name, func(t *testing.T) {
			ceph := New()
			ceph.StartMon(c.start)
			advertised, ranked := ceph.Advertised("a")
			require.Equal(t, c.advertised.IsValid(), ranked)
			require.Equal(t, c.advertised, advertised)
			for _, dialled := range []netip.Addr{clusterA, globalA} {
				_, err := ceph.QuorumAt(dialled)
				if dialled == c.advertised {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, ErrNoAnswer)
				}
			}
		})
	}
}

func TestAMonKeepsItsFirstAddressForLife(t *testing.T) {
	ceph := New()
	ceph.StartMon(monStart("a", clusterA, clusterA))
	ceph.StopMon("a")
	ceph.StartMon(monStart("a", globalA, globalA))
	advertised, _ := ceph.Advertised("a")
	require.Equal(t, clusterA, advertised)
}

func TestLaterMonsJoinThroughMonHostAlone(t *testing.T) {
	ceph := New()
	ceph.StartMon(monStart("a", globalA, globalA))
	ceph.StartMon(monStart("b", globalB, clusterA, globalB))
	status, err := ceph.QuorumAt(globalA)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, status.Members, "b dials a's ClusterIP in vain")

	ceph.StartMon(monStart("b", globalB, globalA, globalB))
	ceph.StartMon(monStart("c", globalC, clusterA, globalB, globalC))
	status, err = ceph.QuorumAt(clusterA, globalC)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, status.Members)
	require.Equal(t, map[string]netip.Addr{"a": globalA, "b": globalB, "c": globalC}, status.Monmap)
}

func TestALaterMonThatIsNotSavedYetJoinsAtItsOwnAddress(t *testing.T) {
	ceph := New()
	ceph.StartMon(monStart("a", globalA, globalA))
	ceph.StartMon(monStart("d", globalC, globalA))
	saved := monStart("b", globalB, globalA, clusterA)
	saved.InitialMembers = []string{"a", "b"}
	ceph.StartMon(saved)
	status, err := ceph.QuorumAt(globalA)
	require.NoError(t, err)
	require.Equal(t, map[string]netip.Addr{"a": globalA, "d": globalC}, status.Monmap, "b is saved at another address than it has")
}

func TestQuorumNeedsMoreThanHalf(t *testing.T) {
	ceph := New()
	all := []netip.Addr{globalA, globalB, globalC}
	for i, id := range []string{"a", "b", "c"} {
		ceph.StartMon(monStart(id, all[i], all...))
	}
	ceph.Kill("a")
	status, err := ceph.QuorumAt(all...)
	require.NoError(t, err)
	require.Equal(t, []string{"b", "c"}, status.Members)
	require.False(t, status.In("a"))
	_, err = ceph.QuorumAt(globalA)
	require.ErrorIs(t, err, ErrNoAnswer, "the only mon that is dialled is dead")

	ceph.StopMon("b")
	_, err = ceph.QuorumAt(all...)
	require.ErrorIs(t, err, ErrNoAnswer)
	ceph.Revive("a")
	require.NoError(t, ceph.RemoveMon(t.Context(), Access{Dial: []netip.AddrPort{netip.AddrPortFrom(globalA, 6789)}}, "b"))
	status, err = ceph.QuorumAt(all...)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c"}, status.Members)
	_, ok := ceph.Advertised("b")
	require.False(t, ok, "its store is gone")
}

func TestRestoredMonsAreBornTogether(t *testing.T) {
	ceph := New()
	start := func(id string, address netip.Addr) {
		ceph.StartMon(MonStart{
			ID: id, MkfsAddr: address,
			MonHost: []netip.Addr{globalA, globalB}, InitialMembers: []string{"a", "b"},
		})
	}
	start("a", globalA)
	_, err := ceph.QuorumAt(globalA)
	require.ErrorIs(t, err, ErrNoAnswer, "one of two is not more than half")
	start("b", globalB)
	status, err := ceph.QuorumAt(globalA)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, status.Members)
}

func TestAnOSDIsUpWhenItReachesAMon(t *testing.T) {
	ceph := New()
	ceph.StartMon(monStart("a", globalA, globalA))
	ceph.StartOSD("0", globalB, []netip.Addr{clusterA})
	require.Empty(t, ceph.OSDMap())
	ceph.StartOSD("0", globalB, []netip.Addr{globalA})
	require.Equal(t, map[string]netip.Addr{"0": globalB}, ceph.OSDMap())
	ceph.StopOSD("0")
	require.Empty(t, ceph.OSDMap())
}

func TestAKeyIsInCephsEncoding(t *testing.T) {
	key := Key("mon.")
	raw, err := base64.StdEncoding.DecodeString(key)
	require.NoError(t, err)
	require.Len(t, raw, 2+4+4+2+16)
	require.Equal(t, []byte{1, 0}, raw[:2])
	require.Equal(t, []byte{16, 0}, raw[10:12])
	require.NotEqual(t, key, Key("client.admin"))
}
