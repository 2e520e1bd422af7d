package mcsstandin

import (
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

var (
	monA      = types.NamespacedName{Namespace: "rook-ceph", Name: "rook-ceph-mon-a"}
	importKey = types.NamespacedName{Namespace: OperatorNamespace, Name: "rook-ceph-mon-a-rook-ceph-east"}
)

// newTestStandin returns a stand-in over a fake client, whose reconciles the test calls itself.
func newTestStandin(t *testing.T, o Options, objects ...client.Object) *Standin {
	t.Helper()
	s := newStandin(o)
	s.client = fake.NewClientBuilder().WithScheme(s.scheme).WithObjects(objects...).WithStatusSubresource(
		&mcsv1alpha1.ServiceExport{}, &mcsv1alpha1.ServiceImport{}, object(GlobalIngressIPKind, "", "")).Build()
	var err error
	s.dns, err = startDNS(t.Context(), s)
	require.NoError(t, err)
	return s
}

func (s *Standin) reconcileOnce(t *testing.T) reconcile.Result {
	t.Helper()
	result, err := s.Reconcile(t.Context(), reconcile.Request{NamespacedName: monA})
	require.NoError(t, err)
	return result
}

// get returns an object as it is stored.
func get[T client.Object](t *testing.T, s *Standin, key types.NamespacedName, o T) T {
	t.Helper()
	require.NoError(t, s.client.Get(t.Context(), key, o))
	return o
}

func (s *Standin) conditionOf(t *testing.T, kind string) *metav1.Condition {
	t.Helper()
	return meta.FindStatusCondition(get(t, s, monA, &mcsv1alpha1.ServiceExport{}).Status.Conditions, kind)
}

func (s *Standin) ingressIP(t *testing.T) string {
	t.Helper()
	return text(get(t, s, monA, object(GlobalIngressIPKind, "", "")), "status", "allocatedIP")
}

func (s *Standin) importIPs(t *testing.T) []string {
	t.Helper()
	return get(t, s, importKey, &mcsv1alpha1.ServiceImport{}).Spec.IPs
}

func export(uid string) *mcsv1alpha1.ServiceExport {
	return &mcsv1alpha1.ServiceExport{ObjectMeta: metav1.ObjectMeta{Namespace: monA.Namespace, Name: monA.Name, UID: types.UID(uid)}}
}

func service(uid string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: monA.Namespace, Name: monA.Name, UID: types.UID(uid)},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, ClusterIP: "10.96.0.17", Selector: map[string]string{"mon": "a"},
			Ports: []corev1.ServicePort{{Name: "tcp-msgr2", Port: 3300, Protocol: corev1.ProtocolTCP}},
		},
	}
}

func TestReasonsOfAnExportThatIsNotValid(t *testing.T) {
	nodePort := service("s1")
	nodePort.Spec.Type = corev1.ServiceTypeNodePort
	for name, c := range map[string]struct {
		options Options
		fault   Fault
		service *corev1.Service
		reason  string
	}{
		"without a Service":                  {reason: "ServiceUnavailable"},
		"of a NodePort Service":              {service: nodePort, reason: "UnsupportedServiceType"},
		"before the address is allocated":    {service: service("s1"), options: Options{AllocationDelay: time.Hour}, reason: "ServiceGlobalIPUnavailable"},
		"delayed by a fault":                 {service: service("s1"), fault: Fault{Delay: time.Hour}, reason: "ServiceGlobalIPUnavailable"},
		"when the range is used up":          {service: service("s1"), fault: Fault{NoAllocation: true}, reason: "IPPoolAllocationFailed"},
		"when the broker is away, by a test": {service: service("s1"), fault: Fault{NeverValid: &AwaitingExport}, reason: "AwaitingExport"},
	} {
		t.Run(name, func(t *testing.T) {
			objects := []client.Object{export("e1")}
			if c.service != nil {
				objects = append(objects, c.service.DeepCopy())
			}
			s := newTestStandin(t, c.options, objects...)
			s.SetFault(monA.Namespace, monA.Name, c.fault)
			s.reconcileOnce(t)
			valid := s.conditionOf(t, "Valid")
			require.Equal(t, metav1.ConditionFalse, valid.Status)
			require.Equal(t, c.reason, valid.Reason)
			require.Nil(t, s.conditionOf(t, "Ready"))
		})
	}
}

func TestExportIsNotReadyUntilTheBrokerAnswers(t *testing.T) {
	s := newTestStandin(t, Options{ExportDelay: time.Hour}, export("e1"), service("s1"))
	require.Positive(t, s.reconcileOnce(t).RequeueAfter)
	require.Equal(t, metav1.ConditionTrue, s.conditionOf(t, "Valid").Status)
	require.Equal(t, "AwaitingExport", s.conditionOf(t, "Ready").Reason)
	require.Equal(t, dns.RcodeNameError, s.ask(t, "udp", "east.rook-ceph-mon-a.rook-ceph.svc.clusterset.local.", dns.TypeA).Rcode)
}

func TestWhatTheSourcesTellUnderAFault(t *testing.T) {
	for name, c := range map[string]struct {
		fault    Fault
		ingress  string
		imported []string
	}{
		"healthy":                    {Fault{}, "242.0.255.253", []string{"242.0.255.253"}},
		"the address of a peer":      {Fault{PeerAddress: true}, "242.1.255.253", []string{"242.1.255.253"}},
		"an address of the test":     {Fault{Address: netip.MustParseAddr("127.0.0.1")}, "127.0.0.1", []string{"127.0.0.1"}},
		"two addresses":              {Fault{TwoAddresses: true}, "242.0.255.253", []string{"242.0.255.253", "242.0.255.252"}},
		"a stale import from birth":  {Fault{StaleImport: true}, "242.0.255.253", []string{"242.0.255.252"}},
		"an IPv6 address everywhere": {Fault{IPv6: true}, "fd00:242::f200:fffd", []string{"fd00:242::f200:fffd"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestStandin(t, Options{}, export("e1"), service("s1"))
			s.SetFault(monA.Namespace, monA.Name, c.fault)
			s.reconcileOnce(t)
			s.reconcileOnce(t)
			require.Equal(t, c.ingress, s.ingressIP(t))
			require.Equal(t, c.imported, s.importIPs(t))

			s.SetFault(monA.Namespace, monA.Name, Fault{})
			s.reconcileOnce(t)
			require.Equal(t, "242.0.255.253", s.ingressIP(t), "healed")
			require.Equal(t, []string{"242.0.255.253"}, s.importIPs(t), "healed")
		})
	}
}

func TestReallocationWithAStaleImport(t *testing.T) {
	s := newTestStandin(t, Options{}, export("e1"), service("s1"))
	s.reconcileOnce(t)
	s.SetFault(monA.Namespace, monA.Name, Fault{StaleImport: true})
	s.Reallocate(monA.Namespace, monA.Name)
	s.reconcileOnce(t)
	require.NotEqual(t, "242.0.255.253", s.ingressIP(t))
	require.Equal(t, []string{"242.0.255.253"}, s.importIPs(t))
}

func TestRecreationBringsANewAddressWhereNoneIsGivenTwice(t *testing.T) {
	for name, recreate := range map[string]func(t *testing.T, s *Standin){
		"of the Service, unseen": func(t *testing.T, s *Standin) {
			require.NoError(t, s.client.Delete(t.Context(), service("s1")))
			require.NoError(t, s.client.Create(t.Context(), service("s2")))
		},
		"of the Service, seen": func(t *testing.T, s *Standin) {
			require.NoError(t, s.client.Delete(t.Context(), service("s1")))
			s.reconcileOnce(t)
			ingress := object(GlobalIngressIPKind, "", "")
			require.True(t, apierrors.IsNotFound(s.client.Get(t.Context(), monA, ingress)))
			require.NoError(t, s.client.Create(t.Context(), service("s2")))
		},
		"of the export": func(t *testing.T, s *Standin) {
			require.NoError(t, s.client.Delete(t.Context(), export("e1")))
			s.reconcileOnce(t)
			_, ok := s.GlobalIP(monA.Namespace, monA.Name)
			require.False(t, ok)
			require.NoError(t, s.client.Create(t.Context(), export("e2")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestStandin(t, Options{FreshAddresses: true}, export("e1"), service("s1"))
			s.reconcileOnce(t)
			recreate(t, s)
			s.reconcileOnce(t)
			require.Equal(t, "242.0.255.252", s.ingressIP(t))
			require.Equal(t, []string{"242.0.255.252"}, s.importIPs(t))
		})
	}
}

func TestASecondReconcileChangesNothing(t *testing.T) {
	s := newTestStandin(t, Options{}, export("e1"), service("s1"))
	s.reconcileOnce(t)
	before := get(t, s, monA, export(""))
	s.reconcileOnce(t)
	after := get(t, s, monA, export(""))
	require.Equal(t, before.ResourceVersion, after.ResourceVersion)
	require.Equal(t, "242.0.255.253", s.ingressIP(t))
}

func TestARestartKeepsTheAddresses(t *testing.T) {
	s := newTestStandin(t, Options{}, export("e1"), service("s1"))
	s.reconcileOnce(t)
	restarted := newTestStandin(t, Options{})
	restarted.client = s.client
	require.NoError(t, restarted.adoptAllocations(t.Context()))
	restarted.reconcileOnce(t)
	require.Equal(t, "242.0.255.253", restarted.ingressIP(t))
	drawn, err := restarted.pool.Draw()
	require.NoError(t, err)
	require.Equal(t, "242.0.255.252", drawn.String())
}

func (s *Standin) ask(t *testing.T, network, name string, kind uint16) *dns.Msg {
	t.Helper()
	asker := &dns.Client{Net: network, Timeout: 2 * time.Second}
	reply, _, err := asker.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion(name, kind), s.DNSAddr())
	require.NoError(t, err)
	return reply
}

func addressesIn(m *dns.Msg) []string {
	var all []string
	for _, rr := range m.Answer {
		switch record := rr.(type) {
		case *dns.A:
			all = append(all, record.A.String())
		case *dns.AAAA:
			all = append(all, record.AAAA.String())
		}
	}
	return all
}

func TestDNS(t *testing.T) {
	const name = "rook-ceph-mon-a.rook-ceph.svc.clusterset.local."
	s := newTestStandin(t, Options{}, export("e1"), service("s1"))
	s.reconcileOnce(t)

	require.Equal(t, []string{"242.0.255.253"}, addressesIn(s.ask(t, "udp", "east."+name, dns.TypeA)), "its own, though no pod is ready")
	require.Equal(t, []string{"242.0.255.253"}, addressesIn(s.ask(t, "tcp", "EAST."+name, dns.TypeA)))
	require.Equal(t, dns.RcodeNameError, s.ask(t, "udp", "north."+name, dns.TypeA).Rcode, "an unknown cluster")
	require.Equal(t, dns.RcodeNameError, s.ask(t, "udp", "x."+name[5:], dns.TypeA).Rcode, "an unknown Service")
	noData := s.ask(t, "udp", name, dns.TypeA)
	require.Equal(t, dns.RcodeSuccess, noData.Rcode)
	require.Empty(t, noData.Answer, "no pod is ready and no peer exports it")
	aaaa := s.ask(t, "udp", "east."+name, dns.TypeAAAA)
	require.Equal(t, dns.RcodeSuccess, aaaa.Rcode)
	require.Empty(t, aaaa.Answer)

	peer, err := s.ExportAtPeer(monA.Namespace, monA.Name, "west")
	require.NoError(t, err)
	require.Equal(t, []string{peer.String()}, addressesIn(s.ask(t, "udp", name, dns.TypeA)), "the peer's: no pod is ready here")
	require.Equal(t, []string{peer.String()}, addressesIn(s.ask(t, "udp", "west."+name, dns.TypeA)))

	require.NoError(t, s.client.Create(t.Context(), &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: monA.Namespace, Name: "backend", Labels: map[string]string{discoveryv1.LabelServiceName: monA.Name},
		},
		Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.244.0.3"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}}},
	}))
	s.reconcileOnce(t)
	require.Equal(t, []string{"242.0.255.253"}, addressesIn(s.ask(t, "udp", name, dns.TypeA)), "its own: a pod is ready")

	s.SetFault(monA.Namespace, monA.Name, Fault{TwoAddresses: true})
	s.reconcileOnce(t)
	require.Len(t, s.ask(t, "udp", "east."+name, dns.TypeA).Answer, 2)
	s.SetFault(monA.Namespace, monA.Name, Fault{IPv6: true})
	s.reconcileOnce(t)
	require.Empty(t, s.ask(t, "udp", "east."+name, dns.TypeA).Answer)
	require.Len(t, s.ask(t, "udp", "east."+name, dns.TypeAAAA).Answer, 1)
}

func TestDNSFaults(t *testing.T) {
	const name = "east.rook-ceph-mon-a.rook-ceph.svc.clusterset.local."
	s := newTestStandin(t, Options{}, export("e1"), service("s1"))
	s.reconcileOnce(t)
	s.SetDNSFault(DNSServerFailure)
	require.Equal(t, dns.RcodeServerFailure, s.ask(t, "udp", name, dns.TypeA).Rcode)
	s.SetDNSFault(DNSTruncated)
	require.True(t, s.ask(t, "udp", name, dns.TypeA).Truncated)
	require.Equal(t, []string{"242.0.255.253"}, addressesIn(s.ask(t, "tcp", name, dns.TypeA)))
	s.SetDNSFault(DNSSlow)
	asked := time.Now()
	require.Equal(t, []string{"242.0.255.253"}, addressesIn(s.ask(t, "udp", name, dns.TypeA)))
	require.GreaterOrEqual(t, time.Since(asked), slowness)
	s.SetDNSFault(DNSLying)
	require.Equal(t, []string{"242.0.255.253"}, addressesIn(s.ask(t, "udp", "east.rook-ceph-mon-b.rook-ceph.svc.clusterset.local.", dns.TypeA)))
	s.SetDNSFault(DNSSilent)
	asker := &dns.Client{Timeout: 50 * time.Millisecond}
	_, _, err := asker.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion(name, dns.TypeA), s.DNSAddr())
	require.Error(t, err)
}
