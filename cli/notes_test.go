package cli

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestStatusSaysWhenNobodyAnswersAdmission(t *testing.T) {
	configuration := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: "rook-clusterset"}}
	slice := func(ready ...*bool) *discoveryv1.EndpointSlice {
		s := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
			Namespace: "rook-clusterset", Name: "rook-clusterset-webhook-x", Labels: map[string]string{discoveryv1.LabelServiceName: "rook-clusterset-webhook"},
		}}
		for _, r := range ready {
			s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{"10.244.0.9"}, Conditions: discoveryv1.EndpointConditions{Ready: r}})
		}
		return s
	}
	const (
		unserved = "Service rook-clusterset/rook-clusterset-webhook is answered by nobody: no mon or OSD can be born, and Rook's writes fail"
		missing  = "MutatingWebhookConfiguration rook-clusterset is not installed: what Rook writes is not corrected"
	)
	for name, c := range map[string]struct {
		stored []client.Object
		want   []string
	}{
		"one of two replicas is ready":     {[]client.Object{configuration, slice(new(false), new(true))}, nil},
		"readiness is not told":            {[]client.Object{configuration, slice(nil)}, nil},
		"no replica is ready":              {[]client.Object{configuration, slice(new(false))}, []string{unserved}},
		"there is no replica":              {[]client.Object{configuration, slice()}, []string{unserved}},
		"there is no such Service":         {[]client.Object{configuration}, []string{unserved}},
		"there is no configuration either": {nil, []string{missing, unserved}},
	} {
		t.Run(name, func(t *testing.T) {
			stored := fake.NewClientBuilder().WithScheme(newScheme()).WithObjects(c.stored...).
				WithIndex(configuration, "metadata.name", func(o client.Object) []string { return []string{o.GetName()} }).Build()
			require.Equal(t, c.want, admissionNotes(t.Context(), stored))
		})
	}
}

func TestStatusNamesANamespaceThatWasSwitchedOffWithExportsInIt(t *testing.T) {
	c := daemonObjects{export: exported(nil), valid: "True", advertised: globalIP, listed: globalIP}.stored(t)
	off := &corev1.Namespace{}
	require.NoError(t, c.Get(t.Context(), client.ObjectKey{Name: "rook-ceph"}, off))
	off.Labels = nil
	require.NoError(t, c.Update(t.Context(), off))
	const want = "namespace rook-ceph is switched off while daemons are exported there: nobody keeps their addresses, or corrects what Rook writes (ServiceExports: 1)"
	for _, asked := range []string{"", "rook-ceph"} {
		_, notes, err := gatherStatus(t.Context(), c, asked)
		require.NoError(t, err)
		require.Equal(t, []string{want}, notes)
		require.Error(t, verdict(nil, notes))
	}

	require.NoError(t, c.DeleteAllOf(t.Context(), exportKind(), client.InNamespace("rook-ceph")))
	_, notes, err := gatherStatus(t.Context(), c, "rook-ceph")
	require.NoError(t, err)
	require.Equal(t, []string{"namespace rook-ceph is in a namespace without the label rook-clusterset.io/enabled=true"}, notes)
	_, notes, err = gatherStatus(t.Context(), c, "")
	require.NoError(t, err)
	require.Empty(t, notes)
}

func exportKind() client.Object { return kinds.Object(kinds.ServiceExport.WithVersion("v1beta1")) }

func TestWhoMayReadOneNamespaceAloneIsToldOfThat(t *testing.T) {
	c := interceptor.NewClient(daemonObjects{export: exported(nil), valid: "True", advertised: globalIP, listed: globalIP}.stored(t), interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if o := (&client.ListOptions{}).ApplyOptions(opts); o.Namespace != "rook-ceph" {
				return apierrors.NewForbidden(schema.GroupResource{Resource: "things"}, "", nil)
			}
			return c.List(ctx, list, opts...)
		},
	})
	rows, notes, err := gatherStatus(t.Context(), c, "rook-ceph")
	require.NoError(t, err)
	require.Empty(t, notes)
	require.NoError(t, verdict(rows, notes))
	require.Empty(t, admissionNotes(t.Context(), c))
}

func TestStatusSaysSinceWhenTheTokenForPeersMayBeCopied(t *testing.T) {
	c := daemonObjects{export: exported(nil), valid: "True", advertised: globalIP, listed: globalIP}.stored(t)
	rows, _, err := gatherStatus(t.Context(), c, "")
	require.NoError(t, err)
	require.Empty(t, tokenLines(t.Context(), c, rows), "Rook never remembered anything wrongly")

	since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for want, remembered := range map[string]rook.Remembered{
		"Secret rook-ceph/cluster-peer-token-my-cluster may tell ClusterIPs until Rook has reconciled, and is not to be copied to a peer before":  {Mons: []rook.Endpoint{{ID: "b", Addr: netip.MustParseAddrPort("10.96.0.2:6789")}}},
		"Secret rook-ceph/cluster-peer-token-my-cluster tells the global IPs of the mons since 2026-03-01T12:00:00Z, and may be copied to a peer": {TokenRight: since},
	} {
		note := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: rook.RememberedName}, Data: remembered.Data()}
		require.NoError(t, c.Create(t.Context(), note))
		require.Equal(t, []string{want}, tokenLines(t.Context(), c, rows))
		require.NoError(t, c.Delete(t.Context(), note))
	}
}

func TestAnExportThatWaitsForItsGraceIsNoFault(t *testing.T) {
	rows := []daemonStatus{{State: string(reason.OK), Well: true}, {State: string(reason.Leaving), Well: true}}
	require.NoError(t, verdict(rows, nil))
	require.Error(t, verdict(append(rows, daemonStatus{State: string(reason.AddressForeign)}), nil))
}

func TestStatusTellsOfAnAddressThatIsNeitherAClusterIPNorGlobal(t *testing.T) {
	// A mon that was moved by hand: its export follows it, and all three agree.
	moved := daemonObjects{
		export: exported(func(e *rook.Export) { e.Pinned, e.GlobalIP = true, netip.MustParseAddr(nodeIP) }), valid: "True", advertised: nodeIP, listed: nodeIP,
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph-mon-a", Labels: map[string]string{rook.AppLabel: rook.MonApp}},
		Spec:       corev1.ServiceSpec{ClusterIP: clusterIP, ClusterIPs: []string{clusterIP}},
	}
	submariner := kinds.Object(schema.GroupVersionKind{Group: "submariner.io", Version: "v1alpha1", Kind: "Submariner"})
	submariner.SetNamespace("submariner-operator")
	submariner.SetName("submariner")
	submariner.Object["spec"] = map[string]any{"clusterID": "cluster-a", "globalCIDR": "242.0.0.0/16"}

	rows, _, err := gatherStatus(t.Context(), moved.stored(t, service), "")
	require.NoError(t, err)
	require.Equal(t, string(reason.OK), rows[0].State, "the range of global IPs is not known")
	rows, _, err = gatherStatus(t.Context(), moved.stored(t, service, submariner), "")
	require.NoError(t, err)
	require.Equal(t, string(reason.AddressForeign), rows[0].State)
	require.Equal(t, "advertises an address that is neither its ClusterIP nor a global IP of this cluster (192.168.0.1)", rows[0].Message)
}

func TestStatusShowsReadyAndConflictBesideValid(t *testing.T) {
	for want, e := range map[string]rook.Export{
		"True":                               {Exists: true, Valid: metav1.ConditionTrue},
		"True; Conflict True (PortConflict)": {Exists: true, Valid: metav1.ConditionTrue, Beside: "Conflict True (PortConflict)"},
		"False (NoService); Ready False (Pending: on its way)": {Exists: true, Valid: metav1.ConditionFalse, ValidReason: "NoService", Beside: "Ready False (Pending: on its way)"},
		"not reported; Ready False (Pending: on its way)":      {Exists: true, Beside: "Ready False (Pending: on its way)"},
		"no export": {},
	} {
		require.Equal(t, want, validText(e))
	}
}
