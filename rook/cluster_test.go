package rook_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func cephCluster(t *testing.T, text string) rook.Cluster {
	t.Helper()
	u := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &u.Object))
	return rook.ReadCluster(u)
}

func TestACephClusterIsReadLeniently(t *testing.T) {
	require.Equal(t, rook.Cluster{
		Namespace: "rook-ceph", Name: "my-cluster", UID: "uid-1", CephVersion: "18.2.7-0", Phase: "Ready",
	}, cephCluster(t, `
metadata: {namespace: rook-ceph, name: my-cluster, uid: uid-1}
spec:
  network: {provider: "", connections: {requireMsgr2: false, encryption: {enabled: false}}, multiClusterService: {enabled: false, clusterID: x}}
  external: {enable: false}
status: {phase: Ready, version: {version: 18.2.7-0, image: x}}
`))
	require.Equal(t, rook.Cluster{}, cephCluster(t, `{spec: {network: odd, external: {enable: "yes"}}, status: {version: 5, phase: 7}}`))

	for text, change := range map[string]func(c *rook.Cluster){
		`spec: {network: {provider: host}}`:                              func(c *rook.Cluster) { c.HostNetwork = true },
		`spec: {network: {hostNetwork: true}}`:                           func(c *rook.Cluster) { c.HostNetwork = true },
		`spec: {network: {provider: multus}}`:                            func(c *rook.Cluster) { c.Multus = true },
		`spec: {network: {selectors: {public: a/b}}}`:                    func(c *rook.Cluster) { c.Multus = true },
		`spec: {network: {selectors: {}}}`:                               func(*rook.Cluster) {},
		`spec: {network: {addressRanges: {public: [10.0.0.0/8]}}}`:       func(c *rook.Cluster) { c.AddressRanges = true },
		`spec: {network: {addressRanges: {cluster: [10.0.0.0/8]}}}`:      func(c *rook.Cluster) { c.AddressRanges = true },
		`spec: {network: {addressRanges: {public: [], cluster: null}}}`:  func(*rook.Cluster) {},
		`spec: {network: {ipFamily: IPv6}}`:                              func(c *rook.Cluster) { c.IPv6 = true },
		`spec: {network: {ipFamily: IPv4}}`:                              func(*rook.Cluster) {},
		`spec: {network: {ipFamily: IPv6, dualStack: true}}`:             func(c *rook.Cluster) { c.IPv6, c.DualStack = true, true },
		`spec: {network: {multiClusterService: {enabled: true}}}`:        func(c *rook.Cluster) { c.NativeMultiCluster = true },
		`spec: {external: {enable: true}}`:                               func(c *rook.Cluster) { c.External = true },
		`spec: {network: {connections: {requireMsgr2: true}}}`:           func(c *rook.Cluster) { c.Msgr2Only = true },
		`spec: {network: {connections: {encryption: {enabled: true}}}}`:  func(c *rook.Cluster) { c.Msgr2Only = true },
		`spec: {network: {connections: {compression: {enabled: true}}}}`: func(c *rook.Cluster) { c.Msgr2Only = true },
	} {
		var want rook.Cluster
		change(&want)
		require.Equal(t, want, cephCluster(t, text), text)
	}
}

func TestClustersThatCannotBeServedAreLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		cluster rook.Cluster
		want    reason.Code
	}{
		"nothing known":                      {rook.Cluster{}, ""},
		"host network":                       {rook.Cluster{HostNetwork: true}, reason.ClusterHostNetwork},
		"native multi-cluster":               {rook.Cluster{NativeMultiCluster: true}, reason.NativeMultiCluster},
		"Multus":                             {rook.Cluster{Multus: true, AddressRanges: true}, reason.ClusterMultus},
		"address ranges":                     {rook.Cluster{AddressRanges: true}, reason.ClusterAddressRanges},
		"IPv6 alone":                         {rook.Cluster{IPv6: true}, reason.ClusterSingleStack},
		"IPv6 alone, as the global IPs are":  {rook.Cluster{IPv6: true, IPv6GlobalIPs: true}, ""},
		"both families":                      {rook.Cluster{IPv6: true, DualStack: true}, ""},
		"external":                           {rook.Cluster{External: true, HostNetwork: true}, reason.ExternalCluster},
		"the least versions":                 {rook.Cluster{RookVersion: "v1.11.0", CephVersion: "17.2.6-0"}, ""},
		"later versions":                     {rook.Cluster{RookVersion: "v1.20.6", CephVersion: "20.2.4-0"}, ""},
		"a next major version":               {rook.Cluster{RookVersion: "v2.0.0", CephVersion: "21.0.0"}, ""},
		"a development build":                {rook.Cluster{RookVersion: "v1.20.0-alpha.0.12.g1234"}, ""},
		"an old development build":           {rook.Cluster{RookVersion: "v1.10.0-alpha.0.12.g1234"}, reason.RookTooOld},
		"an old Rook":                        {rook.Cluster{RookVersion: "v1.10.13"}, reason.RookTooOld},
		"a very old Rook":                    {rook.Cluster{RookVersion: "v0.9.3"}, reason.RookTooOld},
		"an old Ceph":                        {rook.Cluster{CephVersion: "17.2.5-10"}, reason.CephTooOld},
		"an old Ceph of two numbers":         {rook.Cluster{CephVersion: "16.2"}, reason.CephTooOld},
		"versions that cannot be read serve": {rook.Cluster{RookVersion: "master", CephVersion: "x.y.z"}, ""},
		"and so do those of other words":     {rook.Cluster{RookVersion: "v1", CephVersion: "16-2-1.0"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, c.cluster.StandAside())
		})
	}
}
