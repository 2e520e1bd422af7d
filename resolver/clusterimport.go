package resolver

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

// SourceClusterImport is the name of the source that reads what this cluster sends to Submariner's broker.
const SourceClusterImport = "SubmarinerServiceImport"

// clusterImport is the ServiceImport that Submariner keeps of each Service that this cluster exports.
type clusterImport struct{ objects }

func (clusterImport) Name() string { return SourceClusterImport }

func (clusterImport) Reads() []kinds.Kind { return []kinds.Kind{importKind} }

// Labels by which Submariner says of a ServiceImport in its own namespace which Service it is of (lighthouse 0.19
// pkg/agent/controller).
const (
	importServiceLabel   = "multicluster.kubernetes.io/service-name"
	importNamespaceLabel = "lighthouse.submariner.io/sourceNamespace"
	importClusterLabel   = "multicluster.kubernetes.io/source-cluster"
)

func (s clusterImport) Lookup(ctx context.Context, r Request, m Membership) (netip.Addr, error) {
	id := cmp.Or(m.Submariner.ID, m.ClusterID)
	if id == "" {
		return netip.Addr{}, reason.Errorf(reason.NoAnswer, "Submariner's ServiceImport is named after the cluster ID")
	}
	key := types.NamespacedName{
		Namespace: cmp.Or(m.Submariner.Namespace, usualNamespace),
		Name:      fmt.Sprintf("%s-%s-%s", r.Name, r.Namespace, id),
	}
	object, err := s.get(ctx, importKind.GroupKind, key)
	if err != nil {
		return netip.Addr{}, err
	}
	owner := fmt.Sprintf("ServiceImport %s", key)
	if object == nil {
		return netip.Addr{}, reason.Errorf(reason.NoAnswer, "there is no %s", owner)
	}
	// The name alone can deceive: a-b in namespace c and a in namespace b-c make the same one.
	for _, label := range []struct{ key, want string }{
		{importServiceLabel, r.Name},
		{importNamespaceLabel, r.Namespace},
		{importClusterLabel, id},
	} {
		if got, ok := object.GetLabels()[label.key]; ok && got != label.want {
			return netip.Addr{}, reason.Errorf(reason.NoAnswer, "%s is another's: %s is %s", owner, label.key, got)
		}
	}
	return oneAddress(importIPs(object), m.GlobalCIDRs, owner)
}

// importIPs returns nothing where the list is missing or is none.
func importIPs(object *unstructured.Unstructured) []string {
	ips, _, _ := unstructured.NestedStringSlice(object.Object, "spec", "ips")
	return ips
}
