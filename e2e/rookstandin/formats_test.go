package rookstandin

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

func monsAt(endpoints ...string) map[string]monInfo {
	mons := map[string]monInfo{}
	for i, endpoint := range endpoints {
		mons[monName(i)] = monInfo{endpoint: netip.MustParseAddrPort(endpoint)}
	}
	return mons
}

func TestMonHost(t *testing.T) {
	for name, c := range map[string]struct {
		mons    map[string]monInfo
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
			map[string]monInfo{
				"a": {endpoint: netip.MustParseAddrPort("10.96.0.1:3300"), outOfQuorum: true},
				"b": {endpoint: netip.MustParseAddrPort("10.96.0.2:3300")},
			}, "[v2:10.96.0.2:3300]", []string{"10.96.0.2"}, "b",
		},
	} {
		t.Run(name, func(t *testing.T) {
			hosts, members := monHost(c.mons)
			require.Equal(t, c.hosts, hosts)
			require.Equal(t, c.members, members)
			var parsed []string
			for _, address := range parseMonHost(hosts) {
				parsed = append(parsed, address.String())
			}
			require.Equal(t, c.parsed, parsed)
		})
	}
}

func TestMemoryIsWhatTheConfigMapSays(t *testing.T) {
	m, err := readMemory(&corev1.ConfigMap{Data: map[string]string{
		"data": "b=10.96.0.2:3300,d=[fd00::4]:6789", "maxMonId": "1", "outOfQuorum": "d",
		"mapping": `{"node":{"b":{"Name":"n1","Hostname":"n1","Address":"192.168.0.1","zone":"z"},"d":null}}`,
	}})
	require.NoError(t, err)
	require.Equal(t, map[string]monInfo{
		"b": {endpoint: netip.MustParseAddrPort("10.96.0.2:3300")},
		"d": {endpoint: netip.MustParseAddrPort("[fd00::4]:6789"), outOfQuorum: true},
	}, m.snapshot())
	require.Equal(t, 3, m.highest(), "a name counts even if its Deployment was never made")
	node, ok := m.place("b")
	require.True(t, ok)
	require.Equal(t, "z", node.Zone)
	node, ok = m.place("d")
	require.True(t, ok)
	require.Nil(t, node)

	m, err = readMemory(nil)
	require.NoError(t, err)
	require.Empty(t, m.snapshot())
	require.Equal(t, -1, m.highest())
}

func TestFlatEndpoints(t *testing.T) {
	flat := flatEndpoints(monsAt("10.96.0.1:6789", "[fd00::1]:3300"))
	require.ElementsMatch(t, []string{"a=10.96.0.1:6789", "b=[fd00::1]:3300"}, strings.Split(flat, ","))
}

func TestCSIConfigOfSeveralClusters(t *testing.T) {
	text, err := updateCSIConfig("[]", "first", []string{"10.96.0.1:6789"})
	require.NoError(t, err)
	text, err = updateCSIConfig(text, "second", []string{"10.96.0.2:6789"})
	require.NoError(t, err)
	text, err = updateCSIConfig(text, "first", []string{"242.0.0.1:6789"})
	require.NoError(t, err)
	const rest = `"cephFS":{"netNamespaceFilePath":"","subvolumeGroup":"","kernelMountOptions":"","fuseMountOptions":""},` +
		`"rbd":{"netNamespaceFilePath":"","radosNamespace":""},"nfs":{"netNamespaceFilePath":""},` +
		`"readAffinity":{"enabled":false,"crushLocationLabels":null}`
	require.Equal(t, `[{"clusterID":"first","monitors":["242.0.0.1:6789"],`+rest+`,"namespace":"first"},`+
		`{"clusterID":"second","monitors":["10.96.0.2:6789"],`+rest+`,"namespace":"second"}]`, text)
}

func TestWhichTextsHoldAnAddress(t *testing.T) {
	for text, holdsIt := range map[string]bool{
		"a=10.96.0.1:6789": true, "[v2:10.96.0.1:3300,v1:10.96.0.1:6789]": true, "--public-addr=10.96.0.1": true,
		`"monitors":["10.96.0.1:6789"]`: true, "10.96.0.1\n": true,
		"a=10.96.0.11:6789": false, "a=110.96.0.1:6789": false, "10.96.0.1.5": false, "": false,
	} {
		require.Equal(t, holdsIt, holds(text, netip.MustParseAddr("10.96.0.1")), text)
	}
	for text, holdsIt := range map[string]bool{
		"[v2:[fd00::1]:3300]": true, "fd00::1\n": true, "--public-addr=fd00::1": true, "[fd00::11]:3300": false, "fd00::1:2": false,
	} {
		require.Equal(t, holdsIt, holds(text, netip.MustParseAddr("fd00::1")), text)
	}
}

func TestParseRelease(t *testing.T) {
	release, err := ParseRelease("v1.20.6")
	require.NoError(t, err)
	require.Equal(t, "v1.20.6", release.String())
	for _, text := range []string{"", "1.20", "v2.0.0", "v1.x.1", "v1.1.x"} {
		_, err := ParseRelease(text)
		require.Error(t, err, text)
	}
	crds, err := decodeCRDs(rookCRDs)
	require.NoError(t, err)
	require.Len(t, crds, 3)
}
