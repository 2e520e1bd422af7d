package probe

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// atOnce is how many conversations are held at a time.
const atOnce = 16

// Run speaks with every target at each of its ports and returns what was found, in the order of the targets. No step
// of a conversation takes longer than the timeout.
func Run(ctx context.Context, targets []Target, ranges []netip.Prefix, timeout time.Duration) []Finding {
	heard := make([][]Heard, len(targets))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, target := range targets {
		if !target.Address.IsValid() {
			continue
		}
		heard[i] = make([]Heard, len(target.Ports))
		for j, port := range target.Ports {
			group.Go(func() error {
				heard[i][j] = Converse(ctx, netip.AddrPortFrom(target.Address, port), timeout)
				return nil
			})
		}
	}
	// What goes wrong is a finding, and never an error of the group.
	_ = group.Wait()
	var findings []Finding
	for i, target := range targets {
		findings = slices.Concat(findings, Judge(target, heard[i], ranges))
	}
	return findings
}
