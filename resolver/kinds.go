package resolver

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	mcsv1beta1 "sigs.k8s.io/mcs-api/pkg/apis/v1beta1"
)

// Kinds of which a cluster may have some, all or none.
var (
	ServiceExport     = schema.GroupKind{Group: mcsv1beta1.GroupName, Kind: "ServiceExport"}
	ServiceImport     = schema.GroupKind{Group: mcsv1beta1.GroupName, Kind: "ServiceImport"}
	GlobalIngressIP   = schema.GroupKind{Group: "submariner.io", Kind: "GlobalIngressIP"}
	Submariner        = schema.GroupKind{Group: "submariner.io", Kind: "Submariner"}
	SubmarinerCluster = schema.GroupKind{Group: "submariner.io", Kind: "Cluster"}
	ClusterProperty   = schema.GroupKind{Group: "about.k8s.io", Kind: "ClusterProperty"}
)

// SubmarinerNamespace is where Submariner keeps its own objects and the ServiceImport of each exporting cluster.
const SubmarinerNamespace = "submariner-operator"

// Kinds says which kinds the API server serves now, and in which version they are to be read.
// It is asked at each turn, so that a kind that is installed later is used from then on.
type Kinds interface {
	Served(gk schema.GroupKind) (schema.GroupVersionKind, bool)
}
