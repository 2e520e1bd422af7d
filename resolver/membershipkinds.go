package resolver

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rook-clusterset/rook-clusterset/kinds"
)

const (
	submarinerGroup = "submariner.io"
	// usualNamespace is where Submariner is looked for that has no object of its own.
	usualNamespace = "submariner-operator"
)

// The kinds that tell of this cluster's place in the clusterset. What they say concerns every Service.
var (
	submarinerKind = kinds.Kind{
		GroupKind: schema.GroupKind{Group: submarinerGroup, Kind: "Submariner"},
		Plural:    "submariners",
		Versions:  []string{"v1alpha1"},
		Keep: kinds.KeepFields(
			[]string{"spec", "clusterID"}, []string{"spec", "globalCIDR"},
			[]string{"status", "clusterID"}, []string{"status", "globalCIDR"}),
	}
	submarinerClusterKind = kinds.Kind{
		GroupKind: schema.GroupKind{Group: submarinerGroup, Kind: "Cluster"},
		Plural:    "clusters",
		Versions:  []string{"v1"},
		Keep:      kinds.KeepFields([]string{"spec", "cluster_id"}, []string{"spec", "global_cidr"}),
	}
	clusterPropertyKind = kinds.Kind{
		GroupKind: schema.GroupKind{Group: "about.k8s.io", Kind: "ClusterProperty"},
		Plural:    "clusterproperties",
		Versions:  []string{"v1beta1", "v1alpha1"},
		Keep:      kinds.KeepFields([]string{"spec", "value"}),
	}
)

func membershipKinds() []kinds.Kind {
	return []kinds.Kind{submarinerKind, submarinerClusterKind, clusterPropertyKind}
}
