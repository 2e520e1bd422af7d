package webhook

import (
	"context"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// newActiveMons corrects the EndpointSlices of the mons in quorum, through which clients in the cluster find a mon.
func newActiveMons(r replacer) decider {
	return &corrector[*discoveryv1.EndpointSlice, rook.Replacements]{
		name:  "active-mons",
		empty: func() *discoveryv1.EndpointSlice { return &discoveryv1.EndpointSlice{} },
		concerns: func(s *discoveryv1.EndpointSlice) bool {
			return s.Name == rook.ActiveMonsIPv4Name || s.Name == rook.ActiveMonsIPv6Name
		},
		replacements: func(ctx context.Context, s *discoveryv1.EndpointSlice) (rook.Replacements, error) {
			return r.of(ctx, s.Namespace)
		},
		correct: func(s *discoveryv1.EndpointSlice, replacements rook.Replacements) (bool, error) {
			return rook.CorrectEndpointSlice(s, replacements), nil
		},
		corrected: reason.SliceCorrected,
	}
}
