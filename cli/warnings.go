package cli

import (
	"context"
	"fmt"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

// clustersetWarnings returns what is odd about this cluster's place in the clusterset, though daemons are served. What the
// flags of the manager say is not known here.
func clustersetWarnings(ctx context.Context, read kinds.Reader) []string {
	readers := resolver.Readers{Cached: read.Objects, Live: read.Objects}
	membership, err := resolver.New(readers, read.Installed, resolver.Options{}).Membership(ctx)
	if err != nil {
		return []string{fmt.Sprintf("this cluster's place in the clusterset is not known: %v", err)}
	}
	var warnings []string
	for _, overlap := range membership.Overlaps() {
		warnings = append(warnings, "this cluster "+reason.PeerCIDROverlaps.Sentence()+": "+overlap)
	}
	return warnings
}
