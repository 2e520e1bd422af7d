package main

import (
	"context"
	"reflect"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// statusWriter writes the status and nothing else.
type statusWriter struct {
	client.SubResourceClient
	api *apiServer
}

// Update implements client.SubResourceWriter.
func (s statusWriter) Update(ctx context.Context, o client.Object, _ ...client.SubResourceUpdateOption) error {
	gk, key := kindOf(o), client.ObjectKeyFromObject(o)
	stored, ok := s.api.store.get(gk, key).(*unstructured.Unstructured)
	if !ok {
		return notFound(gk, key.Name)
	}
	updated := stored.DeepCopy()
	written, _ := o.DeepCopyObject().(*unstructured.Unstructured)
	updated.Object["status"] = written.Object["status"]
	s.api.replace(ctx, gk, key, stored, updated)
	return nil
}

// foldSecret does what the API server does before admission.
func foldSecret(o client.Object) {
	secret, ok := o.(*corev1.Secret)
	if !ok || len(secret.StringData) == 0 {
		return
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	for key, text := range secret.StringData {
		secret.Data[key] = []byte(text)
	}
	secret.StringData = nil
}

// completeUpdate gives an update what its writer cannot change.
func completeUpdate(incoming, stored client.Object) error {
	incoming.SetUID(stored.GetUID())
	incoming.SetCreationTimestamp(stored.GetCreationTimestamp())
	incoming.SetDeletionTimestamp(stored.GetDeletionTimestamp())
	incoming.SetGeneration(stored.GetGeneration())
	incoming.SetResourceVersion(stored.GetResourceVersion())
	switch incoming := incoming.(type) {
	case *corev1.Service:
		before := stored.(*corev1.Service)
		if ip := incoming.Spec.ClusterIP; ip != "" && ip != before.Spec.ClusterIP {
			return apierrors.NewInvalid(serviceKind, incoming.Name, nil)
		}
		incoming.Spec.ClusterIP, incoming.Spec.ClusterIPs = before.Spec.ClusterIP, before.Spec.ClusterIPs
	case *appsv1.Deployment:
		incoming.Status = stored.(*appsv1.Deployment).Status
	case *unstructured.Unstructured:
		if status, ok := stored.(*unstructured.Unstructured).Object["status"]; ok {
			incoming.Object["status"] = runtime.DeepCopyJSONValue(status)
		} else {
			delete(incoming.Object, "status")
		}
	}
	return nil
}

func specDiffers(a, b client.Object) bool {
	switch a := a.(type) {
	case *appsv1.Deployment:
		return !equality.Semantic.DeepEqual(a.Spec, b.(*appsv1.Deployment).Spec)
	case *unstructured.Unstructured:
		return !equality.Semantic.DeepEqual(a.Object["spec"], b.(*unstructured.Unstructured).Object["spec"])
	}
	return false
}

// emptyLike returns an empty object of the same Go type.
func emptyLike(o client.Object) client.Object {
	return reflect.New(reflect.TypeOf(o).Elem()).Interface().(client.Object)
}
