package view_test

import (
	"context"
	"maps"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

const namespace = "rook-ceph"

var (
	serviceExport = kinds.ServiceExport.WithVersion("v1alpha1")
	cephCluster   = kinds.CephCluster.WithVersion("v1")
)

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

// served are the kinds that are there.
type served map[schema.GroupKind]schema.GroupVersionKind

func (s served) Served(gk schema.GroupKind) (schema.GroupVersionKind, bool) {
	gvk, ok := s[gk]
	return gvk, ok
}

func (served) Wait(context.Context) error { return nil }

func everything() served {
	return served{kinds.CephCluster: cephCluster, kinds.ServiceExport: serviceExport}
}

// store is a fake API server that finds objects as the caches do.
func store(t *testing.T, objects ...client.Object) client.WithWatch {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, corev1.AddToScheme(scheme))
	require.NoError(t, appsv1.AddToScheme(scheme))
	for _, gvk := range []schema.GroupVersionKind{serviceExport, cephCluster} {
		scheme.AddKnownTypeWithName(gvk, &unstructured.Unstructured{})
		scheme.AddKnownTypeWithName(gvk.GroupVersion().WithKind(gvk.Kind+"List"), &unstructured.UnstructuredList{})
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...)
	index := indexer{builder}
	require.NoError(t, view.Index(t.Context(), index))
	require.NoError(t, view.IndexPrepared(t.Context(), index))
	for _, kind := range view.Kinds() {
		for field, of := range kind.Indexes {
			builder.WithIndex(kinds.Object(kind.WithVersion(kind.Versions[len(kind.Versions)-1])), field, of)
		}
	}
	return builder.Build()
}

type indexer struct{ *fake.ClientBuilder }

func (i indexer) IndexField(_ context.Context, object client.Object, field string, of client.IndexerFunc) error {
	i.WithIndex(object, field, of)
	return nil
}

func viewOf(t *testing.T, objects ...client.Object) *view.View {
	t.Helper()
	c := store(t, objects...)
	return view.New(view.Readers{Cached: c, Live: c, Prepared: c}, everything())
}

func namespaceObject(name, enabled string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{rook.EnabledLabel: enabled}}}
}

func cluster(name string) *unstructured.Unstructured {
	u := kinds.Object(cephCluster)
	u.SetNamespace(namespace)
	u.SetName(name)
	u.SetUID("cluster-uid")
	return u
}

func export(name string, annotations map[string]string) *unstructured.Unstructured {
	u := kinds.Object(serviceExport)
	u.SetNamespace(namespace)
	u.SetName(name)
	u.SetLabels(map[string]string{rook.ManagedByLabel: rook.Manager})
	u.SetAnnotations(annotations)
	return u
}

func service(name, app, clusterIP string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{rook.AppLabel: app}},
		Spec:       corev1.ServiceSpec{ClusterIP: clusterIP, ClusterIPs: []string{clusterIP}},
	}
}

func deployment(name, publicAddr string) *appsv1.Deployment {
	kind, id, _ := rook.ParseName(name)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name,
			Labels: map[string]string{
				rook.AppLabel: "rook-ceph-" + string(kind), rook.DaemonTypeLabel: string(kind), rook.DaemonIDLabel: id,
				rook.RookVersionLabel: "v1.20.6",
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "my-cluster", UID: "cluster-uid", Controller: new(true),
			}},
		},
		Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: string(kind), Args: []string{"--public-addr=" + publicAddr}}},
		}}},
	}
}

func endpoints(data string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: rook.MonEndpointsName},
		Data:       map[string]string{rook.EndpointsDataKey: data},
	}
}

func daemon(name string) rook.Daemon {
	kind, id, _ := rook.ParseName(name)
	return rook.Daemon{Type: kind, ID: id, Namespace: namespace}
}

func TestAMonIsWhatItsServiceItsExportAndItsDeploymentTell(t *testing.T) {
	canary := deployment("rook-ceph-mon-d", "")
	canary.Name += "-canary"
	canary.Labels[rook.CanaryLabel] = "true"
	dying := service("rook-ceph-mon-f", rook.MonApp, "10.96.0.6")
	dying.DeletionTimestamp, dying.Finalizers = new(metav1.Now()), []string{"x"}
	leaving := export("rook-ceph-mon-g", map[string]string{rook.GlobalIPAnnotation: "242.0.0.7"})
	leaving.SetDeletionTimestamp(new(metav1.Now()))
	leaving.SetFinalizers([]string{"x"})
	v := viewOf(t,
		service("rook-ceph-mon-a", rook.MonApp, "10.96.0.1"), deployment("rook-ceph-mon-b", "242.0.0.2"),
		export("rook-ceph-mon-c", map[string]string{rook.IdentityAnnotation: "clusterset", rook.GlobalIPAnnotation: "242.0.0.3"}),
		canary, service("rook-ceph-mon-e", rook.FloatingMonApp, "10.96.0.5"), dying, leaving, deployment("rook-ceph-osd-0", "242.0.1.0"))

	mons, err := v.Mons(t.Context(), namespace)
	require.NoError(t, err)
	of := func(id string) rook.Daemon { return rook.Daemon{Type: rook.Mon, ID: id, Namespace: namespace} }
	b := of("b")
	b.Cluster = "my-cluster"
	require.Equal(t, map[string]rook.DaemonFacts{
		"a": {Daemon: of("a"), ClusterIPs: []netip.Addr{addr("10.96.0.1")}},
		"b": {Daemon: b, Deployed: true, Address: addr("242.0.0.2")},
		"c": {Daemon: of("c"), Export: rook.Export{Exists: true, Ours: true, Identity: rook.IdentityClusterset, GlobalIP: addr("242.0.0.3")}},
		"e": {Daemon: of("e"), Export: rook.Export{Identity: rook.IdentityCluster}, ClusterIPs: []netip.Addr{addr("10.96.0.5")}},
	}, mons, "what is being deleted is gone for everybody")
	g, err := v.Export(t.Context(), namespace, "rook-ceph-mon-g")
	require.NoError(t, err)
	require.False(t, g.Exists)
}

func TestAMonLivesWhoeverOwnsItsDeployment(t *testing.T) {
	ownerless := deployment("rook-ceph-mon-a", "242.0.0.1")
	ownerless.OwnerReferences = nil
	mons, err := viewOf(t, ownerless).Mons(t.Context(), namespace)
	require.NoError(t, err)
	require.Equal(t, map[string]rook.DaemonFacts{
		"a": {Daemon: rook.Daemon{Type: rook.Mon, ID: "a", Namespace: namespace}, Deployed: true, Address: addr("242.0.0.1")},
	}, mons)
}

func TestTheLatestOfADaemonIsWhatTheAPIServerSays(t *testing.T) {
	cached := store(t, service("rook-ceph-mon-a", rook.MonApp, "10.96.0.1"))
	live := store(t, service("rook-ceph-mon-a", rook.MonApp, "10.96.0.9"), deployment("rook-ceph-mon-a", "242.0.0.1"),
		export("rook-ceph-mon-a", map[string]string{rook.IdentityAnnotation: "clusterset"}))
	v := view.New(view.Readers{Cached: cached, Live: live}, everything())
	facts, err := v.LatestDaemon(t.Context(), daemon("rook-ceph-mon-a"))
	require.NoError(t, err)
	require.True(t, facts.Deployed)
	require.Equal(t, addr("242.0.0.1"), facts.Address)
	require.Equal(t, []netip.Addr{addr("10.96.0.9")}, facts.ClusterIPs)
	require.Equal(t, rook.IdentityClusterset, facts.Export.Identity)
	facts, err = v.LatestDaemon(t.Context(), daemon("rook-ceph-mon-b"))
	require.NoError(t, err)
	require.Zero(t, facts)
}

func TestASnapshotHasEachDaemonOnceInOrder(t *testing.T) {
	v := viewOf(t, namespaceObject(namespace, "true"), cluster("my-cluster"), endpoints("a=242.0.0.1:6789,k=10.96.0.9:6789"),
		export("rook-ceph-osd-10", nil), deployment("rook-ceph-osd-2", "242.0.1.2"), export("rook-ceph-osd-2", nil),
		service("rook-ceph-osd-3", rook.OSDApp, "10.96.1.3"), deployment("rook-ceph-mon-a", "242.0.0.1"), export("not-a-daemon", nil))
	s, err := v.Snapshot(t.Context(), namespace)
	require.NoError(t, err)
	require.True(t, s.Enabled)
	require.Equal(t, "v1.20.6", s.Cluster.RookVersion)
	names := map[string]netip.Addr{}
	var order []string
	for _, d := range s.Daemons {
		order = append(order, d.Daemon.Name())
		names[d.Daemon.Name()] = d.Listed
		require.Equal(t, namespace, d.Daemon.Namespace)
	}
	require.Equal(t, []string{"rook-ceph-mon-a", "rook-ceph-mon-k", "rook-ceph-osd-2", "rook-ceph-osd-10"}, order)
	require.Equal(t, addr("242.0.0.1"), names["rook-ceph-mon-a"])
	require.Equal(t, addr("10.96.0.9"), names["rook-ceph-mon-k"])
}

func TestWhatIsNotThereIsNilAndNoError(t *testing.T) {
	c := store(t)
	v := view.New(view.Readers{Cached: c, Live: c}, served{})
	ctx := t.Context()
	enabled, err := v.Enabled(ctx, namespace)
	require.NoError(t, err)
	require.False(t, enabled)
	found, err := v.Cluster(ctx, namespace)
	require.NoError(t, err)
	require.Nil(t, found)
	objects, err := v.Daemon(ctx, daemon("rook-ceph-osd-0"))
	require.NoError(t, err)
	require.Zero(t, objects)
	endpoints, latest, err := v.LatestMonEndpoints(ctx, namespace)
	require.NoError(t, err)
	require.True(t, latest)
	require.Nil(t, endpoints)
	exports, err := v.Exports(ctx, namespace)
	require.NoError(t, err)
	require.Empty(t, exports)
	require.False(t, v.ExportKindServed())
}

func TestTheOldestCephClusterOfANamespaceIsTheOneThatRookServes(t *testing.T) {
	first, second := cluster("z-first"), cluster("a-second")
	first.SetCreationTimestamp(metav1.Date(2026, 1, 1, 0, 0, 0, 0, metav1.Now().Location()))
	second.SetCreationTimestamp(metav1.Date(2026, 1, 2, 0, 0, 0, 0, metav1.Now().Location()))
	found, err := viewOf(t, second, first).Cluster(t.Context(), namespace)
	require.NoError(t, err)
	require.Equal(t, "z-first", found.Name)
}

func TestANamespaceIsNotTakenForSwitchedOffByACacheThatIsBehind(t *testing.T) {
	behind, now := store(t), store(t, namespaceObject(namespace, "true"), namespaceObject("off", "false"))
	v := view.New(view.Readers{Cached: behind, Live: now}, everything())
	enabled, err := v.Enabled(t.Context(), namespace)
	require.NoError(t, err)
	require.True(t, enabled)
	enabled, err = v.Enabled(t.Context(), "off")
	require.NoError(t, err)
	require.False(t, enabled)
	enabled, err = v.EnabledByCache(t.Context(), namespace)
	require.NoError(t, err)
	require.False(t, enabled)
	names, err := viewOf(t, namespaceObject("b", "true"), namespaceObject("a", "true"), namespaceObject("off", "false")).EnabledNamespaces(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, names)
}

func TestANamespaceIsOneOfACephClusterWhetherItIsSwitchedOnOrNot(t *testing.T) {
	names, err := viewOf(t, namespaceObject("empty", "true"), cluster("first"), cluster("second")).ClusterNamespaces(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{namespace}, names)
}

func TestTheLatestMonEndpointsAreThoseOfTheAPIServerWhileItAnswers(t *testing.T) {
	cached, live := store(t, endpoints("a=10.96.0.1:6789")), store(t, endpoints("a=242.0.0.1:6789"))
	v := view.New(view.Readers{Cached: cached, Live: live}, everything())
	found, latest, err := v.LatestMonEndpoints(t.Context(), namespace)
	require.NoError(t, err)
	require.True(t, latest)
	require.Equal(t, addr("242.0.0.1"), rook.Listed(found)["a"])

	silent := interceptor.NewClient(live, interceptor.Funcs{
		Get: func(ctx context.Context, _ client.WithWatch, _ client.ObjectKey, _ client.Object, _ ...client.GetOption) error {
			<-ctx.Done()
			return ctx.Err()
		},
	})
	v = view.New(view.Readers{Cached: cached, Live: silent}, everything())
	found, latest, err = v.LatestMonEndpoints(t.Context(), namespace)
	require.NoError(t, err)
	require.False(t, latest, "who has to be sure can tell")
	require.Equal(t, addr("10.96.0.1"), rook.Listed(found)["a"])
}

func TestWhoHasAnAddressIsFoundInEveryNamespace(t *testing.T) {
	elsewhere := export("rook-ceph-mon-a", map[string]string{rook.GlobalIPAnnotation: "242.0.0.1", rook.PinnedAnnotation: "true"})
	elsewhere.SetNamespace("other")
	foreign := export("rook-ceph-osd-9", map[string]string{rook.GlobalIPAnnotation: "242.0.0.1"})
	foreign.SetLabels(nil)
	ownerless, canary := deployment("rook-ceph-mon-b", "242.0.0.1"), deployment("rook-ceph-mon-c", "242.0.0.1")
	ownerless.OwnerReferences = nil
	ownerless.Namespace = "other"
	canary.Labels[rook.CanaryLabel] = "true"
	otherCluster := cluster("other-cluster")
	otherCluster.SetNamespace("other")
	v := viewOf(t, elsewhere, foreign, ownerless, canary, otherCluster, namespaceObject("other", "true"), namespaceObject(namespace, "true"),
		export("rook-ceph-osd-0", map[string]string{rook.GlobalIPAnnotation: "242.0.0.1"}),
		export("rook-ceph-osd-1", map[string]string{rook.GlobalIPAnnotation: "242.0.0.2"}),
		deployment("rook-ceph-osd-0", "242.0.0.1"), deployment("rook-ceph-osd-1", "242.0.0.1"))
	claims, err := v.Claims(t.Context(), addr("242.0.0.1"))
	require.NoError(t, err)
	require.ElementsMatch(t, []rook.Claim{
		{Daemon: types.NamespacedName{Namespace: "other", Name: "rook-ceph-mon-a"}, Exported: true},
		{Daemon: types.NamespacedName{Namespace: "other", Name: "rook-ceph-mon-b"}, Advertised: true},
		{Daemon: types.NamespacedName{Namespace: namespace, Name: "rook-ceph-osd-0"}, Exported: true, Advertised: true},
		{Daemon: types.NamespacedName{Namespace: namespace, Name: "rook-ceph-osd-1"}, Advertised: true},
	}, claims)
}

func TestWhatSomebodyExportsSomewhereDeniesNoAddress(t *testing.T) {
	at := map[string]string{rook.GlobalIPAnnotation: "242.0.0.1", rook.PinnedAnnotation: "true"}
	in := func(where string, o client.Object) client.Object {
		o.SetNamespace(where)
		return o
	}
	claimed := func(t *testing.T, objects ...client.Object) []rook.Claim {
		t.Helper()
		claims, err := viewOf(t, append(objects, namespaceObject("on", "true"), namespaceObject("off", "false"))...).Claims(t.Context(), addr("242.0.0.1"))
		require.NoError(t, err)
		return claims
	}
	require.Empty(t, claimed(t, in("off", export("rook-ceph-mon-a", at)), in("off", cluster("c")), in("off", deployment("rook-ceph-osd-1", "242.0.0.1"))),
		"where the namespace is not switched on")
	require.Empty(t, claimed(t, in("on", export("evil", at)), in("on", cluster("c"))), "of a name that is no daemon's")
	require.Empty(t, claimed(t, in("on", export("rook-ceph-osd-1111111111111111", at)), in("on", cluster("c"))), "of an absurd number")
	require.Empty(t, claimed(t, in("on", export("rook-ceph-mon-a", at))), "where there is no CephCluster, and no such daemon")

	mon := types.NamespacedName{Namespace: "on", Name: "rook-ceph-mon-a"}
	require.Equal(t, []rook.Claim{{Daemon: mon, Exported: true}}, claimed(t, in("on", export("rook-ceph-mon-a", at)), in("on", cluster("c"))),
		"that it is pinned says nothing where no such mon lives")
	require.Equal(t, []rook.Claim{{Daemon: mon, Exported: true}},
		claimed(t, in("on", export("rook-ceph-mon-a", at)), in("on", deployment("rook-ceph-mon-a", "242.0.0.9"))), "nor where it lives elsewhere")
	require.Equal(t, []rook.Claim{{Daemon: mon, Exported: true, Pinned: true, Advertised: true}},
		claimed(t, in("on", export("rook-ceph-mon-a", at)), in("on", deployment("rook-ceph-mon-a", "242.0.0.1"))))
	asleep := deployment("rook-ceph-mon-a", "")
	asleep.Spec.Template.Spec.Containers[0].Args = []string{"infinity"}
	require.Equal(t, []rook.Claim{{Daemon: mon, Exported: true, Pinned: true}},
		claimed(t, in("on", export("rook-ceph-mon-a", at)), in("on", asleep)), "one that was put to sleep wakes where it was")
}

// Seed 73855: an OSD followed its export to where a mon slept whose own export had been deleted.
func TestAMonThatSleepsAndHasNoExportHasTheAddressAtWhichItIsListed(t *testing.T) {
	asleep := deployment("rook-ceph-mon-a", "")
	sleepingOSD := deployment("rook-ceph-osd-0", "")
	mon := []rook.Claim{{Daemon: types.NamespacedName{Namespace: namespace, Name: "rook-ceph-mon-a"}, Advertised: true}}
	for name, c := range map[string]struct {
		enabled, listed string
		deployed        client.Object
		want            []rook.Claim
	}{
		"where it is listed":              {"true", "a=242.0.0.1:6789,b=242.0.0.2:6789", asleep, mon},
		"not where another is listed":     {"true", "a=242.0.0.9:6789,b=242.0.0.1:6789", asleep, nil},
		"not where it is not listed":      {"true", "b=242.0.0.2:6789", asleep, nil},
		"not one that is awake":           {"true", "a=242.0.0.1:6789", deployment("rook-ceph-mon-a", "242.0.0.7"), nil},
		"not in a namespace that is off":  {"false", "a=242.0.0.1:6789", asleep, nil},
		"and no OSD, which is not listed": {"true", "0=242.0.0.1:6789", sleepingOSD, nil},
	} {
		t.Run(name, func(t *testing.T) {
			v := viewOf(t, c.deployed.DeepCopyObject().(client.Object), endpoints(c.listed), namespaceObject(namespace, c.enabled))
			claims, err := v.Claims(t.Context(), addr("242.0.0.1"))
			require.NoError(t, err)
			require.Equal(t, c.want, claims)
		})
	}
}

func TestWhatAnnotationsSayIsAskedAboutUnlessTheDaemonLivesThere(t *testing.T) {
	noted := func(name, ip string, more map[string]string) *unstructured.Unstructured {
		annotations := map[string]string{rook.GlobalIPAnnotation: ip, rook.IdentityAnnotation: "clusterset"}
		maps.Copy(annotations, more)
		e := export(name, annotations)
		e.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Valid", "status": "True"}}}
		return e
	}
	pinned := map[string]string{rook.PinnedAnnotation: "true"}
	hearsay := map[string]string{rook.PinnedAnnotation: "true", rook.SourceAnnotation: rook.SourceList}
	asleep := deployment("rook-ceph-mon-a", "")
	asleep.Spec.Template.Spec.Containers[0].Args = []string{"infinity"}
	for name, c := range map[string]struct {
		objects []client.Object
		daemon  string
		asked   *view.Noted
	}{
		"an OSD to be born":              {[]client.Object{noted("rook-ceph-osd-0", "127.0.0.1", nil)}, "rook-ceph-osd-0", &view.Noted{}},
		"an OSD that lives there":        {[]client.Object{noted("rook-ceph-osd-0", "127.0.0.1", nil), deployment("rook-ceph-osd-0", "127.0.0.1")}, "rook-ceph-osd-0", nil},
		"an OSD that is to follow":       {[]client.Object{noted("rook-ceph-osd-0", "127.0.0.1", nil), deployment("rook-ceph-osd-0", "242.0.0.1")}, "rook-ceph-osd-0", &view.Noted{}},
		"a mon to be born":               {[]client.Object{noted("rook-ceph-mon-a", "127.0.0.1", nil)}, "rook-ceph-mon-a", &view.Noted{ForLife: true}},
		"one that is said to have lived": {[]client.Object{noted("rook-ceph-mon-a", "127.0.0.1", pinned)}, "rook-ceph-mon-a", &view.Noted{ForLife: true, Unborn: true}},
		"one whose list says the same":   {[]client.Object{noted("rook-ceph-mon-a", "127.0.0.1", pinned), endpoints("a=127.0.0.1:6789")}, "rook-ceph-mon-a", &view.Noted{ForLife: true, Lived: true}},
		"one of which nothing else does": {[]client.Object{noted("rook-ceph-mon-a", "127.0.0.1", hearsay), endpoints("a=127.0.0.1:6789")}, "rook-ceph-mon-a", &view.Noted{ForLife: true}},
		"one of which it no longer does": {[]client.Object{noted("rook-ceph-mon-a", "127.0.0.1", hearsay), endpoints("a=242.0.0.1:6789")}, "rook-ceph-mon-a", &view.Noted{ForLife: true, Unborn: true}},
		"one whose list says another":    {[]client.Object{noted("rook-ceph-mon-a", "127.0.0.1", pinned), endpoints("a=242.0.0.1:6789")}, "rook-ceph-mon-a", &view.Noted{ForLife: true, Unborn: true}},
		"one that was put to sleep":      {[]client.Object{noted("rook-ceph-mon-a", "127.0.0.1", pinned), asleep}, "rook-ceph-mon-a", &view.Noted{ForLife: true, Lived: true}},
		"one that lives there":           {[]client.Object{noted("rook-ceph-mon-a", "127.0.0.1", pinned), deployment("rook-ceph-mon-a", "127.0.0.1")}, "rook-ceph-mon-a", nil},
	} {
		t.Run(name, func(t *testing.T) {
			v := viewOf(t, c.objects...)
			var asked []view.Noted
			v.ExpectDoubts(func(_ context.Context, n view.Noted) *reason.Error {
				asked = append(asked, n)
				return reason.Errorf(reason.Unroutable, "127.0.0.1 is a loopback address")
			})
			byName, err := v.Export(t.Context(), namespace, c.daemon)
			require.NoError(t, err)
			latest, err := v.LatestDaemon(t.Context(), daemon(c.daemon))
			require.NoError(t, err)
			require.Equal(t, byName, latest.Export)
			if c.asked == nil {
				require.Empty(t, asked)
				require.Equal(t, "127.0.0.1", byName.GlobalIP.String())
				return
			}
			c.asked.Namespace, c.asked.Name, c.asked.Address = namespace, c.daemon, addr("127.0.0.1")
			c.asked.Source = c.objects[0].GetAnnotations()[rook.SourceAnnotation]
			latestAsked := *c.asked
			latestAsked.Latest = c.asked.ForLife
			require.Equal(t, []view.Noted{*c.asked, latestAsked}, asked)
			require.False(t, byName.Ready())
			require.Equal(t, reason.Unroutable, byName.Refused)
			mons, err := v.Mons(t.Context(), namespace)
			require.NoError(t, err)
			if m, isMon := mons["a"]; isMon {
				require.False(t, m.Export.Ready())
			}
		})
	}
}

func TestAMonToBeBornHasNoAddressWhileAnotherHoldsIt(t *testing.T) {
	valid := export("rook-ceph-mon-d", map[string]string{rook.IdentityAnnotation: "clusterset", rook.GlobalIPAnnotation: "242.0.0.1"})
	valid.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Valid", "status": "True"}}}
	drifted := deployment("rook-ceph-mon-a", "242.0.0.1")
	mons, err := viewOf(t, valid, drifted, namespaceObject(namespace, "true")).Mons(t.Context(), namespace)
	require.NoError(t, err)
	require.Equal(t, namespace+"/rook-ceph-mon-a", mons["d"].HeldBy)
	_, known := mons["d"].Truth()
	require.False(t, known)

	drifted.Spec.Template.Spec.Containers[0].Args = []string{"--public-addr=242.0.0.2"}
	mons, err = viewOf(t, valid, drifted, namespaceObject(namespace, "true")).Mons(t.Context(), namespace)
	require.NoError(t, err)
	_, known = mons["d"].Truth()
	require.True(t, known)
}

func TestAnOSDIsPreparedOnceItsPrepareIsCompletedAndUntilItIsDeployed(t *testing.T) {
	status := func(text string) *corev1.ConfigMap {
		return &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "rook-ceph-osd-node-0-status"},
			Data:       map[string]string{"status": text},
		}
	}
	const completed = `{"osds":[{"id":0},{"id":10}],"status":"completed"}`
	for name, c := range map[string]struct {
		objects []client.Object
		want    bool
	}{
		"one that it names":                 {[]client.Object{status(completed)}, true},
		"none while it runs":                {[]client.Object{status(`{"osds":[{"id":10}],"status":"orchestrating"}`)}, false},
		"none that it does not name":        {[]client.Object{status(`{"osds":[{"id":1}],"status":"completed"}`)}, false},
		"none that has its Deployment":      {[]client.Object{status(completed), deployment("rook-ceph-osd-10", "")}, false},
		"none where there is no such thing": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := viewOf(t, c.objects...).Daemon(t.Context(), daemon("rook-ceph-osd-10"))
			require.NoError(t, err)
			require.Equal(t, c.want, objects.Prepared)
		})
	}
}

func TestADaemonIsExpectedBySignsOfTheClusterItself(t *testing.T) {
	monService := func(id string) *corev1.Service {
		s := service("rook-ceph-mon-"+id, rook.MonApp, "10.96.0.1")
		s.Labels[rook.OperatorNamespaceLabel] = "rook-operator"
		s.Spec.Selector = map[string]string{"app": "rook-ceph-mon", "ceph_daemon_id": id, "mon": id, "mon_cluster": namespace, "rook_cluster": namespace}
		s.Spec.Ports = []corev1.ServicePort{{Port: 3300, TargetPort: intstr.FromInt32(3300), Protocol: corev1.ProtocolTCP}}
		s.OwnerReferences = []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "my-cluster", UID: "cluster-uid"}}
		return s
	}
	forged := monService("zz")
	forged.Spec.Ports[0].Port, forged.Labels[rook.OperatorNamespaceLabel] = 22, "evil"
	prepared := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "rook-ceph-osd-n1-status"},
		Data:       map[string]string{"status": `{"osds":[{"id":7}],"status":"completed"}`},
	}
	v := viewOf(t, monService("a"), forged, prepared)
	served := rook.Cluster{Namespace: namespace, Name: "my-cluster", UID: "cluster-uid"}
	for name, wanted := range map[string]bool{
		"rook-ceph-mon-a": true, "rook-ceph-mon-b": false, "rook-ceph-mon-zz": false, "rook-ceph-osd-7": true, "rook-ceph-osd-777": false,
	} {
		expected, err := v.Expected(t.Context(), daemon(name), served)
		require.NoError(t, err)
		require.Equal(t, wanted, expected, name)
	}
	operator, err := v.OperatorNamespace(t.Context(), namespace)
	require.NoError(t, err)
	require.Equal(t, "rook-operator", operator)

	other := monService("b")
	other.Labels[rook.OperatorNamespaceLabel] = "elsewhere"
	operator, err = viewOf(t, monService("a"), other).OperatorNamespace(t.Context(), namespace)
	require.NoError(t, err)
	require.Empty(t, operator, "they do not agree")
}

func TestACephClusterOfIPv6AloneIsServedWhereGlobalIPsCanBeIPv6(t *testing.T) {
	single := cluster("my-cluster")
	require.NoError(t, unstructured.SetNestedField(single.Object, "IPv6", "spec", "network", "ipFamily"))
	v := viewOf(t, single)
	found, err := v.Cluster(t.Context(), namespace)
	require.NoError(t, err)
	require.Equal(t, reason.ClusterSingleStack, found.StandAside())
	v.ExpectIPv6()
	found, err = v.Cluster(t.Context(), namespace)
	require.NoError(t, err)
	require.Empty(t, found.StandAside())
	s, err := v.Snapshot(t.Context(), namespace)
	require.NoError(t, err)
	require.Empty(t, s.Cluster.StandAside())
}
