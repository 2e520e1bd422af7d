package mcsstandin

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
	mcsv1beta1 "sigs.k8s.io/mcs-api/pkg/apis/v1beta1"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
)

func TestOnARealAPIServerWithTheKindsOfSubmariner019(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a whole control plane")
	}
	ctx := t.Context()
	plane, err := controlplane.Start(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, plane.Stop()) })
	cfg := plane.Config
	require.NoError(t, Install(cfg, V1Alpha1Only))
	c, err := client.New(cfg, client.Options{Scheme: newScheme()})
	require.NoError(t, err)
	t.Run("the stand-in writes what Submariner wrote", func(t *testing.T) { theStandInWritesWhatSubmarinerWrote(t, cfg, c) })

	s, err := Start(ctx, Options{Config: cfg, EmptyReasons: true})
	require.NoError(t, err)
	require.NoError(t, client.IgnoreAlreadyExists(c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: monA.Namespace}})))
	exported := service("")
	exported.Spec.ClusterIP = ""
	require.NoError(t, c.Create(ctx, exported))
	require.NoError(t, c.Create(ctx, export("")))
	started := time.Now()
	require.Eventually(t, func() bool {
		_, ok := s.GlobalIP(monA.Namespace, monA.Name)
		return ok
	}, 10*time.Second, 2*time.Millisecond)
	t.Logf("allocated after %s", time.Since(started).Round(time.Millisecond))
	require.Eventually(t, func() bool {
		o := export("")
		return c.Get(ctx, monA, o) == nil && meta.IsStatusConditionTrue(o.Status.Conditions, "Ready")
	}, 10*time.Second, 2*time.Millisecond)
	t.Logf("Ready after %s", time.Since(started).Round(time.Millisecond))
	require.Len(t, s.importIPs(t), 1, "what is Ready has been imported")
	o := export("")
	require.NoError(t, c.Get(ctx, monA, o))
	require.Empty(t, meta.FindStatusCondition(o.Status.Conditions, "Valid").Reason)
	newer := object(mcsv1beta1.SchemeGroupVersion.WithKind("ServiceExport"), "", "")
	require.True(t, meta.IsNoMatchError(c.Get(ctx, monA, newer)), "v1beta1 is not served")

	for name, c := range map[string]struct {
		fault  Fault
		prefix string
		count  int
	}{
		"two addresses":         {Fault{TwoAddresses: true}, "242.0.0.0/16", 2},
		"the address of a peer": {Fault{PeerAddress: true}, "242.1.0.0/16", 1},
		"an IPv6 address":       {Fault{IPv6: true}, "fd00::/16", 1},
		"a loopback address":    {Fault{Address: netip.MustParseAddr("127.0.0.1")}, "127.0.0.0/8", 1},
		"healthy":               {Fault{}, "242.0.0.0/16", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s.SetFault(monA.Namespace, monA.Name, c.fault)
			prefix := netip.MustParsePrefix(c.prefix)
			require.EventuallyWithT(t, func(t *assert.CollectT) {
				o := &mcsv1alpha1.ServiceImport{}
				require.NoError(t, s.client.Get(ctx, importKey, o))
				require.Len(t, o.Spec.IPs, c.count)
				require.True(t, prefix.Contains(netip.MustParseAddr(o.Spec.IPs[0])), o.Spec.IPs[0])
			}, 5*time.Second, 5*time.Millisecond)
		})
	}

	t.Run("with strict CRDs no export is ever Valid, though it has an address", func(t *testing.T) {
		require.NoError(t, InstallMCS(cfg, V1Beta1))
		key := client.ObjectKey{Namespace: monA.Namespace, Name: "rook-ceph-mon-b"}
		b, o := service(""), export("")
		b.Name, b.Spec.ClusterIP, o.Name = key.Name, "", key.Name
		s.SetFault(key.Namespace, key.Name, Fault{Delay: 200 * time.Millisecond})
		require.NoError(t, c.Create(ctx, b))
		require.NoError(t, c.Create(ctx, o))
		imported := &mcsv1alpha1.ServiceImport{}
		require.Eventually(t, func() bool {
			return c.Get(ctx, client.ObjectKey{Namespace: OperatorNamespace, Name: key.Name + "-rook-ceph-east"}, imported) == nil
		}, 10*time.Second, 10*time.Millisecond)
		_, ok := s.GlobalIP(key.Namespace, key.Name)
		require.True(t, ok)
		for until := time.Now().Add(time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			require.NoError(t, c.Get(ctx, key, o))
			require.Equal(t, "ServiceGlobalIPUnavailable", meta.FindStatusCondition(o.Status.Conditions, "Valid").Reason)
		}
		require.Equal(t, "AwaitingExport", meta.FindStatusCondition(o.Status.Conditions, "Ready").Reason)
		require.NoError(t, c.Delete(ctx, o))
		require.NoError(t, c.Delete(ctx, b))
	})

	require.NoError(t, c.Delete(ctx, export("")))
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		slices := &discoveryv1.EndpointSliceList{}
		require.NoError(t, c.List(ctx, slices, client.MatchingLabels{sliceManagerLabel: SliceManager}))
		require.Empty(t, slices.Items, "what the peers were told is taken back")
		services := &corev1.ServiceList{}
		require.NoError(t, c.List(ctx, services, client.InNamespace(monA.Namespace)))
		require.Len(t, services.Items, 1, "the internal Services are taken back")
	}, 5*time.Second, 10*time.Millisecond)
}
