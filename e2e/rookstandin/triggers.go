package rookstandin

import (
	"context"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// watchTriggers watches what makes Rook reconcile: the CephCluster, and the end of what it owns.
func (o *Operator) watchTriggers(ctx context.Context) error {
	lists := []func() client.ObjectList{
		func() client.ObjectList {
			list := &unstructured.UnstructuredList{}
			list.SetGroupVersionKind(CephClusterKind)
			return list
		},
		func() client.ObjectList { return &appsv1.DeploymentList{} },
		func() client.ObjectList { return &corev1.ConfigMapList{} },
		func() client.ObjectList { return &corev1.ServiceList{} },
		func() client.ObjectList { return &corev1.SecretList{} },
	}
	for _, list := range lists {
		f, err := follow(ctx, o.options.Client, list, client.InNamespace(o.options.Namespace))
		if err != nil {
			return err
		}
		t := newTriggers(ctx, o)
		o.running.Go(func() { f.run(ctx, t.see) })
	}
	return nil
}

// triggers are the predicates of Rook's watches.
type triggers struct {
	// ctx is that of the operator, for the runs that begin after a change.
	ctx         context.Context
	operator    *Operator
	generations map[string]int64
	specs       map[string]corev1.ServiceSpec
	secrets     map[string]map[string][]byte
}

func newTriggers(ctx context.Context, o *Operator) *triggers {
	return &triggers{
		ctx: ctx, operator: o, generations: map[string]int64{},
		specs: map[string]corev1.ServiceSpec{}, secrets: map[string]map[string][]byte{},
	}
}

func (t *triggers) see(event watch.EventType, object client.Object) {
	switch object := object.(type) {
	case *unstructured.Unstructured:
		if object.GroupVersionKind() == CephClusterKind {
			t.seeCluster(event, object)
		}
	case *corev1.Service:
		t.seeService(event, object)
	case *corev1.Secret:
		t.seeSecret(event, object)
	default:
		_, canary := object.GetLabels()[canaryLabel]
		if event == watch.Deleted && owned(object) && !canary && !isPrepareStatus(object) {
			t.fire(object, "deleted")
		}
	}
}

func (t *triggers) seeCluster(event watch.EventType, u *unstructured.Unstructured) {
	if event == watch.Deleted {
		delete(t.generations, u.GetName())
		t.operator.forgetCluster(t.ctx)
		return
	}
	seen, known := t.generations[u.GetName()]
	t.generations[u.GetName()] = u.GetGeneration()
	switch {
	case !known:
		t.operator.controlCSI(t.ctx)
		t.fire(u, "created")
	case seen != u.GetGeneration():
		t.operator.restart(t.ctx)
		t.fire(u, "its spec changed")
	}
}

func (t *triggers) seeService(event watch.EventType, service *corev1.Service) {
	if event == watch.Deleted {
		delete(t.specs, service.Name)
		if owned(service) {
			t.fire(service, "deleted")
		}
		return
	}
	seen, known := t.specs[service.Name]
	t.specs[service.Name] = service.Spec
	if known && owned(service) && !equality.Semantic.DeepEqual(seen, service.Spec) {
		t.fire(service, "its spec changed")
	}
}

// seeSecret leaves out the Secrets that Rook writes for the daemons alone; that for the peers is none of them.
func (t *triggers) seeSecret(event watch.EventType, secret *corev1.Secret) {
	seen, known := t.secrets[secret.Name]
	t.secrets[secret.Name] = secret.Data
	switch {
	case !owned(secret):
	case event == watch.Deleted:
		delete(t.secrets, secret.Name)
		t.fire(secret, "deleted")
	case secret.Name == ConfigSecret, strings.HasSuffix(secret.Name, "-keyring"):
	case known && !equality.Semantic.DeepEqual(seen, secret.Data):
		t.fire(secret, "its data changed")
	}
}

func (t *triggers) fire(object client.Object, why string) {
	kind, name := t.operator.write.describe(object)
	t.operator.journal.add(Triggered, kind, name, "%s", why)
	t.operator.Reconcile()
}

func owned(object client.Object) bool {
	for _, owner := range object.GetOwnerReferences() {
		if owner.Kind == CephClusterKind.Kind && owner.APIVersion == CephClusterKind.GroupVersion().String() {
			return true
		}
	}
	return false
}

// forgetCluster ends everything that is about a CephCluster that was deleted.
func (o *Operator) forgetCluster(ctx context.Context) {
	o.restart(ctx)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.monitoring = false
}
