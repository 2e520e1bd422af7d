package exporter

import (
	"context"
	"errors"
	"fmt"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// carryOut does what a step says. A refusal that lies in the nature of the case is reported and not tried again before
// something changes.
func (t turn) carryOut(ctx context.Context, f facts, s step) error {
	err := t.write(ctx, f, s)
	if refusal, ok := errors.AsType[*reason.Error](err); ok {
		t.report(ctx, f.daemon.Name(), note{code: refusal.Code, warning: true, subject: f.daemon.String(), detail: refusal.Detail})
		return nil
	}
	if err != nil {
		return err
	}
	if len(s.remove) > 0 || s.create {
		t.memory.Forget(f.daemon.String(), recalled(s.notes)...)
	}
	for _, n := range s.notes {
		t.report(ctx, f.daemon.Name(), n)
	}
	return nil
}

func (t turn) write(ctx context.Context, f facts, s step) error {
	for _, rooks := range s.adopt {
		if err := t.ensurer.adopt(ctx, f.daemon, rooks); err != nil {
			return err
		}
	}
	for _, unmarked := range s.label {
		if err := t.ensurer.label(ctx, f.daemon, unmarked); err != nil {
			return err
		}
	}
	for _, owned := range s.disown {
		if err := t.ensurer.disown(ctx, f.daemon, owned); err != nil {
			return err
		}
	}
	if s.unpins(f) || len(s.remove) > 0 && !s.remake {
		// What is forgotten here is never known again, and a cache can be behind.
		if lives, err := t.lives(ctx, f.daemon); err != nil || lives {
			return err
		}
	}
	if !f.export.Exists && (s.mark != nil || len(s.remove) > 0) {
		// A cache can be behind an export that was made anew, to whose Service Globalnet is about to give an address.
		if exported, err := t.ensurer.isExported(ctx, f.daemon); err != nil || exported {
			return err
		}
	}
	if s.apply != nil {
		if err := t.ensurer.applyService(ctx, s.apply); err != nil {
			return err
		}
	}
	// No mark comes or goes before Globalnet is at rest, which can be behind an export that is gone.
	if s.mark != nil && !t.isBeingGiven(ctx, f) {
		if err := t.ensurer.markService(ctx, f.daemon, *s.mark); err != nil {
			return err
		}
	}
	if s.create {
		gvk, _ := t.view.Installed().Served(kinds.ServiceExport)
		if err := t.ensurer.createExport(ctx, newExport(gvk, f.daemon)); err != nil {
			return err
		}
	}
	if s.annotate != nil {
		if err := t.ensurer.applyExport(ctx, f.daemon, *s.annotate); err != nil {
			return err
		}
		t.wakeWaiting(f, *s.annotate)
	}
	if len(s.remove) == 0 {
		return nil
	}
	return t.remove(ctx, f, s)
}

// lives says whether the API server itself knows of the daemon, be it only in Rook's list.
func (t turn) lives(ctx context.Context, daemon rook.Daemon) (bool, error) {
	deployed, err := t.ensurer.isDeployed(ctx, daemon)
	if err != nil || deployed || !daemon.Type.StandsInList() {
		return deployed, err
	}
	endpoints, latest, err := t.view.LatestMonEndpoints(ctx, daemon.Namespace)
	if err == nil && !latest {
		err = fmt.Errorf("the API server does not say whether Rook lists %s/%s", daemon.Namespace, daemon.Name())
	}
	return rook.Listed(endpoints)[daemon.ID].IsValid(), err
}

// remove deletes what outlived its daemon or was made for one that is not born, unless it lives by now.
func (t turn) remove(ctx context.Context, f facts, s step) error {
	back, err := t.ensurer.isDeployed(ctx, f.daemon)
	if err != nil || back {
		return err
	}
	for _, o := range s.remove {
		if err := t.ensurer.remove(ctx, f.daemon, o); err != nil {
			return err
		}
	}
	t.wakeWaiting(f, rook.Export{})
	if !s.remake {
		t.metrics.orphans.WithLabelValues(f.daemon.Namespace).Inc()
	}
	return nil
}
