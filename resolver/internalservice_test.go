package resolver_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

// internalService is what Globalnet makes of an exported Service, to carry its global IP.
func internalService(namespace, name, of string, externalIPs ...string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"submariner.io/exportedServiceRef": of}},
		Spec:       corev1.ServiceSpec{ExternalIPs: externalIPs},
	}
}

func carrying(externalIPs ...string) client.Object {
	return internalService("rook-ceph", "submariner-abc", "rook-ceph-mon-a", externalIPs...)
}

func TestTheAddressThatGlobalnetsInternalServiceCarriesBreaksATie(t *testing.T) {
	stale := strings.NewReplacer("242.0.255.253", "242.0.255.1").Replace(clusterImport)
	for name, c := range map[string]struct {
		live        []client.Object
		fault       map[string]error
		want        string
		source      string
		particulars []string
		code        reason.Code
	}{
		"for the GlobalIngressIP":        {live: []client.Object{carrying("242.0.255.253")}, want: "242.0.255.253", source: "GlobalIngressIP"},
		"for the ServiceImport":          {live: []client.Object{carrying("242.0.255.1")}, want: "242.0.255.1", source: "SubmarinerServiceImport"},
		"for neither":                    {live: []client.Object{carrying("242.0.255.7")}, code: reason.SourcesDisagree, particulars: []string{"its internal Service carries 242.0.255.7"}},
		"not where it carries two":       {live: []client.Object{carrying("242.0.255.253", "242.0.255.1")}, code: reason.SourcesDisagree, particulars: []string{"carries 242.0.255.253, 242.0.255.1"}},
		"not where there is none":        {code: reason.SourcesDisagree, particulars: []string{"carries nothing"}},
		"not by that of another Service": {live: []client.Object{internalService("rook-ceph", "submariner-abc", "web", "242.0.255.253"), internalService("other", "submariner-abc", "rook-ceph-mon-a", "242.0.255.253")}, code: reason.SourcesDisagree},
		"not where it cannot be read":    {fault: map[string]error{"*v1.ServiceList": errFlaky}, code: reason.SourceUnreadable, particulars: []string{"etcd has no leader"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{objects: objects(t, submarinerA, ingressIP, stale), live: c.live, fault: c.fault}
			got, err := resolve(t.Context(), w.resolver(t))
			if c.code != "" {
				requireRefusal(t, err, c.code, c.particulars...)
				return
			}
			require.NoError(t, err)
			require.Equal(t, resolver.Answer{IP: netip.MustParseAddr(c.want), Source: c.source}, got)
		})
	}
}

func TestAnAddressForLifeIsTakenOnlyOnceGlobalnetsInternalServiceCarriesIt(t *testing.T) {
	for name, c := range map[string]struct {
		live []client.Object
		code reason.Code
		want string
	}{
		"it carries it":         {live: []client.Object{carrying("242.0.255.253")}},
		"it carries another":    {live: []client.Object{carrying("242.0.255.7")}, code: reason.GlobalIPNotAllocated, want: "its internal Service carries 242.0.255.7"},
		"it carries two":        {live: []client.Object{carrying("242.0.255.253", "242.0.255.7")}, code: reason.GlobalIPNotAllocated},
		"there is none yet":     {code: reason.GlobalIPNotAllocated, want: "GlobalIngressIP says 242.0.255.253, its internal Service carries nothing"},
		"it has no address yet": {live: []client.Object{carrying()}, code: reason.GlobalIPNotAllocated},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			r := world{objects: objects(t, submarinerA, ingressIP, clusterImport), live: c.live, asked: &asked}.resolver(t)
			m, err := r.Membership(t.Context())
			require.NoError(t, err)
			request := monA()
			request.ForLife = true
			_, err = r.Resolve(t.Context(), request, m)
			if c.code != "" {
				requireRefusal(t, err, c.code, c.want)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, 1, asked)

			request.Known = netip.MustParseAddr("242.0.255.253")
			_, err = r.Resolve(t.Context(), request, m)
			require.NoError(t, err, "what is known is not doubted")
			require.Equal(t, 1, asked)

			request = monA()
			_, err = r.Resolve(t.Context(), request, m)
			require.NoError(t, err, "an address that can be changed later is taken at once")
			require.Equal(t, 1, asked)
		})
	}
}

func TestAnAddressForLifeIsNotTakenFromAStaleServiceImportThoughTheInternalServiceCarriesIt(t *testing.T) {
	other := strings.NewReplacer("242.0.255.253", "242.0.255.1").Replace(clusterImport)
	r := world{objects: objects(t, submarinerA, ingressIP, other), live: []client.Object{carrying("242.0.255.1")}}.resolver(t)
	m, err := r.Membership(t.Context())
	require.NoError(t, err)
	request := monA()
	request.ForLife = true
	_, err = r.Resolve(t.Context(), request, m)
	requireRefusal(t, err, reason.SourcesDisagree)

	request.Known = netip.MustParseAddr("242.0.255.1")
	got, err := r.Resolve(t.Context(), request, m)
	require.NoError(t, err, "a mon that has the address does not drift")
	require.Equal(t, request.Known, got.IP)
}

func TestAMonIsGivenItsOwnClusterIPWhereSubmarinerRunsWithoutGlobalnet(t *testing.T) {
	submariner := strings.ReplaceAll(submarinerA, ", globalCIDR: 242.0.0.0/16", "")
	own := strings.ReplaceAll(clusterImport, "242.0.255.253", "10.96.7.1")
	w := world{objects: objects(t, submariner, own), options: resolver.Options{AllowClusterIP: true}, live: clientObjects(t, own)}
	r := w.resolver(t)
	m, err := r.Membership(t.Context())
	require.NoError(t, err)
	request := monA()
	request.ForLife = true
	got, err := r.Resolve(t.Context(), request, m)
	require.NoError(t, err, "nothing carries a ClusterIP but the Service itself")
	require.Equal(t, resolver.Answer{IP: request.ClusterIPs[0], Source: "SubmarinerServiceImport"}, got)

	request.Latest, request.Source = true, got.Source
	require.Nil(t, r.Doubts(t.Context(), request, got.IP, false, false))
}
