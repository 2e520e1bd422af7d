package cli

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

func TestStatusNamesAPeerThatClaimsThisClustersRangeAndAKindThatMayNotBeRead(t *testing.T) {
	submariner := schema.GroupVersionKind{Group: "submariner.io", Version: "v1alpha1", Kind: "Submariner"}
	member := schema.GroupVersionKind{Group: "submariner.io", Version: "v1", Kind: "Cluster"}
	scheme, mapper := newScheme(), meta.NewDefaultRESTMapper([]schema.GroupVersion{submariner.GroupVersion(), member.GroupVersion()})
	for _, gvk := range []schema.GroupVersionKind{submariner, member} {
		mapper.Add(gvk, meta.RESTScopeNamespace)
		scheme.AddKnownTypeWithName(gvk, &unstructured.Unstructured{})
		scheme.AddKnownTypeWithName(gvk.GroupVersion().WithKind(gvk.Kind+"List"), &unstructured.UnstructuredList{})
	}
	stored := func(gvk schema.GroupVersionKind, name string, spec map[string]any) client.Object {
		o := kinds.Object(gvk)
		o.SetNamespace("submariner-operator")
		o.SetName(name)
		o.Object["spec"] = spec
		return o
	}
	forbidden := ""
	peer := func(announces string) []string {
		c := fake.NewClientBuilder().WithScheme(scheme).WithRESTMapper(mapper).WithObjects(
			stored(submariner, "submariner", map[string]any{"clusterID": "cluster-a", "globalCIDR": "242.0.0.0/16"}),
			stored(member, "cluster-b", map[string]any{"cluster_id": "cluster-b", "global_cidr": []any{announces}}),
		).WithInterceptorFuncs(interceptor.Funcs{
			Create: func(_ context.Context, _ client.WithWatch, o client.Object, _ ...client.CreateOption) error {
				review := o.(*authorizationv1.SubjectAccessReview)
				require.Equal(t, "system:serviceaccount:rook-clusterset:rook-clusterset", review.Spec.User)
				if forbidden == "even to ask" {
					return errors.New("you may not ask")
				}
				review.Status.Allowed = review.Spec.ResourceAttributes.Resource != forbidden
				return nil
			},
		}).Build()
		return clustersetWarnings(t.Context(), c, kinds.Discovered{Mapper: mapper})
	}
	require.Equal(t, []string{"this cluster shares its range of global IPs with a peer: cluster-b announces 0.0.0.0/0, this cluster has 242.0.0.0/16"},
		peer("0.0.0.0/0"))
	require.Empty(t, peer("242.1.0.0/16"))

	forbidden = "clusters"
	require.Equal(t, []string{"this cluster " + reason.SourceLeftOut.Sentence() + ": Cluster.submariner.io"}, peer("242.1.0.0/16"))
	forbidden = "even to ask"
	require.Empty(t, peer("242.1.0.0/16"))
}

func TestStatusSaysWhyACephClusterIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		cluster rook.Cluster
		export  rook.Export
		want    string
	}{
		"Multus":     {cluster: rook.Cluster{Multus: true}, want: reason.ClusterMultus.Sentence()},
		"IPv6 alone": {cluster: rook.Cluster{IPv6: true}, want: reason.ClusterSingleStack.Sentence()},
		"not IPv6 alone where global IPs are IPv6": {
			cluster: rook.Cluster{IPv6: true}, export: rook.Export{GlobalIP: netip.MustParseAddr("fd42::1")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.cluster.Name = "my-cluster"
			note := asideNote(view.Snapshot{Namespace: "rook-ceph", Cluster: &c.cluster, Daemons: []rook.DaemonFacts{{Export: c.export}}})
			if c.want == "" {
				require.Empty(t, note)
				return
			}
			require.Equal(t, "CephCluster rook-ceph/my-cluster is left alone: each daemon "+c.want, note)
		})
	}
	require.Empty(t, asideNote(view.Snapshot{}))
}
