package exporter

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// markService notes on the Service of an OSD since when the OSD has been missed; the zero time takes the note away.
func (e *Ensurer) markService(ctx context.Context, daemon rook.Daemon, since time.Time) error {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: daemon.Namespace, Name: daemon.Name()}}
	var value *string
	if !since.IsZero() {
		value = new(since.UTC().Format(time.RFC3339))
	}
	if err := e.annotate(ctx, service, rook.OrphanedSinceAnnotation, value); err != nil {
		return fmt.Errorf("mark Service %s/%s: %w", daemon.Namespace, daemon.Name(), err)
	}
	return nil
}

// annotate sets one annotation of an object that is not applied as a whole; nil takes it away.
func (e *Ensurer) annotate(ctx context.Context, object client.Object, key string, value *string) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]*string{key: value}}})
	if err != nil {
		return err
	}
	return e.writer.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(rook.Manager))
}

// isDeployed says whether the daemon has a Deployment, by the API server's word.
func (e *Ensurer) isDeployed(ctx context.Context, daemon rook.Daemon) (bool, error) {
	found := &metav1.PartialObjectMetadata{}
	found.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("Deployment"))
	err := e.live.Get(ctx, types.NamespacedName{Namespace: daemon.Namespace, Name: daemon.Name()}, found)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for Deployment %s/%s: %w", daemon.Namespace, daemon.Name(), err)
	}
	return true, nil
}

// isExported says whether the daemon has an export, by the API server's word.
func (e *Ensurer) isExported(ctx context.Context, daemon rook.Daemon) (bool, error) {
	export, served := e.objectOf(daemon, false)
	if !served {
		return false, nil
	}
	err := e.live.Get(ctx, client.ObjectKeyFromObject(export), export)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for ServiceExport %s/%s: %w", daemon.Namespace, daemon.Name(), err)
	}
	return true, nil
}

// remove deletes an orphan if it is the very object, in the very state, that was decided on.
func (e *Ensurer) remove(ctx context.Context, daemon rook.Daemon, o orphan) error {
	object, served := e.objectOf(daemon, o.service)
	if !served {
		return nil
	}
	err := e.writer.Delete(ctx, object, client.Preconditions{UID: &o.uid, ResourceVersion: &o.resourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete %s %s/%s: %w", object.Kind, daemon.Namespace, daemon.Name(), err)
	}
	return nil
}

// objectOf returns the Service or the ServiceExport of a daemon by name, and whether its kind is served.
func (e *Ensurer) objectOf(daemon rook.Daemon, service bool) (*metav1.PartialObjectMetadata, bool) {
	gvk, served := corev1.SchemeGroupVersion.WithKind("Service"), true
	if !service {
		gvk, served = e.kinds.Served(kinds.ServiceExport)
	}
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(gvk)
	object.SetNamespace(daemon.Namespace)
	object.SetName(daemon.Name())
	return object, served
}
