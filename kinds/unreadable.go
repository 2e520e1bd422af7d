package kinds

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// lister returns a function that lists one object of a kind, to see whether that is allowed.
func lister(live client.Reader) func(context.Context, schema.GroupVersionKind) error {
	return func(ctx context.Context, gvk schema.GroupVersionKind) error {
		found := &metav1.PartialObjectMetadataList{}
		found.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		return live.List(ctx, found, client.Limit(1))
	}
}

// leftOut says whether a kind is none that is needed and may not be read: its informer would never sync, and keep the
// replica from being ready.
func (k *Watch) leftOut(ctx context.Context, kind Kind, gvk schema.GroupVersionKind) bool {
	if kind.Needed {
		return false
	}
	err := k.list(ctx, gvk)
	forbidden := apierrors.IsForbidden(err)
	k.mu.Lock()
	news := forbidden && !k.unreadable[kind.GroupKind]
	delete(k.unreadable, kind.GroupKind)
	if forbidden {
		k.unreadable[kind.GroupKind] = true
	}
	k.mu.Unlock()
	if news {
		k.log.Error(err, "Kind may not be read and is left out", "kind", kind.String())
	}
	if forbidden {
		k.queue.AddAfter(kind.definition(), k.retry)
	}
	return forbidden
}

// Unreadable returns the kinds that are served and left out, because we may not read them, sorted.
func (k *Watch) Unreadable() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var names []string
	for gk := range k.unreadable {
		names = append(names, gk.String())
	}
	slices.Sort(names)
	return names
}
