package cli

import (
	"context"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

const (
	globalIP  = "242.0.0.10"
	clusterIP = "10.96.0.10"
	nodeIP    = "192.168.0.1"
)

// daemonObjects are what is stored of one mon.
type daemonObjects struct {
	// export are its annotations, nil for none; valid is what the MCS implementation reported, or nothing.
	export *rook.Export
	valid  string
	// advertised is what its Deployment says, or nothing for none, and listed what Rook's list has.
	advertised, listed string
}

func exported(edit func(*rook.Export)) *rook.Export {
	e := &rook.Export{Identity: rook.IdentityClusterset, GlobalIP: netip.MustParseAddr(globalIP), Source: "GlobalIngressIP"}
	if edit != nil {
		edit(e)
	}
	return e
}

func (d daemonObjects) stored(t *testing.T, more ...client.Object) client.WithWatch {
	t.Helper()
	scheme := newScheme()
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{{Group: kinds.CephCluster.Group, Version: "v1"}, {Group: kinds.ServiceExport.Group, Version: "v1beta1"}, {Group: "submariner.io", Version: "v1alpha1"}})
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Namespace"), meta.RESTScopeRoot)
	for _, gk := range []struct {
		name string
		kind kinds.Kind
	}{{"v1", view.Kinds()[0]}, {"v1beta1", view.Kinds()[1]}} {
		gvk := gk.kind.WithVersion(gk.name)
		mapper.Add(gvk, meta.RESTScopeNamespace)
		scheme.AddKnownTypeWithName(gvk, &unstructured.Unstructured{})
		scheme.AddKnownTypeWithName(gvk.GroupVersion().WithKind(gvk.Kind+"List"), &unstructured.UnstructuredList{})
	}
	submariner := schema.GroupVersionKind{Group: "submariner.io", Version: "v1alpha1", Kind: "Submariner"}
	mapper.Add(submariner, meta.RESTScopeNamespace)
	scheme.AddKnownTypeWithName(submariner, &unstructured.Unstructured{})
	scheme.AddKnownTypeWithName(submariner.GroupVersion().WithKind("SubmarinerList"), &unstructured.UnstructuredList{})
	for _, gvk := range []string{"Service", "ConfigMap"} {
		mapper.Add(corev1.SchemeGroupVersion.WithKind(gvk), meta.RESTScopeNamespace)
	}
	mapper.Add(appsv1.SchemeGroupVersion.WithKind("Deployment"), meta.RESTScopeNamespace)
	return fake.NewClientBuilder().WithScheme(scheme).WithRESTMapper(mapper).WithObjects(append(d.objects(), more...)...).Build()
}

func (d daemonObjects) objects() []client.Object {
	const namespace, name = "rook-ceph", "rook-ceph-mon-a"
	cluster := kinds.Object(kinds.CephCluster.WithVersion("v1"))
	cluster.SetNamespace(namespace)
	cluster.SetName("my-cluster")
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{rook.EnabledLabel: "true"}}},
		cluster,
	}
	if d.export != nil {
		export := kinds.Object(kinds.ServiceExport.WithVersion("v1beta1"))
		export.SetNamespace(namespace)
		export.SetName(name)
		export.SetLabels(map[string]string{rook.ManagedByLabel: rook.Manager})
		export.SetAnnotations(d.export.Annotations())
		if d.valid != "" {
			export.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Valid", "status": d.valid, "reason": "Said"}}}
		}
		objects = append(objects, export)
	}
	if d.advertised != "" {
		objects = append(objects, &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: name,
				Labels: map[string]string{rook.AppLabel: rook.MonApp, rook.DaemonTypeLabel: "mon", rook.DaemonIDLabel: "a"},
				OwnerReferences: []metav1.OwnerReference{
					{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "my-cluster", Controller: new(true)},
				},
			},
			Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
				Containers: []corev1.Container{{Name: "mon", Args: []string{"--public-addr=" + d.advertised}}},
			}}},
		})
	}
	return append(objects, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: rook.MonEndpointsName},
		Data:       map[string]string{rook.EndpointsDataKey: "a=" + d.listed + ":6789"},
	})
}

// metric returns the state that the metrics give the daemon.
func metric(t *testing.T, c client.Client) string {
	t.Helper()
	registry := prometheus.NewRegistry()
	v := view.New(view.Readers{Cached: c, Live: c}, kinds.Discovered{Mapper: c.RESTMapper()})
	require.NoError(t, registry.Register(view.States{View: v}))
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() != "rook_clusterset_daemon_state" {
			continue
		}
		require.Len(t, family.GetMetric(), 1)
		for _, label := range family.GetMetric()[0].GetLabel() {
			if label.GetName() == "state" {
				return label.GetValue()
			}
		}
	}
	return ""
}

func TestTheCommandAndTheMetricsGiveADaemonTheSameState(t *testing.T) {
	for want, d := range map[reason.Code]daemonObjects{
		reason.OK:              {exported(nil), "True", globalIP, globalIP},
		reason.EndpointWrong:   {exported(nil), "True", globalIP, clusterIP},
		reason.NotAdvertised:   {exported(nil), "True", clusterIP, globalIP},
		reason.NoDeployment:    {exported(nil), "True", "", globalIP},
		reason.ExportMissing:   {nil, "", clusterIP, clusterIP},
		reason.ExportNotValid:  {exported(func(e *rook.Export) { e.GlobalIP = netip.Addr{} }), "False", "", clusterIP},
		reason.AddressUnknown:  {exported(func(e *rook.Export) { e.GlobalIP = netip.Addr{} }), "True", "", clusterIP},
		reason.SourcesDisagree: {exported(func(e *rook.Export) { e.GlobalIP, e.Refused = netip.Addr{}, reason.SourcesDisagree }), "True", "", clusterIP},
		reason.AddressDrifted: {
			exported(func(e *rook.Export) { e.Pinned, e.Drift = true, netip.MustParseAddr("242.0.0.99") }),
			"True", globalIP, globalIP,
		},
		reason.UsedByAnother: {
			exported(func(e *rook.Export) { e.Pinned, e.Refused, e.RefusedDetail = true, reason.UsedByAnother, "242.0.0.99" }),
			"True", globalIP, globalIP,
		},
		reason.IdentityCluster: {&rook.Export{Identity: rook.IdentityCluster}, "True", clusterIP, clusterIP},
	} {
		t.Run(string(want), func(t *testing.T) {
			c := d.stored(t)
			rows, notes, err := gatherStatus(context.WithoutCancel(t.Context()), c, "")
			require.NoError(t, err)
			require.Empty(t, notes)
			require.Len(t, rows, 1)
			require.Equal(t, string(want), rows[0].State)
			require.Equal(t, string(want), metric(t, c))
			if want == reason.OK {
				require.NoError(t, verdict(rows, notes))
				return
			}
			require.Contains(t, rows[0].Message, want.Sentence())
			require.Error(t, verdict(rows, notes))
		})
	}
}
