package resolver_test

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	mcsv1beta1 "sigs.k8s.io/mcs-api/pkg/apis/v1beta1"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsreference"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

func startAPIServer(t *testing.T) *rest.Config {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Skip("KUBEBUILDER_ASSETS names no directory with etcd and kube-apiserver")
	}
	environment := &envtest.Environment{BinaryAssetsDirectory: assets}
	config, err := environment.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, environment.Stop()) })
	return config
}

func TestAnAPIServerFindsAServiceByItsAddressAndTellsTheRangeOfServices(t *testing.T) {
	config := startAPIServer(t)
	live, err := client.New(config, client.Options{Scheme: clientgoscheme.Scheme})
	require.NoError(t, err)
	own := &corev1.Service{}
	require.Eventually(t, func() bool {
		return live.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "kubernetes"}, own) == nil
	}, 20*time.Second, 20*time.Millisecond, "an API server makes it after it has said that it is ready")

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

func TestTheAddressThatTheReferenceControllersGiveIsRefused(t *testing.T) {
	config := startAPIServer(t)
	require.NoError(t, mcsstandin.InstallMCS(config, mcsstandin.V1Beta1))
	stopped, err := mcsreference.Start(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { <-stopped })
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	require.NoError(t, mcsv1beta1.Install(scheme))
	c, err := client.New(config, client.Options{Scheme: scheme})
	require.NoError(t, err)
	require.NoError(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "rook-ceph"}}))
	meta := metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph-mon-a"}
	exported := &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{
		Selector: map[string]string{"mon": "a"}, Ports: []corev1.ServicePort{{Name: "tcp-msgr2", Port: 3300}},
	}}
	require.NoError(t, c.Create(t.Context(), exported))
	export := &mcsv1beta1.ServiceExport{ObjectMeta: meta}
	require.NoError(t, c.Create(t.Context(), export))
	imported := &mcsv1beta1.ServiceImport{}
	require.Eventually(t, func() bool {
		return c.Get(t.Context(), client.ObjectKeyFromObject(export), imported) == nil && len(imported.Spec.IPs) > 0
	}, 20*time.Second, 20*time.Millisecond)
	derived := imported.Annotations[mcsreference.DerivedServiceAnnotation]
	require.True(t, strings.HasPrefix(derived, "derived-"), derived)
	require.NotEqual(t, exported.Spec.ClusterIP, imported.Spec.IPs[0], "it is no ClusterIP of the Service itself")
	require.NoError(t, c.Get(t.Context(), client.ObjectKeyFromObject(export), export))
	require.Empty(t, export.Status.Conditions)

	serves := served{kind("ServiceImport"): "v1beta1"}
	for name, ranges := range map[string][]netip.Prefix{
		"where no range is known":                    nil,
		"where the range of the global IPs holds it": ranges("0.0.0.0/0"),
	} {
		t.Run(name, func(t *testing.T) {
			r := resolver.New(resolver.Readers{Cached: c, Live: c}, serves, resolver.Options{ClusterID: "cluster-a", GlobalCIDRs: ranges})
			_, err := resolve(t.Context(), r)
			requireRefusal(t, err, reason.ServiceAddress, derived, imported.Spec.IPs[0], "--allow-cluster-ip")
		})
	}
}
