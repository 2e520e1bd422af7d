// Package kinds knows which of the kinds that others install are there, in which version, and reads their objects: a
// cluster may get its Rook or its MCS implementation later than us, and may lose it.
package kinds

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	mcsv1beta1 "sigs.k8s.io/mcs-api/pkg/apis/v1beta1"
)

// Kind is a kind that others install.
type Kind struct {
	schema.GroupKind
	// Plural is the name of the kind's resource; with the group it is that of the CustomResourceDefinition.
	Plural string
	// Versions are those that can be read here, the best first.
	Versions []string
	// Needed says that nothing can be done without the kind.
	Needed bool
	// Keep returns of an object what is read of it: all that the caches hold. It may share parts with the object.
	Keep func(*unstructured.Unstructured) *unstructured.Unstructured
	// About returns the Service that an object says something of; nil, or a no, stands for all Services.
	About func(metav1.Object) (types.NamespacedName, bool)
	// Indexes are those by which the caches find objects, by name.
	Indexes map[string]client.IndexerFunc
}

// Service returns the Service that an object of the kind says something of, or false where it concerns all.
func (k Kind) Service(object metav1.Object) (types.NamespacedName, bool) {
	if k.About == nil {
		return types.NamespacedName{}, false
	}
	return k.About(object)
}

func (k Kind) definition() string { return k.Plural + "." + k.Group }

// The two kinds without which nothing can be done.
var (
	// CephCluster is the kind that owns the daemons.
	CephCluster = schema.GroupKind{Group: "ceph.rook.io", Kind: "CephCluster"}
	// ServiceExport is the kind by which a Service is exported (KEP-1645).
	ServiceExport = schema.GroupKind{Group: mcsv1beta1.GroupName, Kind: "ServiceExport"}
)

// Installed says which kinds are there.
type Installed interface {
	// Served returns the version in which a kind is read, or false while it is not installed.
	Served(gk schema.GroupKind) (schema.GroupVersionKind, bool)
	// Wait returns once that is known: before, a kind that is there would be taken for missing.
	Wait(ctx context.Context) error
}

// Object returns an empty object of a kind, to read into or to write.
func Object(gvk schema.GroupVersionKind) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	return u
}
