package resolver_test

import (
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

func TestAnAPIServerFindsAServiceByItsAddressAndTellsTheRangeOfServices(t *testing.T) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Skip("KUBEBUILDER_ASSETS names no directory with etcd and kube-apiserver")
	}
	environment := &envtest.Environment{BinaryAssetsDirectory: assets}
	config, err := environment.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, environment.Stop()) })
	live, err := client.New(config, client.Options{Scheme: clientgoscheme.Scheme})
	require.NoError(t, err)
	own := &corev1.Service{}
	require.NoError(t, live.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "kubernetes"}, own))

	resolveTo := func(address string) error {
		server := startNameserver(t, records(map[string][]string{prefixed: {prefixed + " 5 IN A " + address}}))
		r := resolver.New(resolver.Readers{Cached: fake.NewClientBuilder().Build(), Live: live}, served{},
			resolver.Options{ClusterID: "cluster-a", GlobalCIDRs: ranges("0.0.0.0/0"), DNSServer: server.address})
		_, err := resolve(t.Context(), r)
		return err
	}
	requireRefusal(t, resolveTo(own.Spec.ClusterIP), reason.ServiceAddress, "Service default/kubernetes")
	neighbour := netip.MustParseAddr(own.Spec.ClusterIP).Next().Next().String()
	requireRefusal(t, resolveTo(neighbour), reason.ServiceAddress, "of ServiceCIDR kubernetes")
	require.NoError(t, resolveTo("8.8.4.4"))
}
