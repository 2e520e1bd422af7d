package manifests

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// serviceExportKind is a ServiceExport of which anything may be written.
func serviceExportKind() *apiextensionsv1.CustomResourceDefinition {
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "serviceexports.multicluster.x-k8s.io", Annotations: map[string]string{
			apiextensionsv1.KubeAPIApprovedAnnotation: "unapproved, a test",
		}},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "multicluster.x-k8s.io",
			Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "serviceexports", Singular: "serviceexport", Kind: "ServiceExport", ListKind: "ServiceExportList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1alpha1", Served: true, Storage: true,
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object", XPreserveUnknownFields: new(true),
				}},
			}},
		},
	}
}

func serviceExport(meta metav1.ObjectMeta) *unstructured.Unstructured {
	export := &unstructured.Unstructured{}
	export.SetAPIVersion("multicluster.x-k8s.io/v1alpha1")
	export.SetKind("ServiceExport")
	export.SetNamespace(meta.Namespace)
	export.SetName(meta.Name)
	export.SetLabels(meta.Labels)
	export.SetOwnerReferences(meta.OwnerReferences)
	return export
}

func ours() map[string]string { return rook.Marks() }

// osdService is the Service that the exporter makes, changed.
func osdService(namespace, id string, change func(*corev1.Service)) *corev1.Service {
	s := rook.OSDService(rook.Daemon{Type: rook.OSD, ID: id, Namespace: namespace}, rook.Cluster{})
	if change != nil {
		change(s)
	}
	return s
}

// fencedExports is fenced with the objects of others that a manager could reach: kube-dns, a mon's Service, exports that a
// person made.
func fencedExports(t *testing.T) (manager, admin client.Client) {
	t.Helper()
	manager, admin = fenced(t)
	require.NoError(t, admin.Create(t.Context(), serviceExportKind()))
	require.Eventually(t, func() bool {
		err := manager.Create(t.Context(), serviceExport(named("off", "rook-ceph-mon-a", ours())))
		return apierrors.IsInvalid(err)
	}, time.Minute, 100*time.Millisecond, "the kind is served and fenced")
	person := map[string]string{"made-by": "somebody"}
	for _, o := range []client.Object{
		&corev1.Service{ObjectMeta: named("kube-system", "kube-dns", nil), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 53}}}},
		service(named("rook-ceph", "rook-ceph-mon-a", nil)),
		service(named("rook-ceph", "rook-ceph-osd-7", person)),
		serviceExport(named("rook-ceph", "rook-ceph-mon-b", person)),
		osdService("off", "3", nil),
		serviceExport(named("off", "rook-ceph-osd-3", ours())),
		&corev1.ConfigMap{ObjectMeta: named("rook-ceph", rook.MonEndpointsName, person), Data: map[string]string{"data": "a=10.96.0.1:6789"}},
		&corev1.ConfigMap{ObjectMeta: named("off", rook.MonEndpointsName, person), Data: map[string]string{"data": "a=10.96.0.1:6789"}},
	} {
		require.NoError(t, admin.Create(t.Context(), o), o.GetName())
	}
	return manager, admin
}

func TestTheManagerExportsDaemonsUnderItsFence(t *testing.T) {
	manager, admin := fencedExports(t)
	ctx := t.Context()
	mon, osd := serviceExport(named("rook-ceph", "rook-ceph-mon-a", ours())), serviceExport(named("rook-ceph", "rook-ceph-osd-0", ours()))
	osds := osdService("rook-ceph", "0", nil)
	annotate := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"annotations":{"rook-clusterset.io/global-ip":"242.0.0.1"}}}`))
	for _, o := range []client.Object{mon, osds, osd} {
		require.NoError(t, manager.Create(ctx, o), o.GetName())
		require.NoError(t, manager.Patch(ctx, o, annotate), o.GetName())
		require.NoError(t, manager.Delete(ctx, o), o.GetName())
	}
	reload := &corev1.ConfigMap{ObjectMeta: named("rook-ceph", rook.ReloadName, ours())}
	require.NoError(t, manager.Create(ctx, reload))
	require.NoError(t, manager.Delete(ctx, reload))
	remembered := &corev1.ConfigMap{ObjectMeta: named("rook-ceph", rook.RememberedName, ours())}
	require.NoError(t, manager.Create(ctx, remembered))
	require.NoError(t, manager.Patch(ctx, remembered, client.RawPatch(types.MergePatchType, []byte(`{"data":{"mons":"a=10.96.0.1:6789"}}`))))
	endpoints := &corev1.ConfigMap{}
	require.NoError(t, manager.Get(ctx, client.ObjectKey{Namespace: "rook-ceph", Name: rook.MonEndpointsName}, endpoints))
	endpoints.Data["data"] = "a=242.0.0.1:6789"
	require.NoError(t, manager.Update(ctx, endpoints))
	// What Rook made in its own multi-cluster mode is taken over as it is.
	rooks := []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "rook-ceph", UID: "u"}}
	left := osdService("rook-ceph", "5", func(s *corev1.Service) {
		s.Labels, s.OwnerReferences, s.Spec.Selector = nil, rooks, map[string]string{"ceph-osd-id": "5"}
	})
	leftExport := serviceExport(metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph-osd-5", OwnerReferences: rooks})
	for _, o := range []client.Object{left, leftExport} {
		require.NoError(t, admin.Create(ctx, o))
		require.NoError(t, manager.Patch(ctx, o, client.RawPatch(types.MergePatchType,
			[]byte(`{"metadata":{"labels":{"app.kubernetes.io/managed-by":"rook-clusterset","rook-clusterset.io/managed":"true"},"ownerReferences":[]}}`))))
	}
	// What an earlier release made is marked, and may be deleted then and not before.
	earlier := serviceExport(named("rook-ceph", "rook-ceph-osd-6", map[string]string{rook.ManagedByLabel: rook.Manager}))
	require.NoError(t, admin.Create(ctx, earlier))
	require.True(t, apierrors.IsInvalid(manager.Delete(ctx, earlier)))
	require.NoError(t, manager.Patch(ctx, earlier, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"rook-clusterset.io/managed":"true"}}}`))))
	// What a policy engine makes of the other label is no obstacle.
	require.NoError(t, admin.Patch(ctx, earlier, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"app.kubernetes.io/managed-by":"a-policy-engine"}}}`))))
	require.NoError(t, manager.Patch(ctx, earlier, annotate))
	require.NoError(t, manager.Delete(ctx, earlier))
	// What stands where a namespace was switched off may still be removed, and marked before where that is asked for.
	require.NoError(t, admin.Patch(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "off"}}, client.RawPatch(types.MergePatchType,
		[]byte(`{"metadata":{"labels":{"rook-clusterset.io/cleanup":"true"}}}`))))
	require.Eventually(t, func() bool {
		return manager.Patch(ctx, serviceExport(named("off", "rook-ceph-osd-3", nil)), annotate) == nil
	}, 10*time.Second, 100*time.Millisecond)
	require.NoError(t, manager.Delete(ctx, serviceExport(named("off", "rook-ceph-osd-3", nil))))
	require.NoError(t, manager.Delete(ctx, osdService("off", "3", nil)))
	unmarked := osdService("off", "4", func(s *corev1.Service) { delete(s.Labels, rook.ManagedLabel) })
	require.NoError(t, admin.Create(ctx, unmarked))
	require.NoError(t, manager.Patch(ctx, unmarked, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"rook-clusterset.io/managed":"true"}}}`))))
	require.NoError(t, manager.Delete(ctx, unmarked))
}

func TestTheManagerWritesNothingOfOthers(t *testing.T) {
	manager, admin := fencedExports(t)
	rooksOwn := osdService("rook-ceph", "6", func(s *corev1.Service) {
		s.Labels, s.OwnerReferences = nil, []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "rook-ceph", UID: "u"}}
	})
	require.NoError(t, admin.Create(t.Context(), rooksOwn))
	create := func(o client.Object) func() error {
		return func() error { return manager.Create(t.Context(), o) }
	}
	remove := func(o client.Object) func() error {
		return func() error { return manager.Delete(t.Context(), o) }
	}
	patch := func(o client.Object, text string) func() error {
		return func() error {
			return manager.Patch(t.Context(), o, client.RawPatch(types.MergePatchType, []byte(text)))
		}
	}
	endpoints := func(namespace string, change func(*corev1.ConfigMap)) func() error {
		return func() error {
			found := &corev1.ConfigMap{}
			require.NoError(t, manager.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: rook.MonEndpointsName}, found))
			change(found)
			return manager.Update(t.Context(), found)
		}
	}
	made := osdService("rook-ceph", "0", nil)
	require.NoError(t, manager.Create(t.Context(), made))
	dns := service(named("kube-system", "kube-dns", nil))
	kubernetes := service(named("default", "kubernetes", nil))
	for name, c := range map[string]struct {
		try  func() error
		says string
	}{
		"retarget the DNS of the cluster":           {patch(dns, `{"spec":{"selector":{"app":"evil"}}}`), "only in namespaces"},
		"attract the traffic to the API server":     {patch(kubernetes, `{"spec":{"externalIPs":["192.0.2.1"]}}`), "only in namespaces"},
		"delete the DNS of the cluster":             {remove(dns), "only the Services of OSDs"},
		"make a ConfigMap in kube-system":           {create(&corev1.ConfigMap{ObjectMeta: named("kube-system", "coredns-custom", nil)}), "ConfigMaps only in namespaces"},
		"make another ConfigMap in an enabled one":  {create(&corev1.ConfigMap{ObjectMeta: named("rook-ceph", "rook-config-override", nil)}), "writes only ConfigMaps"},
		"make mon endpoints where it is off":        {create(&corev1.ConfigMap{ObjectMeta: named("off", "rook-ceph-mon-endpoints", nil)}), "ConfigMaps only in namespaces"},
		"change mon endpoints where it is off":      {endpoints("off", func(c *corev1.ConfigMap) { c.Data = nil }), "ConfigMaps only in namespaces"},
		"label the mon endpoints":                   {endpoints("rook-ceph", func(c *corev1.ConfigMap) { c.Labels["x"] = "y" }), "nothing of the metadata"},
		"take the labels of the mon endpoints away": {endpoints("rook-ceph", func(c *corev1.ConfigMap) { c.Labels = nil }), "nothing of the metadata"},
		"hold the mon endpoints back":               {endpoints("rook-ceph", func(c *corev1.ConfigMap) { c.Finalizers = []string{"a.b/c"} }), "nothing of the metadata"},
		"keep something in the reload ConfigMap":    {create(&corev1.ConfigMap{ObjectMeta: named("rook-ceph", rook.ReloadName, ours()), Data: map[string]string{"a": "b"}}), "keeps nothing"},
		"make a Service of a mon":                   {create(service(named("rook-ceph", "rook-ceph-mon-z", ours()))), "only the Services of OSDs"},
		"change the Service of a mon":               {patch(service(named("rook-ceph", "rook-ceph-mon-a", nil)), `{"metadata":{"annotations":{"a":"b"}}}`), "only the Services of OSDs"},
		"delete the Service of a mon":               {remove(service(named("rook-ceph", "rook-ceph-mon-a", nil))), "only the Services of OSDs"},
		"delete a Service that a person made":       {remove(service(named("rook-ceph", "rook-ceph-osd-7", nil))), "only Services that it made"},
		"retarget what Rook made":                   {patch(rooksOwn, `{"metadata":{"labels":{"app.kubernetes.io/managed-by":"rook-clusterset","rook-clusterset.io/managed":"true"}},"spec":{"selector":{"app":"evil"}}}`), "points the Service of an OSD at that OSD"},
		"mark an export where it is off":            {patch(serviceExport(named("off", "rook-ceph-osd-3", nil)), `{"metadata":{"annotations":{"a":"b"}}}`), "exports only in namespaces"},
		"make one its own":                          {patch(service(named("rook-ceph", "rook-ceph-osd-7", nil)), `{"metadata":{"labels":{"app.kubernetes.io/managed-by":"rook-clusterset","rook-clusterset.io/managed":"true"}}}`), "only Services that it made"},
		"make a Service where it is off":            {create(osdService("off", "9", nil)), "Services only in namespaces"},
		"make one without its mark":                 {create(osdService("rook-ceph", "9", func(s *corev1.Service) { s.Labels = nil })), "only Services that it made"},
		"make one that attracts addresses":          {create(osdService("rook-ceph", "9", func(s *corev1.Service) { s.Spec.ExternalIPs = []string{"192.0.2.1"} })), "without externalIPs"},
		"make one that opens nodes":                 {create(osdService("rook-ceph", "9", func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeNodePort })), "type ClusterIP"},
		"make one that names another host": {create(osdService("rook-ceph", "9", func(s *corev1.Service) {
			s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "example.org"
		})), "type ClusterIP"},
		"make one for other pods":             {create(osdService("rook-ceph", "9", func(s *corev1.Service) { s.Spec.Selector = map[string]string{"app": "evil"} })), "points the Service of an OSD at that OSD"},
		"make one for another OSD":            {create(osdService("rook-ceph", "9", func(s *corev1.Service) { s.Spec.Selector["ceph-osd-id"] = "8" })), "points the Service of an OSD at that OSD"},
		"make one for no pods":                {create(osdService("rook-ceph", "9", func(s *corev1.Service) { s.Spec.Selector = nil })), "points the Service of an OSD at that OSD"},
		"make one with another port":          {create(osdService("rook-ceph", "9", func(s *corev1.Service) { s.Spec.Ports[0].Port = 22 })), "only the ports of an OSD"},
		"make one of an absurd number":        {create(osdService("rook-ceph", "12345678901", nil)), "only the Services of OSDs"},
		"retarget its own":                    {patch(made, `{"spec":{"selector":{"app":"evil"}}}`), "points the Service of an OSD at that OSD"},
		"take its mark off its own":           {patch(made, `{"metadata":{"labels":{"rook-clusterset.io/managed":null}}}`), "only Services that it made"},
		"export something else":               {create(serviceExport(named("rook-ceph", "rook-ceph-mgr-dashboard", ours()))), "only the Services of mons and OSDs"},
		"export where it is off":              {create(serviceExport(named("off", "rook-ceph-mon-a", ours()))), "exports only in namespaces"},
		"export without its mark":             {create(serviceExport(named("rook-ceph", "rook-ceph-mon-a", nil))), "only ServiceExports that it made"},
		"export with an owner":                {create(serviceExport(metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph-mon-a", Labels: ours(), OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: "p", UID: "u"}}})), "nothing owns"},
		"change an export that a person made": {patch(serviceExport(named("rook-ceph", "rook-ceph-mon-b", nil)), `{"metadata":{"annotations":{"a":"b"}}}`), "only ServiceExports that it made"},
		"delete an export that a person made": {remove(serviceExport(named("rook-ceph", "rook-ceph-mon-b", nil))), "only ServiceExports that it made"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.try()
			require.True(t, apierrors.IsInvalid(err), "%v", err)
			require.ErrorContains(t, err, "ValidatingAdmissionPolicy 'rook-clusterset-")
			require.ErrorContains(t, err, c.says)
		})
	}
}
