package exporter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/go-logr/logr"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// CephCluster is the kind that owns the daemons.
var CephCluster = schema.GroupKind{Group: rook.CephGroup, Kind: rook.CephClusterKind}

// wantedKinds are the kinds that others install, by the name of their CustomResourceDefinition.
var wantedKinds = map[string]wantedKind{
	"cephclusters.ceph.rook.io":            {kind: CephCluster, versions: []string{rook.CephAPIVersion}, needed: true},
	"serviceexports.multicluster.x-k8s.io": {kind: resolver.ServiceExport, versions: []string{"v1beta1", "v1alpha1"}, needed: true},
	"serviceimports.multicluster.x-k8s.io": {kind: resolver.ServiceImport, versions: []string{"v1beta1", "v1alpha1"}},
	"globalingressips.submariner.io":       {kind: resolver.GlobalIngressIP, versions: []string{"v1"}},
	"submariners.submariner.io":            {kind: resolver.Submariner, versions: []string{"v1alpha1"}},
	"clusters.submariner.io":               {kind: resolver.SubmarinerCluster, versions: []string{"v1"}},
	"clusterproperties.about.k8s.io":       {kind: resolver.ClusterProperty, versions: []string{"v1beta1", "v1alpha1"}},
}

type wantedKind struct {
	kind schema.GroupKind
	// versions are those that can be read here, the best first.
	versions []string
	// needed says that nothing can be done without the kind.
	needed bool
}

// Kinds follows which of the kinds that others install are served, and runs an informer of each while it is: a cluster
// may get its Rook or its MCS implementation later than us. It runs on every replica.
type Kinds struct {
	cache  cache.Cache
	log    logr.Logger
	queue  workqueue.TypedRateLimitingInterface[string]
	looked chan struct{}

	mu          sync.Mutex
	watched     map[schema.GroupKind]schema.GroupVersionKind
	subscribers []func(schema.GroupVersionKind)
	onLoss      []func(schema.GroupKind)
}

// NeededKinds returns the kinds without which nothing can be done.
func NeededKinds() []schema.GroupKind {
	var needed []schema.GroupKind
	for _, wanted := range wantedKinds {
		if wanted.needed {
			needed = append(needed, wanted.kind)
		}
	}
	slices.SortFunc(needed, func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
	return needed
}

// NewKinds returns a Kinds that the manager starts.
func NewKinds(mgr ctrl.Manager) (*Kinds, error) {
	k := newKinds(mgr.GetCache(), mgr.GetLogger().WithName("kinds"))
	if err := mgr.Add(k); err != nil {
		return nil, fmt.Errorf("add the watch of kinds to the manager: %w", err)
	}
	return k, nil
}

func newKinds(c cache.Cache, log logr.Logger) *Kinds {
	return &Kinds{
		cache:   c,
		log:     log,
		queue:   workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
		looked:  make(chan struct{}),
		watched: map[schema.GroupKind]schema.GroupVersionKind{},
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: admission needs the kinds on every replica.
func (*Kinds) NeedLeaderElection() bool { return false }

// Served returns the version in which a kind is watched, or false while the kind is not installed.
func (k *Kinds) Served(gk schema.GroupKind) (schema.GroupVersionKind, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	gvk, ok := k.watched[gk]
	return gvk, ok
}

// Wait returns once it is known which kinds are served: before, a kind that is there would be taken for missing.
func (k *Kinds) Wait(ctx context.Context) error {
	select {
	case <-k.looked:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the kinds that are served: %w", ctx.Err())
	}
}

// Ready is a check for readiness: it is known which kinds are served, and the informer of each has synced.
func (k *Kinds) Ready(req *http.Request) error {
	select {
	case <-k.looked:
	default:
		return errors.New("the CustomResourceDefinitions have not been read yet")
	}
	k.mu.Lock()
	watched := slices.Collect(maps.Values(k.watched))
	k.mu.Unlock()
	for _, gvk := range watched {
		informer, err := k.cache.GetInformer(req.Context(), objectOf(gvk), cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("watch %s: %w", gvk, err)
		}
		if !informer.HasSynced() {
			return fmt.Errorf("the cache of %s has not synced yet", gvk)
		}
	}
	return nil
}

// Missing returns the needed kinds that are not installed, sorted.
func (k *Kinds) Missing() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var missing []string
	for _, wanted := range wantedKinds {
		if _, ok := k.watched[wanted.kind]; wanted.needed && !ok {
			missing = append(missing, wanted.kind.String())
		}
	}
	slices.Sort(missing)
	return missing
}

// Subscribe calls the function for each kind whose informer runs, now and later. It is called again for a kind that was
// removed and came back, because its informer is a new one then.
func (k *Kinds) Subscribe(f func(schema.GroupVersionKind)) {
	k.mu.Lock()
	k.subscribers = append(k.subscribers, f)
	watched := slices.Collect(maps.Values(k.watched))
	k.mu.Unlock()
	for _, gvk := range watched {
		f(gvk)
	}
}

// subscribeLoss calls the function for each kind that is removed.
func (k *Kinds) subscribeLoss(f func(schema.GroupKind)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.onLoss = append(k.onLoss, f)
}

// Start follows the CustomResourceDefinitions until the context ends. It fails when the version in which a kind is
// watched is withdrawn, so that the process ends and its next start picks another.
func (k *Kinds) Start(ctx context.Context) error {
	defer k.queue.ShutDown()
	informer, err := k.cache.GetInformer(ctx, &apiextensionsv1.CustomResourceDefinition{})
	if err != nil {
		return fmt.Errorf("watch CustomResourceDefinitions: %w", err)
	}
	if _, err := informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    k.enqueue,
		UpdateFunc: func(_, object any) { k.enqueue(object) },
		DeleteFunc: k.enqueue,
	}); err != nil {
		return fmt.Errorf("watch CustomResourceDefinitions: %w", err)
	}
	var changes []func()
	for name := range wantedKinds {
		tell, err := k.look(ctx, name)
		if err != nil {
			k.tryAgain(name, err)
		}
		changes = append(changes, tell)
	}
	close(k.looked)
	// A subscriber may have to wait for who waits for this.
	for _, tell := range changes {
		tell()
	}
	if missing := k.Missing(); len(missing) > 0 {
		k.log.Info("Waiting for kinds that are not installed", "kinds", missing)
	}
	stop := context.AfterFunc(ctx, k.queue.ShutDown)
	defer stop()
	return k.work(ctx)
}

func (k *Kinds) enqueue(object any) {
	name, err := toolscache.DeletionHandlingMetaNamespaceKeyFunc(object)
	if _, wanted := wantedKinds[name]; err == nil && wanted {
		k.queue.Add(name)
	}
}

func (k *Kinds) work(ctx context.Context) error {
	for {
		name, shutdown := k.queue.Get()
		if shutdown {
			return nil
		}
		tell, err := k.look(ctx, name)
		tell()
		k.queue.Done(name)
		if _, withdrawn := errors.AsType[*versionWithdrawn](err); withdrawn {
			return err
		}
		switch {
		case err == nil:
			k.queue.Forget(name)
		case ctx.Err() == nil:
			k.tryAgain(name, err)
		}
	}
}

// tryAgain is no matter of concern at first: the API server serves a new kind a moment after it calls it established.
func (k *Kinds) tryAgain(name string, err error) {
	k.log.Info("Kind cannot be watched yet, trying again", "customResourceDefinition", name, "tries", k.queue.NumRequeues(name)+1, "why", err.Error())
	k.queue.AddRateLimited(name)
}

// versionWithdrawn ends the process: informers, queues and waiters all hang on the version.
type versionWithdrawn struct{ watched schema.GroupVersionKind }

func (e *versionWithdrawn) Error() string {
	return fmt.Sprintf("%s is watched in version %s, which the API server no longer serves: a restart picks another version",
		e.watched.GroupKind(), e.watched.Version)
}

// look starts or ends the informer of a wanted kind as its CustomResourceDefinition says, and returns what tells the
// subscribers of it.
func (k *Kinds) look(ctx context.Context, name string) (tell func(), err error) {
	wanted := wantedKinds[name]
	crd := &apiextensionsv1.CustomResourceDefinition{}
	err = k.cache.Get(ctx, types.NamespacedName{Name: name}, crd)
	if apierrors.IsNotFound(err) {
		return k.lose(ctx, wanted)
	}
	if err != nil {
		return nothing, fmt.Errorf("read CustomResourceDefinition %s: %w", name, err)
	}
	if watched, ok := k.Served(wanted.kind); ok {
		if !serves(crd, watched.Version) {
			return nothing, &versionWithdrawn{watched: watched}
		}
		return nothing, nil
	}
	version, ok := pick(crd, wanted.versions)
	if !ok {
		return nothing, nil
	}
	return k.find(ctx, wanted.kind.WithVersion(version))
}

func nothing() {}

func (k *Kinds) find(ctx context.Context, gvk schema.GroupVersionKind) (tell func(), err error) {
	// The informer is not waited for: whoever reads the kind waits for it.
	if _, err := k.cache.GetInformer(ctx, objectOf(gvk), cache.BlockUntilSynced(false)); err != nil {
		return nothing, fmt.Errorf("watch %s: %w", gvk, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.watched[gvk.GroupKind()] = gvk
	k.log.Info("Kind is watched", "kind", gvk.GroupKind().String(), "version", gvk.Version)
	subscribers := slices.Clone(k.subscribers)
	return func() {
		for _, f := range subscribers {
			f(gvk)
		}
	}, nil
}

func (k *Kinds) lose(ctx context.Context, wanted wantedKind) (tell func(), err error) {
	gvk, ok := k.Served(wanted.kind)
	if !ok {
		return nothing, nil
	}
	// Without its informer's end, the log would fill with its vain attempts to list the kind.
	if err := k.cache.RemoveInformer(ctx, objectOf(gvk)); err != nil {
		return nothing, fmt.Errorf("end the watch of %s: %w", gvk, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.watched, wanted.kind)
	k.log.Info("Kind is no longer installed", "kind", wanted.kind.String(), "needed", wanted.needed)
	onLoss := slices.Clone(k.onLoss)
	return func() {
		for _, f := range onLoss {
			f(wanted.kind)
		}
	}, nil
}

func objectOf(gvk schema.GroupVersionKind) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	return u
}

// pick returns the best version that an established CustomResourceDefinition serves.
func pick(crd *apiextensionsv1.CustomResourceDefinition, versions []string) (string, bool) {
	if !established(crd) {
		return "", false
	}
	i := slices.IndexFunc(versions, func(version string) bool { return serves(crd, version) })
	if i < 0 {
		return "", false
	}
	return versions[i], true
}

func serves(crd *apiextensionsv1.CustomResourceDefinition, version string) bool {
	return slices.ContainsFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
		return v.Name == version && v.Served
	})
}

func established(crd *apiextensionsv1.CustomResourceDefinition) bool {
	return slices.ContainsFunc(crd.Status.Conditions, func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
		return c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue
	})
}
