package kinds

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/stretchr/testify/require"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache/informertest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllertest"
)

const exportsCRD = "serviceexports.multicluster.x-k8s.io"

var wanted = []Kind{
	{GroupKind: CephCluster, Plural: "cephclusters", Versions: []string{"v1"}, Needed: true},
	{GroupKind: ServiceExport, Plural: "serviceexports", Versions: []string{"v1beta1", "v1alpha1"}, Needed: true},
}

// definitions is a cache that holds CustomResourceDefinitions, and informers that do nothing.
type definitions struct {
	informertest.FakeInformers
	mu      sync.Mutex
	objects map[string]*apiextensionsv1.CustomResourceDefinition
	// unwatchable is what starting an informer of a kind fails with.
	unwatchable map[schema.GroupKind]error
	// forbidden are the kinds that may not be read.
	forbidden map[schema.GroupKind]bool
	running   map[schema.GroupVersionKind]bool
}

func newDefinitions(t *testing.T) *definitions {
	scheme := runtime.NewScheme()
	require.NoError(t, apiextensionsv1.AddToScheme(scheme))
	return &definitions{
		FakeInformers: informertest.FakeInformers{Scheme: scheme},
		objects:       map[string]*apiextensionsv1.CustomResourceDefinition{},
		unwatchable:   map[schema.GroupKind]error{},
		forbidden:     map[schema.GroupKind]bool{},
		running:       map[schema.GroupVersionKind]bool{},
	}
}

func (d *definitions) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	crd, ok := d.objects[key.Name]
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	crd.DeepCopyInto(object.(*apiextensionsv1.CustomResourceDefinition))
	return nil
}

func (d *definitions) GetInformer(ctx context.Context, object client.Object, opts ...cache.InformerGetOption) (cache.Informer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, isDefinition := object.(*apiextensionsv1.CustomResourceDefinition); isDefinition {
		return d.FakeInformers.GetInformer(ctx, object, opts...)
	}
	gvk := object.GetObjectKind().GroupVersionKind()
	if err := d.unwatchable[gvk.GroupKind()]; err != nil {
		return nil, err
	}
	d.running[gvk] = true
	return controllertest.NewFakeInformer(controllertest.Synced), nil
}

func (d *definitions) RemoveInformer(_ context.Context, object client.Object) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.running, object.GetObjectKind().GroupVersionKind())
	return nil
}

// list is what the API server says when a kind is listed.
func (d *definitions) list(_ context.Context, gvk schema.GroupVersionKind) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.forbidden[gvk.GroupKind()] {
		return apierrors.NewForbidden(schema.GroupResource{Group: gvk.Group, Resource: "serviceimports"}, "", errors.New("no rule allows it"))
	}
	return nil
}

func (d *definitions) runs(gvk schema.GroupVersionKind) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.running[gvk]
}

// set stores a definition, or removes it if it serves nothing, and tells the informer.
func (d *definitions) set(t *testing.T, name string, served ...string) {
	t.Helper()
	crd := definition(name, served...)
	d.mu.Lock()
	old := d.objects[name]
	d.objects[name] = crd
	if len(served) == 0 {
		delete(d.objects, name)
	}
	informer, err := d.FakeInformers.FakeInformerFor(t.Context(), &apiextensionsv1.CustomResourceDefinition{})
	d.mu.Unlock()
	require.NoError(t, err)
	switch {
	case len(served) == 0:
		informer.Delete(crd)
	case old == nil:
		informer.Add(crd)
	default:
		informer.Update(old, crd)
	}
}

func definition(name string, served ...string) *apiextensionsv1.CustomResourceDefinition {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	crd.Name = name
	for _, version := range served {
		crd.Spec.Versions = append(crd.Spec.Versions, apiextensionsv1.CustomResourceDefinitionVersion{Name: version, Served: true})
	}
	crd.Status.Conditions = []apiextensionsv1.CustomResourceDefinitionCondition{
		{Type: apiextensionsv1.Established, Status: apiextensionsv1.ConditionTrue},
	}
	return crd
}

// running starts a Watch and returns what it ended with.
func running(t *testing.T, d *definitions) (*Watch, <-chan error) {
	t.Helper()
	k := newWatch(d, d.list, testr.New(t), wanted)
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended <- k.Start(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	require.NoError(t, k.Wait(ctx))
	return k, ended
}

func eventually(t *testing.T, what func() bool) {
	t.Helper()
	require.Eventually(t, what, 5*time.Second, time.Millisecond)
}

func TestTheBestServedVersionOfAKindIsWatched(t *testing.T) {
	for name, c := range map[string]struct {
		served []string
		want   string
	}{
		"the newer where both are served": {[]string{"v1alpha1", "v1beta1"}, "v1beta1"},
		"the older where only it is":      {[]string{"v1alpha1"}, "v1alpha1"},
		"none that is not known here":     {[]string{"v2"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDefinitions(t)
			d.objects[exportsCRD] = definition(exportsCRD, c.served...)
			k, _ := running(t, d)
			gvk, served := k.Served(ServiceExport)
			require.Equal(t, c.want, gvk.Version)
			require.Equal(t, c.want != "", served)
			require.Equal(t, c.want != "", d.runs(gvk))
		})
	}
}

func TestADefinitionThatIsNotEstablishedIsWaitedFor(t *testing.T) {
	d := newDefinitions(t)
	d.objects[exportsCRD] = definition(exportsCRD, "v1alpha1")
	d.objects[exportsCRD].Status.Conditions = nil
	k, _ := running(t, d)
	require.Len(t, k.Missing(), 2)
	d.set(t, exportsCRD, "v1alpha1")
	eventually(t, func() bool { return len(k.Missing()) == 1 })
}

func TestAKindThatComesAndGoesAndComesAgain(t *testing.T) {
	d := newDefinitions(t)
	k, _ := running(t, d)
	require.Equal(t, []string{"CephCluster.ceph.rook.io", "ServiceExport.multicluster.x-k8s.io"}, k.Missing())
	var mu sync.Mutex
	var came []schema.GroupVersionKind
	var gone []schema.GroupKind
	k.Subscribe(func(gvk schema.GroupVersionKind) {
		mu.Lock()
		defer mu.Unlock()
		came = append(came, gvk)
	})
	k.SubscribeLoss(func(gk schema.GroupKind) {
		mu.Lock()
		defer mu.Unlock()
		gone = append(gone, gk)
	})
	alpha, beta := ServiceExport.WithVersion("v1alpha1"), ServiceExport.WithVersion("v1beta1")
	sofar := func() []schema.GroupVersionKind {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(came)
	}

	d.set(t, exportsCRD, "v1alpha1")
	eventually(t, func() bool { return slices.Equal(sofar(), []schema.GroupVersionKind{alpha}) })
	d.set(t, exportsCRD, "v1alpha1", "v1beta1")
	d.set(t, exportsCRD)
	eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.Equal(gone, []schema.GroupKind{ServiceExport})
	})
	_, served := k.Served(ServiceExport)
	require.False(t, served)
	require.False(t, d.runs(alpha), "its informer would fill the log")
	d.set(t, exportsCRD, "v1beta1")
	eventually(t, func() bool { return slices.Equal(sofar(), []schema.GroupVersionKind{alpha, beta}) })

	late := make(chan schema.GroupVersionKind, 1)
	k.Subscribe(func(gvk schema.GroupVersionKind) { late <- gvk })
	require.Equal(t, beta, <-late)
}

func TestTheProcessEndsWhenTheVersionInUseIsWithdrawn(t *testing.T) {
	d := newDefinitions(t)
	d.objects[exportsCRD] = definition(exportsCRD, "v1alpha1")
	_, ended := running(t, d)
	d.set(t, exportsCRD, "v1beta1")
	select {
	case err := <-ended:
		require.EqualError(t, err, "ServiceExport.multicluster.x-k8s.io is watched in version v1alpha1, "+
			"which the API server no longer serves: a restart picks another version")
	case <-time.After(5 * time.Second):
		require.Fail(t, "it goes on")
	}
}

func TestAKindThatCannotBeWatchedYetIsTriedAgain(t *testing.T) {
	d := newDefinitions(t)
	d.objects[exportsCRD] = definition(exportsCRD, "v1alpha1")
	d.unwatchable[ServiceExport] = errors.New("no matches for kind")
	k, _ := running(t, d)
	require.Len(t, k.Missing(), 2)
	d.mu.Lock()
	delete(d.unwatchable, ServiceExport)
	d.mu.Unlock()
	eventually(t, func() bool { return len(k.Missing()) == 1 })
}

func TestASubscriberMayWaitForTheKinds(t *testing.T) {
	d := newDefinitions(t)
	d.objects[exportsCRD] = definition(exportsCRD, "v1alpha1")
	k := newWatch(d, d.list, testr.New(t), wanted)
	told := make(chan error, 1)
	k.Subscribe(func(schema.GroupVersionKind) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		told <- k.Wait(ctx)
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = k.Start(ctx) }()
	require.NoError(t, <-told)
}

func TestKindsAreNotReadyBeforeTheyHaveLooked(t *testing.T) {
	d := newDefinitions(t)
	k := newWatch(d, d.list, testr.New(t), wanted)
	require.Error(t, k.Ready(httptest.NewRequest("GET", "/readyz", nil)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, k.Wait(ctx), context.Canceled)

	k, _ = running(t, d)
	require.NoError(t, k.Ready(httptest.NewRequest("GET", "/readyz", nil)))
	require.False(t, k.NeedLeaderElection())
}

func TestAnOptionalKindThatMayNotBeReadIsLeftOutAndTriedAgain(t *testing.T) {
	imports := Kind{GroupKind: schema.GroupKind{Group: ServiceExport.Group, Kind: "ServiceImport"}, Plural: "serviceimports", Versions: []string{"v1alpha1"}}
	d := newDefinitions(t)
	d.objects[imports.definition()] = definition(imports.definition(), "v1alpha1")
	d.forbidden[imports.GroupKind] = true
	k := newWatch(d, d.list, testr.New(t), append([]Kind{imports}, wanted...))
	k.retry = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = k.Start(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	require.NoError(t, k.Wait(ctx))
	_, served := k.Served(imports.GroupKind)
	require.False(t, served)
	require.False(t, d.runs(imports.WithVersion("v1alpha1")), "its informer would never sync")
	require.Equal(t, []string{"ServiceImport.multicluster.x-k8s.io"}, k.Unreadable())
	require.NoError(t, k.Ready(httptest.NewRequest("GET", "/readyz", nil)))

	d.mu.Lock()
	delete(d.forbidden, imports.GroupKind)
	d.mu.Unlock()
	eventually(t, func() bool {
		_, served := k.Served(imports.GroupKind)
		return served && len(k.Unreadable()) == 0
	})
}

func TestAKindThatNothingCanBeDoneWithoutIsWaitedForThoughItMayNotBeRead(t *testing.T) {
	d := newDefinitions(t)
	d.objects[exportsCRD] = definition(exportsCRD, "v1alpha1")
	d.forbidden[ServiceExport] = true
	k, _ := running(t, d)
	_, served := k.Served(ServiceExport)
	require.True(t, served)
	require.Empty(t, k.Unreadable())
}
