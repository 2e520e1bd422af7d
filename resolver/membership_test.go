package resolver_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

func TestMembership(t *testing.T) {
	edit := strings.NewReplacer
	prefixes := func(texts ...string) []netip.Prefix {
		var all []netip.Prefix
		for _, text := range texts {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}
	noGlobalnet := edit("globalCIDR: 242.0.0.0/16", `globalCIDR: ""`).Replace(submarinerA)
	own := resolver.Submariner{Namespace: "submariner-operator", ID: "cluster-a"}
	peerB := map[string][]netip.Prefix{"cluster-b": prefixes("242.1.0.0/16")}
	tests := []struct {
		name    string
		kinds   served
		options resolver.Options
		objects []string
		want    resolver.Membership
		code    reason.Code
		detail  string
	}{
		{name: "a cluster with no kinds at all knows nothing of itself", kinds: served{}},
		{name: "a cluster with the kinds and no objects knows nothing of itself"},
		{
			name:    "Submariner tells the ID, the range and the peers",
			objects: []string{submarinerA, clusterA, clusterB},
			want:    resolver.Membership{Submariner: own, ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16"), PeerCIDRs: peerB},
		},
		{
			name:    "the spec of Submariner serves while there is no status",
			objects: []string{status(submarinerA, "{}")},
			want:    resolver.Membership{Submariner: own, ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16")},
		},
		{
			name:    "the status of Submariner goes before its spec",
			objects: []string{status(submarinerA, "{clusterID: cluster-x, globalCIDR: 242.9.0.0/16}")},
			want:    resolver.Membership{Submariner: resolver.Submariner{Namespace: "submariner-operator", ID: "cluster-x"}, ClusterID: "cluster-x", GlobalCIDRs: prefixes("242.9.0.0/16")},
		},
		{
			name:    "of two Submariners the first by name is asked",
			objects: []string{edit("name: submariner,", "name: z,", "cluster-a", "cluster-z").Replace(submarinerA), submarinerA},
			want:    resolver.Membership{Submariner: own, ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16")},
		},
		{
			name:    "several ranges are read, and each from its first address",
			objects: []string{status(submarinerA, `{clusterID: cluster-a, globalCIDR: "242.0.7.7/16, 242.5.0.0/24"}`)},
			want:    resolver.Membership{Submariner: own, ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16", "242.5.0.0/24")},
		},
		{
			name: "a Submariner in another namespace is this cluster's too",
			objects: []string{
				edit("submariner-operator", "elsewhere").Replace(submarinerA),
				edit("submariner-operator", "elsewhere").Replace(clusterA), edit("submariner-operator", "elsewhere").Replace(clusterB),
			},
			want: resolver.Membership{
				ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16"), PeerCIDRs: peerB,
				Submariner: resolver.Submariner{Namespace: "elsewhere", ID: "cluster-a"},
			},
		},
		{
			name: "the copies of the list that the broker keeps are no other clusters",
			objects: []string{
				submarinerA, clusterA, clusterB,
				edit("submariner-operator", "submariner-k8s-broker").Replace(clusterA), edit("submariner-operator", "submariner-k8s-broker").Replace(clusterB),
			},
			want: resolver.Membership{ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16"), PeerCIDRs: peerB, Submariner: own},
		},
		{
			name:    "Submariner without Globalnet tells no range",
			objects: []string{noGlobalnet, edit("[242.0.0.0/16]", "[]").Replace(clusterA)},
			want:    resolver.Membership{Submariner: own, ClusterID: "cluster-a"},
		},
		{
			name:    "the range stands in the list of clusters too",
			objects: []string{noGlobalnet, clusterA, clusterB},
			want:    resolver.Membership{Submariner: own, ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16"), PeerCIDRs: peerB},
		},
		{
			name: "the ClusterProperty tells the ID", objects: []string{propertyA},
			want: resolver.Membership{ClusterID: "cluster-a"},
		},
		{
			name:    "a ClusterProperty of another name does not tell the ID",
			objects: []string{edit("name: cluster.clusterset.k8s.io", "name: clusterset.k8s.io").Replace(propertyA)},
		},
		{
			name:    "Submariner's own ID goes before the ClusterProperty, for Submariner names everything by it",
			objects: []string{edit("cluster-a", "east").Replace(propertyA), submarinerA, clusterA, clusterB},
			want:    resolver.Membership{Submariner: own, ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16"), PeerCIDRs: peerB},
		},
		{
			name:    "the setting goes before all, and the mistaken ID of a peer does not make the peer this cluster",
			options: resolver.Options{ClusterID: "cluster-b", GlobalCIDRs: prefixes("198.18.3.0/15")},
			objects: []string{propertyA, submarinerA, clusterA, clusterB},
			want:    resolver.Membership{Submariner: own, ClusterID: "cluster-b", GlobalCIDRs: prefixes("198.18.0.0/15"), PeerCIDRs: peerB},
		},
		{
			name:    "without Submariner's own object this cluster is found in the list by its ID",
			options: resolver.Options{ClusterID: "cluster-a"}, objects: []string{clusterA, clusterB},
			want: resolver.Membership{ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16"), PeerCIDRs: peerB},
		},
		{
			name:    "without an ID this cluster is found in the list by its range",
			options: resolver.Options{GlobalCIDRs: prefixes("242.0.0.0/16")}, objects: []string{clusterA, clusterB},
			want: resolver.Membership{GlobalCIDRs: prefixes("242.0.0.0/16"), PeerCIDRs: peerB},
		},
		{
			name:    "under an ID that the list does not have this cluster is found by its range",
			options: resolver.Options{ClusterID: "east", GlobalCIDRs: prefixes("242.0.0.0/16")}, objects: []string{clusterA, clusterB},
			want: resolver.Membership{ClusterID: "east", GlobalCIDRs: prefixes("242.0.0.0/16"), PeerCIDRs: peerB},
		},
		{
			name:    "a cluster that knows its ID and is not in the list yet has only peers there",
			options: resolver.Options{ClusterID: "cluster-a"}, objects: []string{clusterB},
			want: resolver.Membership{ClusterID: "cluster-a", PeerCIDRs: peerB},
		},
		{name: "a cluster that knows nothing of itself has no peers", objects: []string{clusterA, clusterB}},
		{
			name: "a peer without a readable range or ID is no peer",
			objects: []string{
				submarinerA, edit("[242.1.0.0/16]", `["", nonsense]`).Replace(clusterB),
				edit("name: cluster-b", "name: nameless", "cluster_id: cluster-b", `cluster_id: ""`).Replace(clusterB),
			},
			want: resolver.Membership{Submariner: own, ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16")},
		},
		{
			name:    "an own range that cannot be read is an error",
			objects: []string{status(submarinerA, "{clusterID: cluster-a, globalCIDR: 242.0.0.0}")},
			code:    reason.SourceUnreadable, detail: "submariner-operator/submariner has the global CIDR \"242.0.0.0\": set --global-cidr",
		},
		{
			name:    "an own range that cannot be read does not matter where one is set",
			options: resolver.Options{GlobalCIDRs: prefixes("242.0.0.0/16")},
			objects: []string{status(submarinerA, "{clusterID: cluster-a, globalCIDR: 242.0.0.0}")},
			want:    resolver.Membership{Submariner: own, ClusterID: "cluster-a", GlobalCIDRs: prefixes("242.0.0.0/16")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := world{kinds: tt.kinds, options: tt.options, objects: objects(t, tt.objects...)}
			got, err := w.resolver(t).Membership(t.Context())
			if tt.code != "" {
				requireRefusal(t, err, tt.code, tt.detail)
				return
			}
			require.NoError(t, err)
			got.Origin = resolver.Origin{}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestWhatIsKnownOfThisClusterComesWithWhatSaysSo(t *testing.T) {
	const object = "Submariner submariner-operator/submariner"
	set := resolver.Options{ClusterID: "east", GlobalCIDRs: []netip.Prefix{netip.MustParsePrefix("242.0.0.0/16")}}
	for name, c := range map[string]struct {
		w    world
		want resolver.Origin
	}{
		"settings":                      {world{options: set, objects: objects(t, submarinerA)}, resolver.Origin{ClusterID: "--cluster-id", GlobalCIDRs: "--global-cidr"}},
		"Submariner's own object":       {world{objects: objects(t, submarinerA, clusterA)}, resolver.Origin{ClusterID: object, GlobalCIDRs: object}},
		"Submariner's list of clusters": {world{options: resolver.Options{ClusterID: "cluster-a"}, objects: objects(t, clusterA)}, resolver.Origin{ClusterID: "--cluster-id", GlobalCIDRs: "Submariner's Cluster cluster-a"}},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := c.w.resolver(t).Membership(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.want, m.Origin)
		})
	}
}

func TestAPeerWhoseRangeOverlapsThisClustersIsNamed(t *testing.T) {
	everything := strings.NewReplacer("[242.1.0.0/16]", "[0.0.0.0/0]").Replace(clusterB)
	m, err := world{objects: objects(t, submarinerA, clusterA, everything)}.resolver(t).Membership(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"cluster-b announces 0.0.0.0/0, this cluster has 242.0.0.0/16"}, m.Overlaps())

	m, err = world{objects: objects(t, submarinerA, clusterA, clusterB)}.resolver(t).Membership(t.Context())
	require.NoError(t, err)
	require.Empty(t, m.Overlaps())
}

func TestAPeerThatAnnouncesEverythingIsNotTakenForThisCluster(t *testing.T) {
	everything := strings.NewReplacer("[242.1.0.0/16]", "[0.0.0.0/0]").Replace(clusterB)
	own := resolver.Options{GlobalCIDRs: []netip.Prefix{netip.MustParsePrefix("242.0.0.0/16")}}
	m, err := world{options: own, objects: objects(t, clusterA, everything)}.resolver(t).Membership(t.Context())
	require.NoError(t, err)
	require.NotContains(t, m.PeerCIDRs, "cluster-a")
	require.Contains(t, m.PeerCIDRs, "cluster-b")
}
