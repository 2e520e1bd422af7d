package rook_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// replacements turns pairs of old and true addresses into Replacements.
func replacements(pairs ...string) rook.Replacements {
	r := rook.Replacements{}
	for i := 0; i < len(pairs); i += 2 {
		r[netip.MustParseAddr(pairs[i])] = netip.MustParseAddr(pairs[i+1])
	}
	return r
}

var monReplacements = replacements("10.96.0.1", "242.0.0.1", "10.96.0.2", "242.0.0.2", "fd00::1", "fd42::1")

func TestEndpointsAreReadAsRookWritesThem(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want []rook.Endpoint
		err  string
	}{
		"none": {},
		"one":  {data: "a=10.96.0.1:6789", want: []rook.Endpoint{{"a", netip.MustParseAddrPort("10.96.0.1:6789")}}},
		"of both families in the order in which they stand": {
			data: "c=[fd00::1]:3300,a=10.96.0.1:6789",
			want: []rook.Endpoint{{"c", netip.MustParseAddrPort("[fd00::1]:3300")}, {"a", netip.MustParseAddrPort("10.96.0.1:6789")}},
		},
		"those that are understood, with an error for the others": {
			data: "a=10.96.0.1,b=10.96.0.2:3300,c,=10.96.0.3:3300,",
			want: []rook.Endpoint{{"b", netip.MustParseAddrPort("10.96.0.2:3300")}},
			err:  `mon endpoint "a=10.96.0.1" is not of the form ID=IP:PORT: not an ip:port`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			endpoints, err := rook.ParseEndpoints(c.data)
			require.Equal(t, c.want, endpoints)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.data, rook.FormatEndpoints(endpoints))
		})
	}
}

func TestTheListTellsWhereRookHasEachMon(t *testing.T) {
	require.Empty(t, rook.Listed(nil))
	require.Empty(t, rook.Listed(&corev1.ConfigMap{}))
	require.Equal(t, map[string]netip.Addr{
		"a": netip.MustParseAddr("10.96.0.9"), "b": netip.MustParseAddr("fd00::1"), "c": netip.MustParseAddr("10.96.0.3"),
	}, rook.Listed(endpointsMap("a=10.96.0.1:6789,b=[fd00::1]:3300,broken,c=[::ffff:10.96.0.3]:6789,a=10.96.0.9:6789")))
}

func TestEndpointsAreCorrectedByTheIDOfTheirMon(t *testing.T) {
	truth := map[string]netip.Addr{
		"a": netip.MustParseAddr("242.0.0.1"), "b": netip.MustParseAddr("242.0.0.2"), "six": netip.MustParseAddr("fd42::6"),
	}
	for name, c := range map[string]struct{ data, want, wrong string }{
		"nothing to correct":                        {data: "a=242.0.0.1:6789,x=10.96.0.9:3300", want: "a=242.0.0.1:6789,x=10.96.0.9:3300"},
		"ports and order stay":                      {data: "b=10.96.0.2:3300,a=10.96.0.1:6789", want: "b=242.0.0.2:3300,a=242.0.0.1:6789", wrong: "b=10.96.0.2:3300,a=10.96.0.1:6789"},
		"only the wrong ones are told":              {data: "a=242.0.0.1:6789,b=10.96.0.2:3300", want: "a=242.0.0.1:6789,b=242.0.0.2:3300", wrong: "b=10.96.0.2:3300"},
		"IPv6 has brackets":                         {data: "six=[fd00::6]:3300", want: "six=[fd42::6]:3300", wrong: "six=[fd00::6]:3300"},
		"IPv4 in the form of IPv6 is IPv4":          {data: "a=[::ffff:242.0.0.1]:6789", want: "a=[::ffff:242.0.0.1]:6789"},
		"the address of another mon is still wrong": {data: "a=242.0.0.2:6789", want: "a=242.0.0.1:6789", wrong: "a=242.0.0.2:6789"},
		"what is not understood stays":              {data: "?,a=10.96.0.1:6789,,b=nowhere", want: "?,a=242.0.0.1:6789,,b=nowhere", wrong: "a=10.96.0.1:6789"},
		"an empty list stays empty":                 {},
	} {
		t.Run(name, func(t *testing.T) {
			corrected, wrong, err := rook.CorrectEndpoints(c.data, truth)
			require.Equal(t, c.want, corrected)
			require.Equal(t, c.wrong, rook.FormatEndpoints(wrong))
			require.Equal(t, name == "what is not understood stays", err != nil)
		})
	}
}

func TestMonHostIsCorrectedInEveryForm(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"as Rook writes it": {
			in:   "[v2:10.96.0.1:3300,v1:10.96.0.1:6789],[v2:10.96.0.2:3300,v1:10.96.0.2:6789]",
			want: "[v2:242.0.0.1:3300,v1:242.0.0.1:6789],[v2:242.0.0.2:3300,v1:242.0.0.2:6789]",
		},
		"with msgr2 alone":            {in: "[v2:10.96.0.1:3300]", want: "[v2:242.0.0.1:3300]"},
		"with IPv6":                   {in: "[v2:[fd00::1]:3300,v1:[fd00::1]:6789],[v2:[fd00::1]:3300]", want: "[v2:[fd42::1]:3300,v1:[fd42::1]:6789],[v2:[fd42::1]:3300]"},
		"with a nonce":                {in: "[v2:10.96.0.1:3300/0,v1:10.96.0.1:6789/0]", want: "[v2:242.0.0.1:3300/0,v1:242.0.0.1:6789/0]"},
		"as a plain list":             {in: "10.96.0.1:6789,10.96.0.2:3300", want: "242.0.0.1:6789,242.0.0.2:3300"},
		"without ports":               {in: "10.96.0.1 10.96.0.2;fd00::1,[fd00::1]", want: "242.0.0.1 242.0.0.2;fd42::1,[fd42::1]"},
		"in brackets of their own":    {in: "[10.96.0.1:6789],[10.96.0.2],[[fd00::1]:3300]", want: "[242.0.0.1:6789],[242.0.0.2],[[fd42::1]:3300]"},
		"what is no such mon stays":   {in: "[v2:10.96.0.1:3300],[v2:10.96.0.9:3300]", want: "[v2:242.0.0.1:3300],[v2:10.96.0.9:3300]"},
		"an address within a longer":  {in: "110.96.0.1:3300,10.96.0.10:6789", want: "110.96.0.1:3300,10.96.0.10:6789"},
		"what is not understood":      {in: "mon.example.net,[v2:10.96.0.1", want: "mon.example.net,[v2:242.0.0.1"},
		"nothing":                     {},
		"the true addresses":          {in: "[v2:242.0.0.1:3300,v1:242.0.0.1:6789]", want: "[v2:242.0.0.1:3300,v1:242.0.0.1:6789]"},
		"other separators are kept":   {in: "10.96.0.1:6789, 10.96.0.2:6789\n", want: "242.0.0.1:6789, 242.0.0.2:6789\n"},
		"brackets that never close":   {in: "[[10.96.0.1:6789", want: "[[10.96.0.1:6789"},
		"of either version of Ceph's": {in: "any:10.96.0.1:3300", want: "any:242.0.0.1:3300"},
	} {
		t.Run(name, func(t *testing.T) {
			got, changed := rook.CorrectMonHost(c.in, monReplacements)
			require.Equal(t, c.want, got)
			require.Equal(t, c.in != c.want, changed)
			again, changed := rook.CorrectMonHost(got, monReplacements)
			require.Equal(t, got, again)
			require.False(t, changed)
		})
	}
}

func TestTheConfigOfCSIKeepsEveryByteButTheAddresses(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"as Rook writes it": {
			in: `[{"clusterID":"rook-ceph","monitors":["10.96.0.1:6789","10.96.0.2:6789"],"cephFS":{"netNamespaceFilePath":"","subvolumeGroup":"","radosNamespace":"","kernelMountOptions":"ms_mode=prefer-crc","fuseMountOptions":""},` +
				`"rbd":{"netNamespaceFilePath":"","radosNamespace":"","mirrorCount":0},"nfs":{},"readAffinity":{"enabled":false,"crushLocationLabels":null},"namespace":""}]`,
			want: `[{"clusterID":"rook-ceph","monitors":["242.0.0.1:6789","242.0.0.2:6789"],"cephFS":{"netNamespaceFilePath":"","subvolumeGroup":"","radosNamespace":"","kernelMountOptions":"ms_mode=prefer-crc","fuseMountOptions":""},` +
				`"rbd":{"netNamespaceFilePath":"","radosNamespace":"","mirrorCount":0},"nfs":{},"readAffinity":{"enabled":false,"crushLocationLabels":null},"namespace":""}]`,
		},
		"several clusters": {
			in:   `[{"clusterID":"one","monitors":["10.96.0.1:3300"]},{"clusterID":"two","monitors":["10.1.1.1:3300","[fd00::1]:3300"]}]`,
			want: `[{"clusterID":"one","monitors":["242.0.0.1:3300"]},{"clusterID":"two","monitors":["10.1.1.1:3300","[fd42::1]:3300"]}]`,
		},
		"numbers, order, white space and unknown keys": {
			in:   "[ {\n \"z\" : 1.50e2 , \"monitors\" :\t[ \"10.96.0.1:6789\" , 7, null ], \"a\" : 12345678901234567890 , \"\\u0062\" : \"\\/\" } ]\n",
			want: "[ {\n \"z\" : 1.50e2 , \"monitors\" :\t[ \"242.0.0.1:6789\" , 7, null ], \"a\" : 12345678901234567890 , \"\\u0062\" : \"\\/\" } ]\n",
		},
		"addresses that are escaped":              {in: `[{"monitors":["10.96.0.1\u003a6789"]}]`, want: `[{"monitors":["242.0.0.1:6789"]}]`},
		"addresses elsewhere":                     {in: `[{"monitor":["10.96.0.1:6789"],"rbd":{"monitors":["10.96.0.1:6789"]},"x":"monitors","y":["10.96.0.1:6789"]}]`, want: `[{"monitor":["10.96.0.1:6789"],"rbd":{"monitors":["10.96.0.1:6789"]},"x":"monitors","y":["10.96.0.1:6789"]}]`},
		"monitors within monitors":                {in: `[{"monitors":[["10.96.0.1:6789"],{"monitors":"10.96.0.1:6789"},"10.96.0.1:6789"]}]`, want: `[{"monitors":[["10.96.0.1:6789"],{"monitors":"10.96.0.1:6789"},"242.0.0.1:6789"]}]`},
		"what follows a key whose value is a key": {in: `[{"a":"monitors","monitors":["10.96.0.1:6789"],"b":[]}]`, want: `[{"a":"monitors","monitors":["242.0.0.1:6789"],"b":[]}]`},
		"an empty list":                           {in: `[]`, want: `[]`},
		"no list":                                 {in: `{"monitors":["10.96.0.1:6789"]}`, want: `{"monitors":["10.96.0.1:6789"]}`},
		"nothing":                                 {},
		"null":                                    {in: "null", want: "null"},
	} {
		t.Run(name, func(t *testing.T) {
			got, changed, err := rook.CorrectCSIConfig(c.in, monReplacements)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			require.Equal(t, c.in != c.want, changed)
		})
	}
}

func TestAConfigOfCSIThatIsNotJSONStays(t *testing.T) {
	for _, text := range []string{`[{"monitors":["10.96.0.1:6789"]}`, `[{"monitors":["10.96.0.1:6789",}]`, `[{"monitors":["10.96.0.1:6789"]}]]`, " ", `x`, `["`} {
		got, changed, err := rook.CorrectCSIConfig(text, monReplacements)
		require.ErrorContains(t, err, "read csi-cluster-config-json: ", text)
		require.Equal(t, text, got)
		require.False(t, changed)
	}
}

func TestAnEndpointSliceKeepsOnlyAddressesOfItsFamily(t *testing.T) {
	toIPv6 := replacements("10.96.0.1", "242.0.0.1", "10.96.0.3", "fd42::3")
	for name, c := range map[string]struct {
		family  discoveryv1.AddressType
		in      [][]string
		want    [][]string
		changed bool
	}{
		"the addresses of mons become true":        {discoveryv1.AddressTypeIPv4, [][]string{{"10.96.0.1", "10.96.0.9"}}, [][]string{{"242.0.0.1", "10.96.0.9"}}, true},
		"nothing to correct":                       {discoveryv1.AddressTypeIPv4, [][]string{{"242.0.0.1"}, {}}, [][]string{{"242.0.0.1"}, {}}, false},
		"one of the other family is dropped":       {discoveryv1.AddressTypeIPv4, [][]string{{"10.96.0.1", "10.96.0.3"}}, [][]string{{"242.0.0.1"}}, true},
		"an endpoint without addresses is dropped": {discoveryv1.AddressTypeIPv4, [][]string{{"10.96.0.3"}, {"10.96.0.1"}}, [][]string{{"242.0.0.1"}}, true},
		"an address that is there already":         {discoveryv1.AddressTypeIPv4, [][]string{{"10.96.0.1", "242.0.0.1"}}, [][]string{{"242.0.0.1"}}, true},
		"in a slice of IPv6":                       {discoveryv1.AddressTypeIPv6, [][]string{{"10.96.0.3"}}, [][]string{{"fd42::3"}}, true},
		"in a slice of names":                      {discoveryv1.AddressTypeFQDN, [][]string{{"mon.example.net"}}, [][]string{{"mon.example.net"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := slice(c.family, c.in)
			require.Equal(t, c.changed, rook.CorrectEndpointSlice(s, toIPv6))
			require.Equal(t, slice(c.family, c.want), s)
		})
	}
}

// The Service of mon b was made anew, and c was given the address that b had. Rook still remembers b there.
func TestAnAddressThatAnotherMonHasByNowIsReplacedOnlyBesideWhatRookRemembersOfThatMon(t *testing.T) {
	r := replacements("242.0.0.5", "242.0.0.4", "10.96.0.3", "242.0.0.5")
	remembered := []string{"242.0.0.1", "242.0.0.5", "10.96.0.3"}
	right := []string{"242.0.0.1", "242.0.0.4", "242.0.0.5"}
	inJSON := func(addresses []string) string {
		return `[{"clusterID":"rook-ceph","monitors":["` + strings.Join(addresses, `:6789","`) + `:6789"]}]`
	}
	connection := func(addresses []string) *unstructured.Unstructured {
		u := &unstructured.Unstructured{Object: map[string]any{}}
		require.NoError(t, unstructured.SetNestedStringSlice(u.Object, addresses, "spec", "monitors"))
		return u
	}
	for _, written := range [][]string{remembered, right} {
		monHost, _ := rook.CorrectMonHost(strings.Join(written, ","), r)
		require.Equal(t, strings.Join(right, ","), monHost)
		csi, _, err := rook.CorrectCSIConfig(inJSON(written), r)
		require.NoError(t, err)
		require.Equal(t, inJSON(right), csi)
		s := slice(discoveryv1.AddressTypeIPv4, [][]string{slices.Clone(written)})
		rook.CorrectEndpointSlice(s, r)
		require.Equal(t, slice(discoveryv1.AddressTypeIPv4, [][]string{right}), s)
		c := connection(written)
		rook.CorrectCephConnection(c, r)
		require.Equal(t, connection(right), c)
	}
}

func slice(family discoveryv1.AddressType, addresses [][]string) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{AddressType: family, Endpoints: []discoveryv1.Endpoint{}}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: a})
	}
	return s
}

func TestACephConnectionKeepsAllButTheAddressesOfMons(t *testing.T) {
	connection := func(monitors any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"name": "rook-ceph"},
			"spec":     map[string]any{"monitors": monitors, "rbdMirrorDaemonCount": int64(1), "unknown": []any{"10.96.0.1:3300"}},
		}}
	}
	u := connection([]any{"10.96.0.1:3300", int64(7), "[fd00::1]:3300", "10.96.0.9:3300"})
	require.True(t, rook.CorrectCephConnection(u, monReplacements))
	require.Equal(t, connection([]any{"242.0.0.1:3300", int64(7), "[fd42::1]:3300", "10.96.0.9:3300"}), u)
	require.False(t, rook.CorrectCephConnection(u, monReplacements))

	for _, monitors := range []any{"10.96.0.1:3300", nil, []any{}} {
		u := connection(monitors)
		require.False(t, rook.CorrectCephConnection(u, monReplacements))
		require.Equal(t, connection(monitors), u)
	}
	require.False(t, rook.CorrectCephConnection(&unstructured.Unstructured{Object: map[string]any{"spec": "odd"}}, monReplacements))
}

func TestTheConfigOfCSIIsCorrectedClusterByCluster(t *testing.T) {
	of := func(cluster string) rook.Replacements {
		return map[string]rook.Replacements{
			"one": replacements("10.96.0.1", "242.0.0.1"), "two": replacements("10.96.0.1", "242.0.0.2"),
		}[cluster]
	}
	corrected, changed, err := rook.CorrectCSIConfigs(`[{"clusterID":"one","monitors":["10.96.0.1:6789"],"n":{"clusterID":"two"}},`+
		`{"monitors":["10.96.0.1:3300"], "x":[{"namespace":"one"}],"clusterID":"a1b2c3","namespace":"two"},{"clusterID":"three","monitors":["10.96.0.1:6789"]},`+
		`{"clusterID":"one","namespace":"","monitors":["10.96.0.1:6789"]},{"monitors":["10.96.0.1:6789"]}]`, of)
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, `[{"clusterID":"one","monitors":["242.0.0.1:6789"],"n":{"clusterID":"two"}},`+
		`{"monitors":["242.0.0.2:3300"], "x":[{"namespace":"one"}],"clusterID":"a1b2c3","namespace":"two"},{"clusterID":"three","monitors":["10.96.0.1:6789"]},`+
		`{"clusterID":"one","namespace":"","monitors":["242.0.0.1:6789"]},{"monitors":["10.96.0.1:6789"]}]`, corrected)
}

func TestReplacementsComeFromWhatRookCanHaveWritten(t *testing.T) {
	addr, addrs := netip.MustParseAddr, func(texts ...string) []netip.Addr {
		var all []netip.Addr
		for _, text := range texts {
			all = append(all, netip.MustParseAddr(text))
		}
		return all
	}
	born := func(truth string, clusterIPs ...string) rook.DaemonFacts {
		return rook.DaemonFacts{Export: rook.Export{Identity: rook.IdentityClusterset}, Deployed: true, Address: addr(truth), ClusterIPs: addrs(clusterIPs...)}
	}
	for name, c := range map[string]struct {
		mons      map[string]rook.DaemonFacts
		corrected string
		// stored is the list as it was stored.
		stored string
		want   rook.Replacements
	}{
		"what Rook wrote of a mon whose export is not Valid just now, by what was stored for it": {
			mons:      map[string]rook.DaemonFacts{"b": {Export: waitingExport(), ClusterIPs: addrs("10.96.0.2")}},
			corrected: "b=10.96.0.2:6789", stored: "a=242.0.0.1:6789,b=242.0.0.2:6789", want: replacements("10.96.0.2", "242.0.0.2"),
		},
		"what Rook wrote of a mon of which a cache that is behind has nothing": {
			corrected: "b=10.96.0.2:6789", stored: "a=242.0.0.1:6789,b=242.0.0.2:6789", want: replacements("10.96.0.2", "242.0.0.2"),
		},
		"what was stored for a mon to be born, before what a cache has of its export": {
			mons:      map[string]rook.DaemonFacts{"b": {Export: readyExport("242.0.0.9"), ClusterIPs: addrs("10.96.0.2")}},
			corrected: "b=10.96.0.2:6789", stored: "b=242.0.0.2:6789", want: replacements("10.96.0.2", "242.0.0.2"),
		},
		"where a mon lives, before what was stored for it": {
			mons:      map[string]rook.DaemonFacts{"b": born("242.0.0.2", "10.96.0.2")},
			corrected: "b=10.96.0.2:6789", stored: "b=242.0.0.9:6789", want: replacements("10.96.0.2", "242.0.0.2"),
		},
		"what was stored for a mon that sleeps, of which its export does not tell": {
			mons:      map[string]rook.DaemonFacts{"b": {Export: waitingExport(), Deployed: true, ClusterIPs: addrs("10.96.0.12")}},
			corrected: "b=10.96.0.2:6789", stored: "b=242.0.0.2:6789", want: replacements("10.96.0.2", "242.0.0.2", "10.96.0.12", "242.0.0.2"),
		},
		"not by what was stored for a mon that keeps its ClusterIP": {
			mons:      map[string]rook.DaemonFacts{"b": {Export: rook.Export{Identity: rook.IdentityCluster}, Deployed: true, Address: addr("10.96.0.2")}},
			corrected: "b=10.96.0.2:6789", stored: "b=242.0.0.2:6789", want: replacements(),
		},
		"not by an entry that was never corrected": {
			mons:   map[string]rook.DaemonFacts{"b": {Export: waitingExport(), ClusterIPs: addrs("10.96.0.12")}},
			stored: "b=10.96.0.2:6789", want: replacements(),
		},
		"the ClusterIPs of a mon": {
			mons: map[string]rook.DaemonFacts{"a": born("242.0.0.1", "10.96.0.1", "fd00::1")},
			want: replacements("10.96.0.1", "242.0.0.1", "fd00::1", "242.0.0.1"),
		},
		"of a mon that is still to be born": {
			mons: map[string]rook.DaemonFacts{"a": {Export: readyExport("242.0.0.1"), ClusterIPs: addrs("10.96.0.1")}},
			want: replacements("10.96.0.1", "242.0.0.1"),
		},
		"not of a mon whose address is not known": {
			mons: map[string]rook.DaemonFacts{"a": {Export: rook.Export{Identity: rook.IdentityClusterset}, ClusterIPs: addrs("10.96.0.1")}},
			want: replacements(),
		},
		"not of a mon that keeps its ClusterIP": {
			mons: map[string]rook.DaemonFacts{"a": {Export: rook.Export{Identity: rook.IdentityCluster}, Deployed: true, Address: addr("10.96.0.1"), ClusterIPs: addrs("10.96.0.7")}},
			want: replacements(),
		},
		"not of a mon whose true address is a ClusterIP": {
			mons: map[string]rook.DaemonFacts{"a": born("10.96.0.1", "10.96.0.1", "fd00::1")}, want: replacements(),
		},
		"what Rook last wrote besides": {
			mons: map[string]rook.DaemonFacts{"a": born("242.0.0.1", "10.96.0.11")}, corrected: "a=10.96.0.1:6789,gone=10.96.0.5:6789,broken",
			want: replacements("10.96.0.11", "242.0.0.1", "10.96.0.1", "242.0.0.1"),
		},
		"what Rook remembers of one mon and another is to be born with, of which it remembers something else": {
			mons: map[string]rook.DaemonFacts{
				"b": {Export: readyExport("242.0.0.4"), ClusterIPs: addrs("10.96.0.2")}, "c": {Export: readyExport("242.0.0.5"), ClusterIPs: addrs("10.96.0.3")},
			},
			corrected: "b=242.0.0.5:6789,c=10.96.0.3:6789", stored: "b=242.0.0.4:6789,c=242.0.0.5:6789",
			want: replacements("10.96.0.2", "242.0.0.4", "10.96.0.3", "242.0.0.5", "242.0.0.5", "242.0.0.4"),
		},
		"not what Rook remembers of one mon and another has, of which it remembers that": {
			mons: map[string]rook.DaemonFacts{
				"b": {Export: readyExport("242.0.0.4"), ClusterIPs: addrs("10.96.0.2")}, "c": {Export: readyExport("242.0.0.5"), ClusterIPs: addrs("10.96.0.3")},
			},
			corrected: "b=242.0.0.5:6789", stored: "b=242.0.0.4:6789,c=242.0.0.5:6789",
			want: replacements("10.96.0.2", "242.0.0.4", "10.96.0.3", "242.0.0.5"),
		},
		"not what Rook wrote of one mon and another has by now": {
			mons: map[string]rook.DaemonFacts{"a": born("242.0.0.1", "10.96.0.11"), "b": born("242.0.0.2", "10.96.0.1")}, corrected: "a=10.96.0.1:6789",
			want: replacements("10.96.0.11", "242.0.0.1", "10.96.0.1", "242.0.0.2"),
		},
		"not what Rook wrote and a mon that keeps its ClusterIP has by now": {
			mons:      map[string]rook.DaemonFacts{"a": born("242.0.0.1"), "b": {Export: rook.Export{Identity: rook.IdentityCluster}, ClusterIPs: addrs("10.96.0.1")}},
			corrected: "a=10.96.0.1:6789", want: replacements(),
		},
		"never of an address that is true": {
			mons: map[string]rook.DaemonFacts{"a": born("242.0.0.1", "10.96.0.1"), "b": born("242.0.0.2")}, corrected: "b=242.0.0.1:6789",
			want: replacements("10.96.0.1", "242.0.0.1"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			remembered, _ := rook.ParseEndpoints(c.corrected)
			require.Equal(t, c.want, rook.ReplacementsFor(c.mons, endpointsMap(c.stored), remembered))
		})
	}
}
