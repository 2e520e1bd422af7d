package exporter

import (
	"context"
	"slices"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// runSwitchedOff is for a namespace that is not switched on: nothing is done there, and it is told if it was on before and its
// daemons are exported still.
func (t turn) runSwitchedOff(ctx context.Context, to target) error {
	if to.Daemon != "" {
		// All of them together are told of once.
		t.wake(target{Namespace: to.Namespace})
		return nil
	}
	exports, err := t.view.Exports(ctx, to.Namespace)
	if err != nil {
		return err
	}
	var left []string
	for name, export := range exports {
		if export.Ours {
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		t.memories.Forget(to.Namespace)
		return nil
	}
	off, err := t.view.SwitchedOff(ctx, to.Namespace)
	if err != nil || !off {
		return err
	}
	t.reportOnly(ctx, slices.Min(left), note{
		code: reason.NamespaceSwitchedOff, warning: true, subject: subjectOff(to.Namespace),
		detail: "label it " + rook.EnabledLabel + "=true again, or delete its ServiceExports once no daemon advertises a global IP",
	})
	return nil
}

func subjectOff(namespace string) string { return "Namespace " + namespace }
