package rookstandin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/follow"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// watchTriggers watches what makes Rook reconcile: the CephCluster, and the end of what it owns.
func (o *Operator) watchTriggers(ctx context.Context) error {
	for _, list := range []client.ObjectList{
		shapes.ListOf(CephClusterKind), &appsv1.DeploymentList{}, &corev1.ConfigMapList{}, &corev1.ServiceList{}, &corev1.SecretList{},
	} {
		run, err := follow.Start(ctx, o.options.Client, list, (&triggers{o, map[string]any{}}).see, client.InNamespace(o.options.Namespace))
		if err != nil {
			return err
		}
		o.running.Go(run)
	}
	return nil
}

// triggers are the predicates of Rook's watches.
type triggers struct {
	operator *Operator
	// seen holds what told a change last, by kind and name.
	seen map[string]any
}

func (t *triggers) see(ctx context.Context, event watch.EventType, object client.Object) {
	u, custom := object.(*unstructured.Unstructured)
	cluster := custom && u.GroupVersionKind() == CephClusterKind
	key := fmt.Sprintf("%T %s", object, object.GetName())
	before, known := t.seen[key]
	now := changing(object)
	changed := known && !equality.Semantic.DeepEqual(before, now)
	if delete(t.seen, key); event != watch.Deleted && now != nil {
		t.seen[key] = now
	}
	switch {
	case custom && !cluster:
	case cluster && event == watch.Deleted:
		t.operator.restart(ctx)
		t.operator.monitoring.Store(false)
	case cluster && !known:
		t.operator.controlCSI(ctx)
		t.fire(object, "created")
	case cluster && changed:
		t.operator.restart(ctx)
		t.fire(object, "its spec changed")
	case cluster, !owned(object), shapes.IsCanary(object), isPrepareStatus(object):
	case event == watch.Deleted:
		t.fire(object, "deleted")
	case changed:
		t.fire(object, "it changed")
	}
}

// changing returns what of an object makes Rook reconcile when it changes, nil where only its end does. The Secrets that Rook writes
// for the daemons alone are left out; that for the peers is none of them.
func changing(object client.Object) any {
	switch o := object.(type) {
	case *unstructured.Unstructured:
		return o.GetGeneration()
	case *corev1.Service:
		return o.Spec
	case *corev1.Secret:
		if o.Name != ConfigSecret && !strings.HasSuffix(o.Name, "-keyring") {
			return o.Data
		}
	}
	return nil
}

func (t *triggers) fire(object client.Object, why string) {
	kind, name := t.operator.write.describe(object)
	t.operator.journal.add(Triggered, kind, name, "%s", why)
	t.operator.Reconcile()
}

func owned(object client.Object) bool {
	return slices.ContainsFunc(object.GetOwnerReferences(), func(owner metav1.OwnerReference) bool {
		return owner.Kind == CephClusterKind.Kind && owner.APIVersion == CephClusterKind.GroupVersion().String()
	})
}
