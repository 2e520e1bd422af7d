package rookstandin

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
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
