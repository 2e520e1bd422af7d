package resolver_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

// derivedImport is what an implementation without global IPs makes: its address is that of a Service of this cluster.
const derivedImport = `
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata:
  name: rook-ceph-mon-a
  namespace: rook-ceph
  annotations: {multicluster.kubernetes.io/derived-service: derived-abc}
spec: {type: ClusterSetIP, ips: [100.75.140.235]}
status: {clusters: [{cluster: cluster-a}]}
`

func ranges(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func serviceAt(clusterIP string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "elsewhere", Name: "web"}, Spec: corev1.ServiceSpec{ClusterIP: clusterIP},
	}
}

func serviceCIDR(cidrs ...string) *networkingv1.ServiceCIDR {
	return &networkingv1.ServiceCIDR{ObjectMeta: metav1.ObjectMeta{Name: "kubernetes"}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: cidrs}}
}

func TestAnAddressThatIsValidInThisClusterAloneIsNotTakenFromAPlainSource(t *testing.T) {
	underived := strings.NewReplacer("multicluster.kubernetes.io/derived-service", "some.example/note").Replace(derivedImport)
	public := strings.NewReplacer("100.75.140.235", "8.8.4.4").Replace(underived)
	wide := ranges("100.64.0.0/10")
	for name, c := range map[string]struct {
		objects     []string
		live        []client.Object
		options     resolver.Options
		want        string
		code        reason.Code
		particulars []string
	}{
		"that of a derived Service": {
			objects: []string{derivedImport}, options: resolver.Options{GlobalCIDRs: wide},
			code: reason.ServiceAddress, particulars: []string{"ServiceImport rook-ceph/rook-ceph-mon-a", "derived-abc", "--allow-cluster-ip"},
		},
		"that of a derived Service, where no range is known": {
			objects: []string{derivedImport}, code: reason.ServiceAddress, particulars: []string{"derived-abc"},
		},
		"any, where no range is known": {
			objects: []string{public}, code: reason.GlobalCIDRUnknown, particulars: []string{"ServiceImport says 8.8.4.4", "--global-cidr"},
		},
		"any, where no range is known, though ClusterIPs are allowed": {
			objects: []string{public}, options: resolver.Options{AllowClusterIP: true}, code: reason.GlobalCIDRUnknown,
		},
		"that of another Service of this cluster": {
			objects: []string{underived}, options: resolver.Options{GlobalCIDRs: wide}, live: []client.Object{serviceAt("100.75.140.235")},
			code: reason.ServiceAddress, particulars: []string{"100.75.140.235", "Service elsewhere/web", "--allow-cluster-ip"},
		},
		"one out of the range of this cluster's Services": {
			objects: []string{underived}, options: resolver.Options{GlobalCIDRs: wide}, live: []client.Object{serviceCIDR("fd00:96::/112", "100.75.0.0/16")},
			code: reason.ServiceAddress, particulars: []string{"100.75.140.235", "100.75.0.0/16", "ServiceCIDR kubernetes"},
		},
		"that of a Service, unless ClusterIPs are allowed": {
			objects: []string{derivedImport}, options: resolver.Options{GlobalCIDRs: wide, AllowClusterIP: true},
			live: []client.Object{serviceAt("100.75.140.235"), serviceCIDR("100.75.0.0/16")}, want: "100.75.140.235",
		},
		"but another of the range is": {
			objects: []string{underived}, options: resolver.Options{GlobalCIDRs: wide},
			live: []client.Object{serviceAt("10.96.0.7"), serviceCIDR("10.96.0.0/16")}, want: "100.75.140.235",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.ClusterID = "cluster-a"
			got, err := resolve(t.Context(), world{objects: objects(t, c.objects...), live: c.live, options: c.options}.resolver(t))
			if c.code != "" {
				requireRefusal(t, err, c.code, c.particulars...)
				return
			}
			require.NoError(t, err)
			require.Equal(t, netip.MustParseAddr(c.want), got.IP)
		})
	}
}

func TestNothingIsTakenFromDNSWhereNoRangeIsKnown(t *testing.T) {
	server := startNameserver(t, records(map[string][]string{prefixed: {prefixed + " 5 IN A 8.8.4.4"}}))
	r := world{kinds: served{}, options: resolver.Options{ClusterID: "cluster-a", DNSServer: server.address}}.resolver(t)
	_, err := resolve(t.Context(), r)
	requireRefusal(t, err, reason.GlobalCIDRUnknown, "DNS says 8.8.4.4", "--global-cidr")
}

func TestTheAPIServerIsAskedOnlyForAnAddressThatIsNewAndThatGlobalnetDoesNotVouchFor(t *testing.T) {
	asked := 0
	options := resolver.Options{GlobalCIDRs: ranges("242.0.0.0/16")}
	of := func(texts ...string) *resolver.Resolver {
		return world{objects: objects(t, texts...), options: options, asked: &asked}.resolver(t)
	}
	_, err := resolve(t.Context(), of(propertyA, serviceImport))
	require.NoError(t, err)
	require.Equal(t, 2, asked, "the Services and their ranges")

	asked = 0
	r := of(propertyA, serviceImport)
	m, err := r.Membership(t.Context())
	require.NoError(t, err)
	known := monA()
	known.Known = netip.MustParseAddr("242.0.255.253")
	_, err = r.Resolve(t.Context(), known, m)
	require.NoError(t, err)
	require.Zero(t, asked, "it was asked when the address was new")

	_, err = resolve(t.Context(), of(submarinerA, clusterImport))
	require.NoError(t, err)
	require.Zero(t, asked)
}

func TestAnAPIServerWithoutServiceCIDRsIsAskedForServicesAlone(t *testing.T) {
	w := world{
		objects: objects(t, propertyA, serviceImport), options: resolver.Options{GlobalCIDRs: ranges("242.0.0.0/16")},
		fault: map[string]error{"*v1.ServiceCIDRList": &meta.NoKindMatchError{}},
	}
	_, err := resolve(t.Context(), w.resolver(t))
	require.NoError(t, err)
	w.fault = map[string]error{"*v1.ServiceCIDRList": errFlaky}
	_, err = resolve(t.Context(), w.resolver(t))
	requireRefusal(t, err, reason.SourceUnreadable, "etcd has no leader")
	w.fault = map[string]error{"*v1.ServiceList": errFlaky}
	_, err = resolve(t.Context(), w.resolver(t))
	requireRefusal(t, err, reason.SourceUnreadable, "etcd has no leader")
}

func TestAClustersetIPIsNoAnswer(t *testing.T) {
	shared := strings.NewReplacer("name: rook-ceph-mon-a, namespace: rook-ceph}",
		`name: rook-ceph-mon-a, namespace: rook-ceph, annotations: {lighthouse.submariner.io/use-clusterset-ip: "true"}}`,
		"242.0.255.253", "243.0.0.1").Replace(serviceImport)
	got, err := resolve(t.Context(), world{objects: objects(t, propertyA, ingressIP, shared)}.resolver(t))
	require.NoError(t, err, "it does not speak against another source")
	require.Equal(t, "GlobalIngressIP", got.Source)
	w := world{objects: objects(t, propertyA, shared), options: resolver.Options{GlobalCIDRs: ranges("243.0.0.0/16")}}
	_, err = resolve(t.Context(), w.resolver(t))
	requireRefusal(t, err, reason.NoAnswer, "shares between clusters")
}
