package kinds

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
)

// Watch follows which kinds are served, and runs an informer of each while it is. It runs on every replica.
type Watch struct {
	// wanted are the kinds by the name of their CustomResourceDefinition.
	wanted map[string]Kind
	cache  cache.Cache
	log    logr.Logger
	queue  workqueue.TypedRateLimitingInterface[string]
	looked chan struct{}
	// list asks the API server for an object of a kind.
	list func(context.Context, schema.GroupVersionKind) error
	// retry is when a kind that may not be read is tried again.
	retry time.Duration

	mu      sync.Mutex
	watched map[schema.GroupKind]schema.GroupVersionKind
	// unreadable are the kinds that are served and may not be read.
	unreadable  map[schema.GroupKind]bool
	subscribers []func(schema.GroupVersionKind)
	onLoss      []func(schema.GroupKind)
}

// NewWatch returns a Watch of the kinds that the manager starts.
func NewWatch(mgr ctrl.Manager, wanted []Kind) (*Watch, error) {
	k := newWatch(mgr.GetCache(), lister(mgr.GetAPIReader()), mgr.GetLogger().WithName("kinds"), wanted)
	if err := mgr.Add(k); err != nil {
		return nil, fmt.Errorf("add the watch of kinds to the manager: %w", err)
	}
	return k, nil
}

func newWatch(c cache.Cache, list func(context.Context, schema.GroupVersionKind) error, log logr.Logger, wanted []Kind) *Watch {
	byDefinition := map[string]Kind{}
	for _, kind := range wanted {
		byDefinition[kind.definition()] = kind
	}
	return &Watch{
		wanted:  byDefinition,
		cache:   c,
		log:     log,
		queue:   workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
		looked:  make(chan struct{}),
		list:    list,
		retry:   time.Minute,
		watched: map[schema.GroupKind]schema.GroupVersionKind{},

		unreadable: map[schema.GroupKind]bool{},
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: admission needs the kinds on every replica.
func (*Watch) NeedLeaderElection() bool { return false }

// Served implements Installed.
func (k *Watch) Served(gk schema.GroupKind) (schema.GroupVersionKind, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	gvk, ok := k.watched[gk]
	return gvk, ok
}

// Wait implements Installed.
func (k *Watch) Wait(ctx context.Context) error {
	select {
	case <-k.looked:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the kinds that are served: %w", ctx.Err())
	}
}

// Ready is a check for readiness: it is known which kinds are served, and the informer of each has synced.
func (k *Watch) Ready(req *http.Request) error {
	select {
	case <-k.looked:
	default:
		return errors.New("the CustomResourceDefinitions have not been read yet")
	}
	k.mu.Lock()
	watched := slices.Collect(maps.Values(k.watched))
	k.mu.Unlock()
	for _, gvk := range watched {
		informer, err := k.cache.GetInformer(req.Context(), Object(gvk), cache.BlockUntilSynced(false))
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
func (k *Watch) Missing() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var missing []string
	for _, kind := range k.wanted {
		if _, ok := k.watched[kind.GroupKind]; kind.Needed && !ok {
			missing = append(missing, kind.String())
		}
	}
	slices.Sort(missing)
	return missing
}

// Subscribe calls the function for each kind whose informer runs, now and later. It is called again for a kind that was
// removed and came back, because its informer is a new one then.
func (k *Watch) Subscribe(f func(schema.GroupVersionKind)) {
	k.mu.Lock()
	k.subscribers = append(k.subscribers, f)
	watched := slices.Collect(maps.Values(k.watched))
	k.mu.Unlock()
	for _, gvk := range watched {
		f(gvk)
	}
}

// SubscribeLoss calls the function for each kind that is removed.
func (k *Watch) SubscribeLoss(f func(schema.GroupKind)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.onLoss = append(k.onLoss, f)
}

// Start follows the CustomResourceDefinitions until the context ends. It fails when the version in which a kind is
// watched is withdrawn, so that the process ends and its next start picks another.
func (k *Watch) Start(ctx context.Context) error {
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
	for name := range k.wanted {
		wake, err := k.look(ctx, name)
		if err != nil {
			k.tryAgain(name, err)
		}
		changes = append(changes, wake)
	}
	close(k.looked)
	// A subscriber may have to wait for who waits for this.
	for _, wake := range changes {
		wake()
	}
	if missing := k.Missing(); len(missing) > 0 {
		k.log.Info("Waiting for kinds that are not installed", "kinds", missing)
	}
	stop := context.AfterFunc(ctx, k.queue.ShutDown)
	defer stop()
	return k.work(ctx)
}

func (k *Watch) enqueue(object any) {
	name, err := toolscache.DeletionHandlingMetaNamespaceKeyFunc(object)
	if _, wanted := k.wanted[name]; err == nil && wanted {
		k.queue.Add(name)
	}
}

func (k *Watch) work(ctx context.Context) error {
	for {
		name, shutdown := k.queue.Get()
		if shutdown {
			return nil
		}
		wake, err := k.look(ctx, name)
		wake()
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
func (k *Watch) tryAgain(name string, err error) {
	k.log.Info("Kind cannot be watched yet, trying again", "customResourceDefinition", name, "tries", k.queue.NumRequeues(name)+1, "why", err.Error())
	k.queue.AddRateLimited(name)
}

// versionWithdrawn ends the process: informers, queues and waiters all hang on the version.
type versionWithdrawn struct{ watched schema.GroupVersionKind }

func (e *versionWithdrawn) Error() string {
	return fmt.Sprintf("%s is watched in version %s, which the API server no longer serves: a restart picks another version",
		e.watched.GroupKind(), e.watched.Version)
}

// look starts or ends the informer of a wanted kind as its CustomResourceDefinition says, and returns what wakes the
// subscribers of it.
func (k *Watch) look(ctx context.Context, name string) (wake func(), err error) {
	wanted := k.wanted[name]
	crd := &apiextensionsv1.CustomResourceDefinition{}
	err = k.cache.Get(ctx, types.NamespacedName{Name: name}, crd)
	if apierrors.IsNotFound(err) {
		return k.lose(ctx, wanted)
	}
	if err != nil {
		return nothing, fmt.Errorf("read CustomResourceDefinition %s: %w", name, err)
	}
	if watched, ok := k.Served(wanted.GroupKind); ok {
		if !serves(crd, watched.Version) {
			return nothing, &versionWithdrawn{watched: watched}
		}
		return nothing, nil
	}
	version, ok := pick(crd, wanted.Versions)
	if !ok {
		return nothing, nil
	}
	return k.find(ctx, wanted, wanted.WithVersion(version))
}

func nothing() {}

func (k *Watch) find(ctx context.Context, kind Kind, gvk schema.GroupVersionKind) (wake func(), err error) {
	if k.leftOut(ctx, kind, gvk) {
		return nothing, nil
	}
	// The informer is not waited for: whoever reads the kind waits for it.
	if _, err := k.cache.GetInformer(ctx, Object(gvk), cache.BlockUntilSynced(false)); err != nil {
		return nothing, fmt.Errorf("watch %s: %w", gvk, err)
	}
	for field, of := range kind.Indexes {
		if err := k.cache.IndexField(ctx, Object(gvk), field, of); err != nil {
			return nothing, fmt.Errorf("index %s by %s: %w", gvk, field, err)
		}
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

func (k *Watch) lose(ctx context.Context, wanted Kind) (wake func(), err error) {
	gvk, ok := k.Served(wanted.GroupKind)
	if !ok {
		return nothing, nil
	}
	// Without its informer's end, the log would fill with its vain attempts to list the kind.
	if err := k.cache.RemoveInformer(ctx, Object(gvk)); err != nil {
		return nothing, fmt.Errorf("end the watch of %s: %w", gvk, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.watched, wanted.GroupKind)
	k.log.Info("Kind is no longer installed", "kind", wanted.String(), "needed", wanted.Needed)
	onLoss := slices.Clone(k.onLoss)
	return func() {
		for _, f := range onLoss {
			f(wanted.GroupKind)
		}
	}, nil
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
