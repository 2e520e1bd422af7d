package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

func clustersetChecks() []Check {
	return []Check{
		{Name: "global-range", Needs: "cluster", Before: true, Ask: askRange, Reads: []right{
			{"list", "submariner.io", "submariners", "", everywhere},
			{"list", "submariner.io", "clusters", "", everywhere},
			{"list", "about.k8s.io", "clusterproperties", "", everywhere},
		}},
		{Name: "cluster-id", Needs: "global-range", Before: true, Ask: askClusterID},
		{Name: "peer-ranges", Needs: "global-range", Before: true, Ask: askPeers},
	}
}

func askRange(ctx context.Context, p *Patient) (Finding, error) {
	m, err := p.Membership(ctx)
	if err != nil {
		return fails("Mend the object that is named, or set --global-cidr in the Deployment rook-clusterset.", "%s", oneLine(err.Error())), nil
	}
	return ofRange(m), nil
}

func ofRange(m resolver.Membership) Finding {
	if len(m.GlobalCIDRs) == 0 {
		return warns("Run Submariner with Globalnet, or set --global-cidr in the Deployment rook-clusterset.",
			"the range of this cluster's global IPs is not known: what a ServiceImport or DNS says is not believed")
	}
	return well("global IPs are of %s, as %s says", prefixes(m.GlobalCIDRs), m.Origin.GlobalCIDRs)
}

func prefixes(all []netip.Prefix) string {
	var texts []string
	for _, prefix := range all {
		texts = append(texts, prefix.String())
	}
	return strings.Join(texts, ", ")
}

func askClusterID(ctx context.Context, p *Patient) (Finding, error) {
	m, err := p.Membership(ctx)
	if err != nil {
		return Finding{}, err
	}
	return ofClusterID(m), nil
}

func ofClusterID(m resolver.Membership) Finding {
	if m.ClusterID == "" {
		return warns("Set --cluster-id in the Deployment rook-clusterset.", "the ID of this cluster is not known: the clusterset DNS cannot be asked for it alone")
	}
	return well("this cluster is %q, as %s says", m.ClusterID, m.Origin.ClusterID)
}

func askPeers(ctx context.Context, p *Patient) (Finding, error) {
	m, err := p.Membership(ctx)
	if err != nil {
		return Finding{}, err
	}
	return ofPeers(m), nil
}

func ofPeers(m resolver.Membership) Finding {
	switch overlaps := m.Overlaps(); {
	case len(overlaps) > 0:
		return fails("Give each cluster a range of its own (subctl join --globalnet-cidr); nobody knows where the network takes an address that two have.",
			"this cluster %s", reason.PeerCIDROverlaps.Sentence()).with(overlaps)
	case len(m.PeerCIDRs) == 0:
		return nothingThere("no peer announces a range of global IPs")
	}
	var texts []string
	for _, peer := range slices.Sorted(maps.Keys(m.PeerCIDRs)) {
		texts = append(texts, fmt.Sprintf("%s %s", peer, prefixes(m.PeerCIDRs[peer])))
	}
	return well("peers have other ranges: %s", strings.Join(texts, "; "))
}
