package webhook

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// newCephConnection corrects the object from which the operator of the CSI drivers learns the mons of a cluster.
func newCephConnection(r replacer) decider {
	return &corrector[*unstructured.Unstructured]{
		name:         "ceph-connection",
		empty:        func() *unstructured.Unstructured { return &unstructured.Unstructured{} },
		concerns:     func(*unstructured.Unstructured) bool { return true },
		replacements: func(ctx context.Context, _ string) (rook.Replacements, error) { return r.ofAll(ctx) },
		correct: func(u *unstructured.Unstructured, replacements rook.Replacements) (bool, error) {
			return rook.CorrectCephConnection(u, replacements), nil
		},
		corrected: reason.ConnectionCorrected,
	}
}
