package rookstandin

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// writer is the client of the operator, with every write and every refusal in the journal. Its errors tell what was done.
type writer struct {
	client  client.WithWatch
	journal *Journal
}

func (w *writer) get(ctx context.Context, namespace, name string, o client.Object) error {
	if err := w.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, o); err != nil {
		return fmt.Errorf("failed to get %s: %w", name, err)
	}
	return nil
}

func (w *writer) create(ctx context.Context, o client.Object) error {
	return w.note("create", o, w.client.Create(ctx, o))
}

func (w *writer) update(ctx context.Context, o client.Object) error {
	return w.note("update", o, w.client.Update(ctx, o))
}

// delete takes what is not there for deleted.
func (w *writer) delete(ctx context.Context, o client.Object, options ...client.DeleteOption) error {
	return client.IgnoreNotFound(w.note("delete", o, w.client.Delete(ctx, o, options...)))
}

// createOrUpdate writes in Rook's style: it creates, and replaces what is there only when told that it exists.
func (w *writer) createOrUpdate(ctx context.Context, o client.Object) error {
	fresh, _ := o.DeepCopyObject().(client.Object)
	err := w.create(ctx, o)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	return w.update(ctx, fresh)
}

// createIfMissing reads what is stored into the object. If nothing is, it creates the object, and says so.
func (w *writer) createIfMissing(ctx context.Context, o client.Object) (created bool, err error) {
	fresh, _ := o.DeepCopyObject().(client.Object)
	err = w.get(ctx, o.GetNamespace(), o.GetName(), o)
	if apierrors.IsNotFound(err) {
		return true, w.create(ctx, fresh)
	}
	return false, err
}

// save creates the object, or writes it over what is stored.
func (w *writer) save(ctx context.Context, o client.Object) error {
	stored, _ := o.DeepCopyObject().(client.Object)
	created, err := w.createIfMissing(ctx, stored)
	if err != nil || created {
		return err
	}
	o.SetResourceVersion(stored.GetResourceVersion())
	return w.update(ctx, o)
}

func (w *writer) note(verb string, o client.Object, err error) error {
	kind, name := w.describe(o)
	switch {
	case err == nil:
		w.journal.add(Wrote, kind, name, "%s", verb)
		return nil
	case apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err), apierrors.IsConflict(err),
		errors.Is(err, context.Canceled):
	default:
		w.journal.add(Refused, kind, name, "%s: %v", verb, err)
	}
	return fmt.Errorf("failed to %s %s %s: %w", verb, kind, name, err)
}

func (w *writer) describe(o client.Object) (kind, name string) {
	gvk, _ := apiutil.GVKForObject(o, w.client.Scheme()) // What can be written has a kind.
	return gvk.Kind, o.GetNamespace() + "/" + o.GetName()
}

// remove deletes the object with what it owns, and goes on where it cannot.
func (o *Operator) remove(ctx context.Context, object client.Object, failed string) {
	err := o.write.delete(ctx, object, client.PropagationPolicy(metav1.DeletePropagationForeground), client.GracePeriodSeconds(0))
	o.goOn(failed, object.GetName(), err)
}

// goOn notes an error that stops nothing, about the object of the namespace if it is named.
func (o *Operator) goOn(after, name string, err error) {
	if err != nil {
		o.journal.add(Continued, "", o.cluster.Namespace+"/"+name, "%s: %v", after, err)
	}
}

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
	started := o.now()
	for _, old := range before {
		now := &appsv1.Deployment{}
		for {
			if err := o.write.get(ctx, old.Namespace, old.Name, now); err != nil {
				return err
			}
			if o.tookUpdate(old, now) {
				break
			}
			if o.now().Sub(started) > o.options.Timing.UpdateTimeout {
				return fmt.Errorf("gave up waiting for deployment %s to update", old.Name)
			}
			if err := o.sleep(ctx, o.options.Timing.UpdateInterval); err != nil {
				return err
			}
		}
		o.journal.add(Updated, "Deployment", old.Namespace+"/"+old.Name, "generation %d to %d after %s",
			old.Generation, now.Generation, o.now().Sub(started).Round(time.Millisecond))
	}
	return nil
}

// tookUpdate says whether the pods of a Deployment are those of its update: before is what was stored ahead of it.
func (o *Operator) tookUpdate(before, now *appsv1.Deployment) bool {
	return o.options.AssumePods != nil || now.Status.ObservedGeneration != before.Status.ObservedGeneration &&
		now.Status.UpdatedReplicas > 0 && now.Status.ReadyReplicas > 0
}
