package resolver

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// objects reads kinds that may not be installed.
type objects struct {
	reader client.Reader
	kinds  Kinds
}

// get returns nil without an error for an object that is not there, be it that its whole kind is not.
func (o objects) get(ctx context.Context, gk schema.GroupKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	gvk, ok := o.kinds.Served(gk)
	if !ok {
		return nil, nil
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(gvk)
	if err := o.reader.Get(ctx, key, object); err != nil {
		if absent(err) {
			return nil, nil
		}
		return nil, reason.Errorf(reason.SourceUnreadable, "read %s %s: %v", gk.Kind, name(key), err)
	}
	return object, nil
}

// list returns nothing without an error for a kind that is not there.
func (o objects) list(ctx context.Context, gk schema.GroupKind, namespace string) ([]unstructured.Unstructured, error) {
	gvk, ok := o.kinds.Served(gk)
	if !ok {
		return nil, nil
	}
	found := &unstructured.UnstructuredList{}
	gvk.Kind += "List"
	found.SetGroupVersionKind(gvk)
	if err := o.reader.List(ctx, found, client.InNamespace(namespace)); err != nil {
		if absent(err) {
			return nil, nil
		}
		return nil, reason.Errorf(reason.SourceUnreadable, "list the objects %s of namespace %s: %v", gk, namespace, err)
	}
	return found.Items, nil
}

// absent tells an error that says that something is not there. A kind can vanish between being seen and being read.
func absent(err error) bool {
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

// text returns the string at the first of the paths that has one.
func text(object *unstructured.Unstructured, paths ...[]string) string {
	for _, path := range paths {
		if value, _, err := unstructured.NestedString(object.Object, path...); err == nil && value != "" {
			return value
		}
	}
	return ""
}
