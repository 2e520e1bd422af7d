package addresses

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Kind is the kind of the objects, as manifests/base/addresses.yaml defines it. An object has the name and the namespace of its
// CephCluster.
var Kind = schema.GroupVersionKind{Group: "rook-clusterset.io", Version: "v1alpha1", Kind: "CephClusterAddresses"}

// Resource is the plural of Kind.
const Resource = "cephclusteraddresses"

// The types of the conditions. kstatus, and all that builds on it, goes by the first.
const (
	// Ready says that what a peer needs to mirror from here is right: both others are True.
	Ready = "Ready"
	// Complete says that Rook has brought the cluster up and each mon and OSD is at its global IP.
	Complete = "AddressesComplete"
	// TokenRight says that the bootstrap peer token tells the global IPs of the mons.
	TokenRight = "PeerTokenRight"
)

// Status is what stands in an object.
type Status struct {
	// ObservedGeneration is that of the object, whose spec says nothing.
	ObservedGeneration int64 `json:"observedGeneration"`
	// Daemons counts mons and OSDs, AtGlobalIPs those of them that need nobody.
	Daemons     int                `json:"daemons"`
	AtGlobalIPs int                `json:"atGlobalIPs"`
	Conditions  []metav1.Condition `json:"conditions"`
}

// ReadStatus returns what stands in an object. What cannot be read counts as never written.
func ReadStatus(object *unstructured.Unstructured) Status {
	content, _, _ := unstructured.NestedMap(object.Object, "status")
	var status Status
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &status); err != nil {
		return Status{}
	}
	return status
}
