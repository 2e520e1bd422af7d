package webhook

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// newCephConnection corrects the object from which the operator of the CSI drivers learns the mons of a cluster.
func newCephConnection(r replacer) decider {
	return &corrector[*unstructured.Unstructured, rook.Replacements]{
		name:     "ceph-connection",
		empty:    func() *unstructured.Unstructured { return &unstructured.Unstructured{} },
		concerns: func(*unstructured.Unstructured) bool { return true },
		// Rook names it after the namespace of its cluster.
		replacements: func(ctx context.Context, u *unstructured.Unstructured) (rook.Replacements, error) {
			return r.ofEnabled(ctx, u.GetName())
		},
		correct: func(u *unstructured.Unstructured, replacements rook.Replacements) (bool, error) {
			return rook.CorrectCephConnection(u, replacements), nil
		},
		corrected: reason.ConnectionCorrected,
	}
}
