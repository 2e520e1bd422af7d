package resolver_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

func TestOfAServiceImportIsKeptWhatItsReaderReads(t *testing.T) {
	all := resolver.Kinds()
	imports := all[slices.IndexFunc(all, func(k kinds.Kind) bool { return k.Kind == "ServiceImport" })]
	has := func(o *unstructured.Unstructured, path ...string) bool {
		_, found, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
		return found
	}
	of := func(metadata, spec string) *unstructured.Unstructured {
		return imports.Keep(object(t, `
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata: `+metadata+`
spec: `+spec+`
status: {clusters: [{cluster: cluster-a}]}
`))
	}
	const labels = `labels: {lighthouse.submariner.io/sourceNamespace: rook-ceph, multicluster.kubernetes.io/service-name: rook-ceph-mon-a, other: x}`

	ofSubmariner := of(`{name: i, namespace: submariner-operator, `+labels+`}`, `{ips: [242.0.0.1]}`)
	require.Equal(t, map[string]string{
		"lighthouse.submariner.io/sourceNamespace": "rook-ceph", "multicluster.kubernetes.io/service-name": "rook-ceph-mon-a",
	}, ofSubmariner.GetLabels())
	require.True(t, has(ofSubmariner, "spec", "ips"))
	require.False(t, has(ofSubmariner, "status"), "its name says who exports")

	plain := of(`{name: rook-ceph-mon-a, namespace: rook-ceph}`, `{ips: [242.0.0.1], type: ClusterSetIP}`)
	require.True(t, has(plain, "status", "clusters"))
	require.False(t, has(plain, "spec", "type"))

	empty := of(`{name: rook-ceph-mon-a, namespace: rook-ceph}`, `{type: ClusterSetIP}`)
	require.False(t, has(empty, "status"), "it has no address that anybody could export")
	require.Equal(t, "rook-ceph-mon-a", empty.GetName())
}
