package webhook

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// listen makes a signal of every change that can end a wait: of what is always there, and of what others install as soon as its
// kinds are.
func listen(mgr ctrl.Manager, subscribe func(func(schema.GroupVersionKind)), h *Handlers) error {
	// The handlers live as long as the cache; it does not take a context to end them earlier.
	ctx := context.Background()
	observe := func(object client.Object, concerned func(metav1.Object) string) error {
		informer, err := mgr.GetCache().GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err == nil {
			_, err = informer.AddEventHandler(h.changes.observe(concerned))
		}
		if err != nil {
			return fmt.Errorf("listen to changes of %T: %w", object, err)
		}
		return nil
	}
	for _, object := range []client.Object{&appsv1.Deployment{}, &corev1.Service{}} {
		if err := observe(object, metav1.Object.GetNamespace); err != nil {
			return err
		}
	}
	subscribe(func(gvk schema.GroupVersionKind) {
		concerned := h.concernedBy(gvk.GroupKind())
		if concerned == nil {
			return
		}
		if err := observe(kinds.Object(gvk), concerned); err != nil {
			mgr.GetLogger().Error(err, "Held requests will wait in vain", "kind", gvk.String())
		}
	})
	return nil
}

// ofDaemons are the kinds of which a daemon and its CephCluster are made.
var ofDaemons = []schema.GroupKind{
	{Group: appsv1.GroupName, Kind: "Deployment"}, {Group: corev1.GroupName, Kind: "Service"}, kinds.ServiceExport, kinds.CephCluster,
}

// concernedBy returns in which namespace a change of an object of the kind can end a wait; nil is nowhere. What bears an
// address out or speaks against it can reach a cache after the export that tells the address.
func (h *Handlers) concernedBy(kind schema.GroupKind) func(metav1.Object) string {
	if slices.Contains(ofDaemons, kind) {
		return metav1.Object.GetNamespace
	}
	i := slices.IndexFunc(h.reads, func(k kinds.Kind) bool { return k.GroupKind == kind })
	if i < 0 {
		return nil
	}
	return func(object metav1.Object) string {
		if service, one := h.reads[i].Service(object); one {
			return service.Namespace
		}
		return everywhere
	}
}
