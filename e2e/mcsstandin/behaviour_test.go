package mcsstandin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

const first, second = "242.0.255.253", "242.0.255.252"

func (s *Standin) externalIPs(t *testing.T) []string {
	t.Helper()
	key := types.NamespacedName{Namespace: monA.Namespace, Name: InternalServiceName(monA.Name)}
	return get(t, s, key, &corev1.Service{}).Spec.ExternalIPs
}

// touch writes to the exported Service.
func (s *Standin) touch(t *testing.T) {
	t.Helper()
	exported := get(t, s, monA, service(""))
	exported.Labels = map[string]string{"touched": time.Now().Format("150405.000000000")}
	require.NoError(t, s.client.Update(t.Context(), exported))
}

// addresses returns what the GlobalIngressIP, the internal Service and the ServiceImport say.
func (s *Standin) addresses(t *testing.T) []string {
	t.Helper()
	return append(append([]string{s.ingressIP(t)}, s.externalIPs(t)...), s.importIPs(t)...)
}

func TestTwoExportsThatAreMadeAnewSwapTheirAddresses(t *testing.T) {
	monB := types.NamespacedName{Namespace: monA.Namespace, Name: "rook-ceph-mon-b"}
	exportB, serviceB := export("b"), service("b")
	exportB.Name, serviceB.Name = monB.Name, monB.Name
	s := newTestStandin(t, Options{}, export("a"), service("a"), exportB, serviceB)
	reconcileBoth := func(keys ...types.NamespacedName) {
		for _, key := range keys {
			_, err := s.Reconcile(t.Context(), reconcile.Request{NamespacedName: key})
			require.NoError(t, err)
		}
	}
	reconcileBoth(monA, monB)
	require.NoError(t, s.client.Delete(t.Context(), exportB))
	require.NoError(t, s.client.Delete(t.Context(), export("a")))
	reconcileBoth(monA, monB)
	require.NoError(t, s.client.Create(t.Context(), export("a2")))
	exportB.UID, exportB.ResourceVersion = "b2", ""
	require.NoError(t, s.client.Create(t.Context(), exportB))
	reconcileBoth(monB, monA)
	require.Equal(t, []string{second, second, second}, s.addresses(t), "what was mon b's")
	told, ok := s.GlobalIP(monB.Namespace, monB.Name)
	require.True(t, ok)
	require.Equal(t, first, told.String())
}

func TestAWriteToAServiceWhileItAllocatesGivesItASecondAddress(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		want    []string
	}{
		"within the window":            {Options{SecondAddressWindow: time.Hour}, []string{second, second, first}},
		"after it":                     {Options{SecondAddressWindow: time.Nanosecond}, []string{first, first, first}},
		"where it is not switched on":  {Options{}, []string{first, first, first}},
		"where Lighthouse only is old": {Options{LighthouseRemembers: true}, []string{first, first, first}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestStandin(t, c.options, export("e1"), service("s1"))
			s.reconcileOnce(t)
			s.reconcileOnce(t)
			require.Equal(t, []string{first, first, first}, s.addresses(t), "nobody wrote")
			for range 2 {
				s.touch(t)
				s.reconcileOnce(t)
				require.Equal(t, c.want, s.addresses(t))
			}
		})
	}
}

func TestLighthouseTellsTheFormerAddressUntilItsAgentRestarts(t *testing.T) {
	for remembers, want := range map[bool][]string{true: {second, second, first}, false: {second, second, second}} {
		t.Run(fmt.Sprint(remembers), func(t *testing.T) {
			s := newTestStandin(t, Options{LighthouseRemembers: remembers}, export("e1"), service("s1"))
			s.reconcileOnce(t)
			s.Reallocate(monA.Namespace, monA.Name)
			s.reconcileOnce(t)
			s.reconcileOnce(t)
			require.Equal(t, want, s.addresses(t))
			s.RestartLighthouse(0)
			s.reconcileOnce(t)
			require.Equal(t, []string{second, second, second}, s.addresses(t))
		})
	}
}

func TestARestartOfGlobalnetTakesTheAddressesAwayForAWhile(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(t *testing.T, s *Standin)
		want      string
	}{
		"and gives them back":                   {func(*testing.T, *Standin) {}, first},
		"and another to one that lost its work": {func(t *testing.T, s *Standin) { s.deleteInternalService(t) }, second},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestStandin(t, Options{}, export("e1"), service("s1"))
			s.reconcileOnce(t)
			s.RestartGlobalnet(time.Hour)
			require.Positive(t, s.reconcileOnce(t).RequeueAfter)
			ingress := get(t, s, monA, object(GlobalIngressIPKind, "", ""))
			require.Empty(t, s.ingressIP(t))
			require.Equal(t, "ReserveAllocatedIPsFailed", reasonOf(ingress, "Allocated"))
			_, ok := s.GlobalIP(monA.Namespace, monA.Name)
			require.False(t, ok)
			require.Equal(t, []string{first}, s.importIPs(t), "Lighthouse keeps it")
			require.Equal(t, "True", string(s.conditionOf(t, "Valid").Status))
			c.meanwhile(t, s)
			s.globalnetBack = time.Now()
			s.reconcileOnce(t)
			require.Equal(t, c.want, s.ingressIP(t))
			require.Equal(t, []string{c.want}, s.externalIPs(t))
		})
	}
}

func (s *Standin) deleteInternalService(t *testing.T) {
	t.Helper()
	require.NoError(t, s.remove(t.Context(), object(corev1.SchemeGroupVersion.WithKind("Service"), monA.Namespace, InternalServiceName(monA.Name))))
}

func TestARestartOfTheLighthouseAgentTurnsValidToFalse(t *testing.T) {
	s := newTestStandin(t, Options{}, export("e1"), service("s1"))
	s.reconcileOnce(t)
	s.RestartLighthouse(time.Hour)
	require.Positive(t, s.reconcileOnce(t).RequeueAfter)
	valid := s.conditionOf(t, "Valid")
	require.Equal(t, "False", string(valid.Status))
	require.Equal(t, "ServiceGlobalIPUnavailable", valid.Reason)
	require.Equal(t, []string{first, first, first}, s.addresses(t), "nothing else changes")
	s.lighthouseBack = time.Now()
	s.reconcileOnce(t)
	require.Equal(t, "True", string(s.conditionOf(t, "Valid").Status))
}

func TestAnExhaustedPoolGivesNoAddressUntilOneIsFreed(t *testing.T) {
	s := newTestStandin(t, Options{GlobalCIDR: netip.MustParsePrefix("242.0.0.0/28")}, export("e1"), service("s1"))
	var taken netip.Addr
	for range 14 - egressAddresses - 1 {
		var err error
		taken, err = s.pool.Draw()
		require.NoError(t, err)
	}
	require.Positive(t, s.reconcileOnce(t).RequeueAfter)
	valid := s.conditionOf(t, "Valid")
	require.Equal(t, "IPPoolAllocationFailed", valid.Reason)
	require.Equal(t, "Unable to obtain global IP: Error allocating a global IP from the pool: "+
		"insufficient IPs available for allocation", valid.Message)
	ingress := get(t, s, monA, object(GlobalIngressIPKind, "", ""))
	require.Equal(t, "IPPoolAllocationFailed", reasonOf(ingress, "Allocated"))
	s.pool.Free(taken)
	s.reconcileOnce(t)
	require.Equal(t, taken.String(), s.ingressIP(t))
}

func TestAServiceThatIsNoLongerAClusterIPKeepsItsAddressAndLosesItsImport(t *testing.T) {
	s := newTestStandin(t, Options{}, export("e1"), service("s1"))
	s.reconcileOnce(t)
	changed := get(t, s, monA, service(""))
	changed.Spec.Type = corev1.ServiceTypeNodePort
	require.NoError(t, s.client.Update(t.Context(), changed))
	s.reconcileOnce(t)
	require.Equal(t, "UnsupportedServiceType", s.conditionOf(t, "Valid").Reason)
	require.Equal(t, "NoServiceImport", s.conditionOf(t, "Ready").Reason)
	require.Equal(t, first, s.ingressIP(t))
	require.Equal(t, []string{first}, s.externalIPs(t))
	imported := &mcsv1alpha1.ServiceImport{}
	require.True(t, apierrors.IsNotFound(s.client.Get(t.Context(), importKey, imported)))
	list := &discoveryv1.EndpointSliceList{}
	require.NoError(t, s.client.List(t.Context(), list))
	require.Empty(t, list.Items)
	require.Equal(t, dns.RcodeNameError, s.ask(t, "udp", "east.rook-ceph-mon-a.rook-ceph.svc.clusterset.local.", dns.TypeA).Rcode)

	changed.Spec.Type = corev1.ServiceTypeClusterIP
	require.NoError(t, s.client.Update(t.Context(), changed))
	s.reconcileOnce(t)
	require.Equal(t, []string{first, first, first}, s.addresses(t))
	require.Equal(t, "True", string(s.conditionOf(t, "Ready").Status))
}

func TestAHeadlessExportIsValidWithoutAGlobalIngressIP(t *testing.T) {
	headless := service("s1")
	headless.Spec.ClusterIP = corev1.ClusterIPNone
	s := newTestStandin(t, Options{}, export("e1"), headless)
	s.reconcileOnce(t)
	require.Equal(t, "True", string(s.conditionOf(t, "Valid").Status))
	require.True(t, apierrors.IsNotFound(s.client.Get(t.Context(), monA, object(GlobalIngressIPKind, "", ""))))
	imported := get(t, s, importKey, &mcsv1alpha1.ServiceImport{})
	require.Equal(t, mcsv1alpha1.Headless, imported.Spec.Type)
	require.Empty(t, imported.Spec.IPs)
}

func TestAClustersetIPStandsInTheAggregatedImportAndInDNSWithoutACluster(t *testing.T) {
	const name = "rook-ceph-mon-a.rook-ceph.svc.clusterset.local."
	asks := export("e1")
	asks.Annotations = map[string]string{ClustersetIPAnnotation: "true"}
	declines := export("e1")
	declines.Annotations = map[string]string{ClustersetIPAnnotation: "false"}
	for title, c := range map[string]struct {
		options Options
		export  *mcsv1alpha1.ServiceExport
		vip     bool
	}{
		"of every export":        {Options{ClustersetIPs: true}, export("e1"), true},
		"of an export that asks": {Options{}, asks, true},
		"of no other":            {Options{}, export("e1"), false},
		"of none that declines":  {Options{ClustersetIPs: true}, declines, false},
	} {
		t.Run(title, func(t *testing.T) {
			s := newTestStandin(t, c.options, c.export.DeepCopy(), service("s1"))
			s.reconcileOnce(t)
			aggregated := get(t, s, monA, &mcsv1alpha1.ServiceImport{})
			require.Equal(t, fmt.Sprint(c.vip), aggregated.Annotations[ClustersetIPAnnotation])
			require.Equal(t, []string{first, first, first}, s.addresses(t), "the address of the cluster is its own all the same")
			if !c.vip {
				require.Empty(t, aggregated.Spec.IPs)
				return
			}
			require.Equal(t, []string{"243.0.15.254"}, aggregated.Spec.IPs)
			require.Equal(t, []string{"243.0.15.254"}, addressesIn(s.ask(t, "udp", name, dns.TypeA)))
			require.Equal(t, []string{first}, addressesIn(s.ask(t, "udp", "east."+name, dns.TypeA)))
		})
	}
}

func TestASlowClientWritesFiveTimesInASecondAndReadsAtOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	took := func(perSecond float32, method string) time.Duration {
		cfg := &rest.Config{Host: server.URL}
		throttle(cfg, perSecond)
		c, err := rest.HTTPClientFor(cfg)
		require.NoError(t, err)
		started := time.Now()
		for range 15 {
			request, err := http.NewRequestWithContext(t.Context(), method, server.URL, http.NoBody)
			require.NoError(t, err)
			response, err := c.Do(request)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
		}
		return time.Since(started)
	}
	require.Less(t, took(5, http.MethodGet), 700*time.Millisecond)
	require.Less(t, took(0, http.MethodPatch), 700*time.Millisecond)
	require.GreaterOrEqual(t, took(5, http.MethodPatch), 900*time.Millisecond, "five of them after the first ten")
}
