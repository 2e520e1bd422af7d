package webhook

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// listen makes a signal of every change that can end a wait: of what is always there, and of ServiceExports and
// CephClusters as soon as their kinds are.
func listen(mgr ctrl.Manager, subscribe func(func(schema.GroupVersionKind)), changes *signals) error {
	// The handlers live as long as the cache; it does not take a context to end them earlier.
	ctx := context.Background()
	observe := func(object client.Object) error {
		informer, err := mgr.GetCache().GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err == nil {
			_, err = informer.AddEventHandler(changes.observe())
		}
		if err != nil {
			return fmt.Errorf("listen to changes of %T: %w", object, err)
		}
		return nil
	}
	for _, object := range []client.Object{&appsv1.Deployment{}, &corev1.Service{}} {
		if err := observe(object); err != nil {
			return err
		}
	}
	subscribe(func(gvk schema.GroupVersionKind) {
		if !endsWaits(gvk.GroupKind()) {
			return
		}
		if err := observe(kinds.Object(gvk)); err != nil {
			mgr.GetLogger().Error(err, "Held requests will wait in vain", "kind", gvk.String())
		}
	})
	return nil
}

func endsWaits(kind schema.GroupKind) bool {
	return kind == kinds.ServiceExport || kind == kinds.CephCluster
}
