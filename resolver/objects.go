package resolver

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

// objects reads kinds that may not be installed. Every error is a *reason.Error.
type objects struct{ kinds.Reader }

func (o objects) get(ctx context.Context, gk schema.GroupKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	object, err := o.Get(ctx, gk, key)
	if err != nil {
		return nil, reason.Errorf(reason.SourceUnreadable, "%v", err)
	}
	return object, nil
}

func (o objects) list(ctx context.Context, gk schema.GroupKind) ([]unstructured.Unstructured, error) {
	found, err := o.List(ctx, gk)
	if err != nil {
		return nil, reason.Errorf(reason.SourceUnreadable, "%v", err)
	}
	return found, nil
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
