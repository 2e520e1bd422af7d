package rookstandin

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// updated are Deployments as they were stored before they were written over.
type updated []*appsv1.Deployment

// applyUpdate writes the freshly built Deployment over the stored one if they differ.
func (o *Operator) applyUpdate(ctx context.Context, wanted *appsv1.Deployment, before func() error) (updated, error) {
	stored := &appsv1.Deployment{}
	if err := o.write.get(ctx, wanted.Namespace, wanted.Name, stored); err != nil {
		return nil, err
	}
	changed, err := shapes.Differs(stored, wanted)
	if err != nil {
		return nil, err
	}
	// A note that Rook made on what it wants differs from that of the last update.
	if note, noted := wanted.Annotations[shapes.LastApplied]; noted {
		changed = changed || note != stored.Annotations[shapes.LastApplied]
	}
	if !changed {
		o.journal.add(Unchanged, "Deployment", wanted.Namespace+"/"+wanted.Name, "")
		return nil, nil
	}
	if err := before(); err != nil {
		return nil, err
	}
	shapes.SetLastApplied(wanted)
	if err := o.write.update(ctx, wanted); err != nil {
		return nil, err
	}
	return updated{stored}, nil
}

func (o *Operator) updateAndWait(ctx context.Context, wanted *appsv1.Deployment, before func() error) error {
	written, err := o.applyUpdate(ctx, wanted, before)
	if err != nil {
		return err
	}
	return o.waitForUpdate(ctx, written)
}

// waitForUpdate waits until the Deployments have taken their update, which it tells from their generations.
func (o *Operator) waitForUpdate(ctx context.Context, before updated) error {
	started := o.clock.now()
	for _, old := range before {
		now := &appsv1.Deployment{}
		for {
			if err := o.write.get(ctx, old.Namespace, old.Name, now); err != nil {
				return err
			}
			if o.options.Kubelet.Updated(old, now) {
				break
			}
			if o.clock.now().Sub(started) > o.options.Timing.UpdateTimeout {
				return fmt.Errorf("gave up waiting for deployment %s to update", old.Name)
			}
			if err := o.clock.sleep(ctx, o.options.Timing.UpdateInterval); err != nil {
				return err
			}
		}
		o.journal.add(Updated, "Deployment", old.Namespace+"/"+old.Name, "generation %d to %d after %s",
			old.Generation, now.Generation, o.clock.now().Sub(started).Round(time.Millisecond))
	}
	return nil
}
