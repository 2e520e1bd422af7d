package exporter

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/rook-clusterset/rook-clusterset/recall"
)

// leader takes turns only while this replica leads.
type leader struct {
	*reconciler
	term *recall.Term
}

// Reconcile implements reconcile.TypedReconciler. What is dropped gets its turn when the next term begins.
func (l leader) Reconcile(ctx context.Context, to target) (ctrl.Result, error) {
	ctx, end, leads := l.term.Bind(ctx)
	defer end()
	if !leads {
		return ctrl.Result{}, nil
	}
	return l.reconciler.Reconcile(ctx, to)
}

// begin forgets what another leader may have made untrue.
func (l leader) begin() {
	l.memories.ForgetAll()
	l.claims.forget()
	l.awaiting.forget()
}
