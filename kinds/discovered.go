package kinds

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Discovered finds the kinds that are installed by asking the API server, for a command that runs once.
type Discovered struct{ Mapper meta.RESTMapper }

// Served implements Installed, with the version that the API server prefers.
func (d Discovered) Served(gk schema.GroupKind) (schema.GroupVersionKind, bool) {
	mapping, err := d.Mapper.RESTMapping(gk)
	if err != nil {
		return schema.GroupVersionKind{}, false
	}
	return mapping.GroupVersionKind, true
}

// Wait implements Installed: there is nothing to wait for.
func (Discovered) Wait(context.Context) error { return nil }
