package resolver

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// clusterPropertyName is the property of the About API that says which cluster of its clusterset this one is.
const clusterPropertyName = "cluster.clusterset.k8s.io"

// Membership is what is known of this cluster's place in the clusterset.
type Membership struct {
	// ClusterID is empty where nobody tells it.
	ClusterID string
	// GlobalCIDRs are the ranges of this cluster's global IPs; none means that they are not known.
	GlobalCIDRs []netip.Prefix
	// PeerCIDRs are the ranges of each other cluster, by its ID.
	PeerCIDRs map[string][]netip.Prefix
	// Submariner is that of this cluster.
	Submariner Submariner
	// Origin names what says so.
	Origin Origin
}

// Origin names the setting, or the object, that says what is known of this cluster, for people.
type Origin struct{ ClusterID, GlobalCIDRs string }

// Submariner is how the Submariner of a cluster names things. The zero Submariner is none.
type Submariner struct {
	// Namespace is where it keeps its own objects, and the ServiceImport of each Service that the cluster exports.
	Namespace string
	// ID is that of the cluster, which may be known to others by another.
	ID string
}

// Membership reads this cluster's ID and the ranges of global IPs. A setting goes before what the cluster says of
// itself, and Submariner's own ID before the ClusterProperty: Submariner names objects and DNS records by it. Every error is
// a *reason.Error.
func (r *Resolver) Membership(ctx context.Context) (Membership, error) {
	own, err := r.submariner(ctx)
	if err != nil {
		return Membership{}, err
	}
	clusters, err := r.submarinerClusters(ctx)
	if err != nil {
		return Membership{}, err
	}
	m := Membership{
		ClusterID:   r.options.ClusterID,
		GlobalCIDRs: masked(r.options.GlobalCIDRs),
		Submariner:  own.Submariner,
		Origin:      Origin{ClusterID: "--cluster-id", GlobalCIDRs: "--global-cidr"},
	}
	if m.ClusterID == "" {
		m.ClusterID, m.Origin.ClusterID = own.ID, own.String()
	}
	if m.ClusterID == "" {
		m.Origin.ClusterID = "ClusterProperty " + clusterPropertyName
		if m.ClusterID, err = r.clusterProperty(ctx); err != nil {
			return Membership{}, err
		}
	}
	if len(m.GlobalCIDRs) == 0 {
		m.Origin.GlobalCIDRs = own.String()
		if m.GlobalCIDRs, err = own.ranges(); err != nil {
			return Membership{}, err
		}
	}
	return m.withClusters(clusters), nil
}

// withClusters adds what Submariner's list of all clusters says. This cluster stands in it too, under the ID that
// Submariner knows it by; were it taken for a peer, its every address would be refused. Where that ID is not known for sure
// and not listed, the cluster with this one's range, or else with one that overlaps it, is this one; where nothing is known
// of this one, nobody is a peer.
func (m Membership) withClusters(all map[string][]netip.Prefix) Membership {
	id := cmp.Or(m.Submariner.ID, m.ClusterID)
	self := map[string]bool{}
	if _, listed := all[id]; listed {
		self[id] = true
	} else if m.Submariner.ID == "" {
		same := func(ranges []netip.Prefix) bool { return slices.Equal(ranges, m.GlobalCIDRs) }
		if !slices.ContainsFunc(slices.Collect(maps.Values(all)), same) {
			same = func(ranges []netip.Prefix) bool { return overlap(ranges, m.GlobalCIDRs) }
		}
		for other, ranges := range all {
			self[other] = same(ranges)
		}
	}
	known := id != "" || len(m.GlobalCIDRs) > 0
	for id, ranges := range all {
		switch {
		case self[id] && len(m.GlobalCIDRs) == 0:
			m.GlobalCIDRs, m.Origin.GlobalCIDRs = ranges, "Submariner's Cluster "+id
		case !self[id] && known && len(ranges) > 0:
			if m.PeerCIDRs == nil {
				m.PeerCIDRs = map[string][]netip.Prefix{}
			}
			m.PeerCIDRs[id] = ranges
		}
	}
	return m
}

// clusterProperty returns the ID that the About API tells, or nothing.
func (r *Resolver) clusterProperty(ctx context.Context) (string, error) {
	object, err := r.get(ctx, clusterPropertyKind.GroupKind, types.NamespacedName{Name: clusterPropertyName})
	if err != nil || object == nil {
		return "", err
	}
	return strings.TrimSpace(text(object, []string{"spec", "value"})), nil
}

type submarinerSelf struct {
	Submariner
	name       string
	globalCIDR string
}

// String is how people find the object.
func (s submarinerSelf) String() string { return "Submariner " + s.Namespace + "/" + s.name }

// submariner reads Submariner's own object: what it runs with stands in the status, what it shall run with in the spec.
// Its namespace is chosen by whoever installs it.
func (r *Resolver) submariner(ctx context.Context) (submarinerSelf, error) {
	found, err := r.list(ctx, submarinerKind.GroupKind)
	if err != nil || len(found) == 0 {
		return submarinerSelf{}, err
	}
	object := slices.MinFunc(found, func(a, b unstructured.Unstructured) int {
		return cmp.Or(strings.Compare(a.GetName(), b.GetName()), strings.Compare(a.GetNamespace(), b.GetNamespace()))
	})
	return submarinerSelf{
		Submariner: Submariner{
			Namespace: object.GetNamespace(),
			ID:        text(&object, []string{"status", "clusterID"}, []string{"spec", "clusterID"}),
		},
		name:       object.GetName(),
		globalCIDR: text(&object, []string{"status", "globalCIDR"}, []string{"spec", "globalCIDR"}),
	}, nil
}

// ranges returns none where Submariner runs without Globalnet. One that cannot be read is an error, for without its
// own range this cluster would believe too much.
func (s submarinerSelf) ranges() ([]netip.Prefix, error) {
	ranges, malformed := parseCIDRs(strings.Split(s.globalCIDR, ",")...)
	if len(malformed) > 0 {
		return nil, reason.Errorf(reason.SourceUnreadable,
			"%s has the global CIDR %q: set --global-cidr", s, s.globalCIDR)
	}
	return ranges, nil
}

// submarinerClusters returns the ranges of every member of the clusterset by ID. A range that cannot be read is left
// out: a peer that writes nonsense must not stop this cluster. Where the broker is in this cluster, each stands there twice.
func (r *Resolver) submarinerClusters(ctx context.Context) (map[string][]netip.Prefix, error) {
	found, err := r.list(ctx, submarinerClusterKind.GroupKind)
	if err != nil {
		return nil, err
	}
	clusters := make(map[string][]netip.Prefix, len(found))
	for i := range found {
		id := text(&found[i], []string{"spec", "cluster_id"})
		if id == "" {
			continue
		}
		cidrs, _, _ := unstructured.NestedStringSlice(found[i].Object, "spec", "global_cidr")
		ranges, _ := parseCIDRs(cidrs...)
		for _, r := range ranges {
			if !slices.Contains(clusters[id], r) {
				clusters[id] = append(clusters[id], r)
			}
		}
	}
	return clusters, nil
}

// parseCIDRs tells the ranges from what is none. Nothing at all is neither.
func parseCIDRs(texts ...string) (ranges []netip.Prefix, malformed []string) {
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			malformed = append(malformed, text)
			continue
		}
		ranges = append(ranges, prefix)
	}
	return masked(ranges), malformed
}

// masked writes every range as its first address and its length, and an IPv4 range in the clothes of IPv6 as IPv4.
func masked(ranges []netip.Prefix) []netip.Prefix {
	var plain []netip.Prefix
	for _, r := range ranges {
		if r.Addr().Is4In6() && r.Bits() >= 96 {
			r = netip.PrefixFrom(r.Addr().Unmap(), r.Bits()-96)
		}
		plain = append(plain, r.Masked())
	}
	return plain
}

func overlap(a, b []netip.Prefix) bool {
	return slices.ContainsFunc(a, func(p netip.Prefix) bool { return slices.ContainsFunc(b, p.Overlaps) })
}

// IsGlobal says whether an address lies in a range of this cluster's global IPs.
func (m Membership) IsGlobal(ip netip.Addr) bool {
	_, inside := within(m.GlobalCIDRs, ip)
	return inside
}

// Overlaps returns what each peer, in order, announces of this cluster's own range. Of addresses that both claim nobody
// knows where the network takes them.
func (m Membership) Overlaps() []string {
	var overlaps []string
	for _, peer := range slices.Sorted(maps.Keys(m.PeerCIDRs)) {
		for _, theirs := range m.PeerCIDRs[peer] {
			for _, ours := range m.GlobalCIDRs {
				if theirs.Overlaps(ours) {
					overlaps = append(overlaps, fmt.Sprintf("%s announces %s, this cluster has %s", peer, theirs, ours))
				}
			}
		}
	}
	return overlaps
}
