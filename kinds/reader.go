package kinds

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Reader reads objects of kinds that may not be installed. What it returns is the cache's own and must not be changed.
type Reader struct {
	Objects   client.Reader
	Installed Installed
}

// Get returns nil without an error for an object that is not there, be it that its whole kind is not.
func (r Reader) Get(ctx context.Context, gk schema.GroupKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	gvk, served, err := r.served(ctx, gk)
	if err != nil || !served {
		return nil, err
	}
	object := Object(gvk)
	if err := r.Objects.Get(ctx, key, object, client.UnsafeDisableDeepCopy); err != nil {
		if Absent(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("read %s %s: %w", gk.Kind, name(key), err)
	}
	return object, nil
}

// List returns nothing without an error for a kind that is not there.
func (r Reader) List(ctx context.Context, gk schema.GroupKind, opts ...client.ListOption) ([]unstructured.Unstructured, error) {
	gvk, served, err := r.served(ctx, gk)
	if err != nil || !served {
		return nil, err
	}
	found := &unstructured.UnstructuredList{}
	found.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := r.Objects.List(ctx, found, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		if Absent(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("list the %ss: %w", gk.Kind, err)
	}
	return found.Items, nil
}

func (r Reader) served(ctx context.Context, gk schema.GroupKind) (schema.GroupVersionKind, bool, error) {
	if err := r.Installed.Wait(ctx); err != nil {
		return schema.GroupVersionKind{}, false, err
	}
	gvk, served := r.Installed.Served(gk)
	return gvk, served, nil
}

// Absent tells an error that says that something is not there. A kind can vanish between being seen and being read.
func Absent(err error) bool {
	_, notCached := errors.AsType[*cache.ErrResourceNotCached](err)
	return apierrors.IsNotFound(err) || meta.IsNoMatchError(err) || notCached
}

// name is as kubectl writes it: without a slash for an object of no namespace.
func name(key types.NamespacedName) string {
	if key.Namespace == "" {
		return key.Name
	}
	return key.String()
}
