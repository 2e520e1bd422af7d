package addresses

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// world is one namespace with a CephCluster, and the writes that were made.
type world struct {
	client.WithWatch
	loop *loop
	// read counts the objects of ours that were read.
	read   int
	writes int
	logged []string
}

func newWorld(t *testing.T, enabled string, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	for _, gvk := range []string{"CephCluster", "ServiceExport"} {
		group := map[string]string{"CephCluster": rook.CephGroup, "ServiceExport": kinds.ServiceExport.Group}[gvk]
		version := map[string]string{"CephCluster": "v1", "ServiceExport": "v1beta1"}[gvk]
		of := Kind
		of.Group, of.Version, of.Kind = group, version, gvk
		scheme.AddKnownTypeWithName(of, &unstructured.Unstructured{})
		scheme.AddKnownTypeWithName(of.GroupVersion().WithKind(gvk+"List"), &unstructured.UnstructuredList{})
	}
	scheme.AddKnownTypeWithName(Kind, &unstructured.Unstructured{})
	scheme.AddKnownTypeWithName(Kind.GroupVersion().WithKind(Kind.Kind+"List"), &unstructured.UnstructuredList{})
	mapper := meta.NewDefaultRESTMapper(scheme.PrioritizedVersionsAllGroups())
	for gvk := range scheme.AllKnownTypes() {
		scope := meta.RESTScope(meta.RESTScopeNamespace)
		if gvk.Kind == "Namespace" {
			scope = meta.RESTScopeRoot
		}
		mapper.Add(gvk, scope)
	}
	w := &world{}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "rook-ceph", Labels: map[string]string{rook.EnabledLabel: enabled}}}
	fakes := fake.NewClientBuilder().WithScheme(scheme).WithRESTMapper(mapper).WithObjects(append(objects, namespace)...).WithStatusSubresource(object("")).
		WithIndex(object(""), "metadata.name", func(o client.Object) []string { return []string{o.GetName()} }).Build()
	w.WithWatch = interceptor.NewClient(fakes, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			err := c.List(ctx, list, opts...)
			found, ofOurs := list.(*unstructured.UnstructuredList)
			if !ofOurs || found.GetKind() != Kind.Kind+"List" {
				return err
			}
			// The fake client knows no limit.
			options := (&client.ListOptions{}).ApplyOptions(opts)
			if options.Limit > 0 {
				found.Items = found.Items[:min(len(found.Items), int(options.Limit))]
			}
			w.read += len(found.Items)
			require.NotEmpty(t, options.Namespace, "what strangers make in other namespaces is not read")
			return err
		},
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			w.writes++
			return c.Create(ctx, o, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			w.writes++
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
	})
	term := recall.NewTerm()
	term.Begin(t.Context())
	v := view.New(view.Readers{Cached: w, Live: w}, kinds.Discovered{Mapper: mapper})
	w.loop = &loop{view: v, live: w, writer: w, now: func() time.Time { return noon }, term: term, log: funcr.New(func(_, args string) {
		w.logged = append(w.logged, args)
	}, funcr.Options{})}
	return w
}

func object(name string) *unstructured.Unstructured {
	o := kinds.Object(Kind)
	o.SetNamespace("rook-ceph")
	o.SetName(name)
	return o
}

func cephCluster() *unstructured.Unstructured {
	cluster := kinds.Object(kinds.CephCluster.WithVersion("v1"))
	cluster.SetNamespace("rook-ceph")
	cluster.SetName("my-cluster")
	cluster.SetUID("u")
	return cluster
}

func (w *world) looks(t *testing.T) {
	t.Helper()
	require.NoError(t, w.loop.look(t.Context()))
}

func (w *world) object(t *testing.T, name string) (*unstructured.Unstructured, Status) {
	t.Helper()
	found := object(name)
	require.NoError(t, w.Get(t.Context(), client.ObjectKeyFromObject(found), found))
	return found, ReadStatus(found)
}

func TestTheLeaderMakesTheObjectOfACephClusterWhichGoesWithIt(t *testing.T) {
	w := newWorld(t, "true", cephCluster())
	w.looks(t)
	made, status := w.object(t, "my-cluster")
	require.Equal(t, []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "my-cluster", UID: "u"}}, made.GetOwnerReferences())
	require.Equal(t, "true", made.GetLabels()[rook.ManagedLabel])
	require.Equal(t, "False (MonCountDiffers), False (MonCountDiffers), True (PeerTokenRight)", said(status))
	require.Len(t, w.logged, 1)

	before := w.writes
	w.looks(t)
	require.Equal(t, before, w.writes, "nothing has changed")
}

func TestWhatAnAdminMadeIsLeftAsItIsButForItsStatus(t *testing.T) {
	admins := object("my-cluster")
	admins.SetLabels(map[string]string{"argocd.argoproj.io/instance": "storage"})
	w := newWorld(t, "true", cephCluster(), admins, object("my-clustre"))
	w.looks(t)
	kept, status := w.object(t, "my-cluster")
	require.Empty(t, kept.GetOwnerReferences())
	require.Equal(t, map[string]string{"argocd.argoproj.io/instance": "storage"}, kept.GetLabels())
	require.Contains(t, said(status), "MonCountDiffers")
	_, misspelt := w.object(t, "my-clustre")
	require.Contains(t, said(misspelt), "CephClusterUnknown")
}

// Whoever may write in the namespace of a CephCluster can make any number of objects, each of a megabyte.
func TestObjectsOfStrangersCostTheLeaderNothing(t *testing.T) {
	objects := []client.Object{cephCluster()}
	for i := range 200 {
		objects = append(objects, object(fmt.Sprintf("a-stranger-%d", i)))
	}
	w := newWorld(t, "true", objects...)
	w.looks(t)
	_, status := w.object(t, "my-cluster")
	require.Contains(t, said(status), "MonCountDiffers", "that of the CephCluster is kept, be it the last")
	require.LessOrEqual(t, w.read, 10)
	require.LessOrEqual(t, w.writes, 10)

	w.read, w.writes = 0, 0
	w.looks(t)
	require.LessOrEqual(t, w.read, 10)
	require.Zero(t, w.writes)
}

func TestANamespaceThatIsSwitchedOnAndHasNoCephClusterYetIsTold(t *testing.T) {
	w := newWorld(t, "true", object("my-cluster"))
	w.looks(t)
	_, status := w.object(t, "my-cluster")
	require.Contains(t, said(status), "False (CephClusterUnknown)")
}

func TestWhereTheNamespaceIsOffNothingIsMadeAndWhatIsThereSaysSo(t *testing.T) {
	w := newWorld(t, "false", cephCluster(), object("my-cluster"))
	w.looks(t)
	_, status := w.object(t, "my-cluster")
	require.Contains(t, said(status), "False (NamespaceNotEnabled)")

	for _, others := range [][]client.Object{nil, {object("my-clustre")}} {
		w := newWorld(t, "false", append(others, cephCluster())...)
		w.looks(t)
		require.Error(t, w.Get(t.Context(), client.ObjectKeyFromObject(object("my-cluster")), object("my-cluster")))
	}
}

func TestWithoutTheKindTheLoopGoesOnAndSaysSoOnce(t *testing.T) {
	w := newWorld(t, "true", cephCluster())
	w.loop.live = interceptor.NewClient(w.WithWatch, interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
		return &meta.NoKindMatchError{GroupKind: Kind.GroupKind()}
	}})
	w.looks(t)
	w.looks(t)
	require.Zero(t, w.writes)
	require.Len(t, w.logged, 1)
}

func TestWhoDoesNotLeadTellsNothing(t *testing.T) {
	w := newWorld(t, "true", cephCluster())
	w.loop.term = recall.NewTerm()
	w.loop.log = logr.Discard()
	w.looks(t)
	require.Zero(t, w.writes)
}
