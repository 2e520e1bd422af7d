package rookstandin

import (
	"context"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
)

// applyUpdate writes the freshly built Deployment over the stored one if they differ. It returns what was stored
// before, nil if nothing was written.
func (o *Operator) applyUpdate(ctx context.Context, wanted *appsv1.Deployment, before func() error) (*appsv1.Deployment, error) {
	stored := &appsv1.Deployment{}
	if err := o.write.get(ctx, wanted.Namespace, wanted.Name, stored); err != nil {
		return nil, fmt.Errorf("failed to get deployment %s: %w", wanted.Name, err)
	}
	changed, err := differs(stored, wanted)
	if err != nil {
		return nil, err
	}
	// A note that Rook made on what it wants differs from that of the last update.
	if note, noted := wanted.Annotations[lastAppliedAnnotation]; noted {
		changed = changed || note != stored.Annotations[lastAppliedAnnotation]
	}
	if !changed {
		o.journal.add(Unchanged, "Deployment", wanted.Namespace+"/"+wanted.Name, "")
		return nil, nil
	}
	if err := before(); err != nil {
		return nil, err
	}
	if err := setLastApplied(wanted); err != nil {
		return nil, fmt.Errorf("failed to annotate deployment %s: %w", wanted.Name, err)
	}
	if err := o.write.update(ctx, wanted); err != nil {
		return nil, fmt.Errorf("failed to update deployment %s: %w", wanted.Name, err)
	}
	return stored, nil
}

// waitForUpdate waits until the Deployments have taken their update, which it tells from their generations.
func (o *Operator) waitForUpdate(ctx context.Context, before []*appsv1.Deployment) error {
	started := o.clock.now()
	for len(before) > 0 {
		var waiting []*appsv1.Deployment
		for _, old := range before {
			now := &appsv1.Deployment{}
			if err := o.write.get(ctx, old.Namespace, old.Name, now); err != nil {
				return fmt.Errorf("failed to get deployment %s: %w", old.Name, err)
			}
			if !o.options.Kubelet.Updated(old, now) {
				waiting = append(waiting, old)
				continue
			}
			o.journal.add(Updated, "Deployment", old.Namespace+"/"+old.Name, "generation %d to %d after %s",
				old.Generation, now.Generation, o.clock.now().Sub(started).Round(time.Millisecond))
		}
		if before = waiting; len(before) == 0 {
			return nil
		}
		if o.clock.now().Sub(started) > o.options.Timing.UpdateTimeout {
			var names []string
			for _, d := range before {
				names = append(names, d.Name)
			}
			return fmt.Errorf("gave up waiting for deployments %s to update", strings.Join(names, ", "))
		}
		if err := o.clock.sleep(ctx, o.options.Timing.UpdateInterval); err != nil {
			return err
		}
	}
	return nil
}
