package exporter

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Ensurer makes the writes that admission needs at once, without waiting for the leader's reconcile loop. Every replica
// may make them: each is idempotent.
type Ensurer struct {
	writer client.Writer
	live   client.Reader
	kinds  kinds.Installed
}

// NewEnsurer returns an Ensurer that writes with the client and looks at what it would overwrite with the live reader.
func NewEnsurer(writer client.Writer, live client.Reader, installed kinds.Installed) *Ensurer {
	return &Ensurer{writer: writer, live: live, kinds: installed}
}

// EnsureExport sees to it that the ServiceExport of a daemon exists, and for an OSD the Service that it exports. One that
// others created is left alone; the error then is a *reason.Error.
func (e *Ensurer) EnsureExport(ctx context.Context, daemon rook.Daemon, cluster rook.Cluster) error {
	gvk, ok := e.kinds.Served(kinds.ServiceExport)
	if !ok {
		return reason.Errorf(reason.NoServiceExportKind, "%s/%s", daemon.Namespace, daemon.Name())
	}
	if daemon.Type.ServiceIsOurs() {
		if err := e.applyService(ctx, rook.OSDService(daemon, cluster)); err != nil {
			return err
		}
	}
	return e.createExport(ctx, newExport(gvk, daemon))
}

// applyService creates the Service of an OSD or brings it to what it should be.
func (e *Ensurer) applyService(ctx context.Context, service *corev1.Service) error {
	key := client.ObjectKeyFromObject(service)
	existing := &metav1.PartialObjectMetadata{}
	existing.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Service"))
	// The cache holds only Services with Rook's labels, so that it cannot tell a free name from a taken one.
	switch err := e.live.Get(ctx, key, existing); {
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("ensure Service %s: %w", key, err)
	case err == nil && !ours(existing):
		return reason.Errorf(reason.ServiceForeign, "%s", key)
	}
	if err := e.apply(ctx, service); err != nil {
		return fmt.Errorf("ensure Service %s: %w", key, err)
	}
	return nil
}

// createExport creates a ServiceExport. It does not apply one, for that would take away the annotations that the leader
// applied in the meantime.
func (e *Ensurer) createExport(ctx context.Context, export *unstructured.Unstructured) error {
	key := client.ObjectKeyFromObject(export)
	err := e.writer.Create(ctx, export, client.FieldOwner(rook.Manager))
	if err == nil {
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("ensure ServiceExport %s: %w", key, err)
	}
	existing := &metav1.PartialObjectMetadata{}
	existing.SetGroupVersionKind(export.GroupVersionKind())
	if err := e.live.Get(ctx, key, existing); err != nil {
		return fmt.Errorf("ensure ServiceExport %s: %w", key, err)
	}
	if !ours(existing) {
		return reason.Errorf(reason.ExportForeign, "%s", key)
	}
	return nil
}

// applyExport brings the annotations of a ServiceExport of ours to what they should be.
func (e *Ensurer) applyExport(ctx context.Context, daemon rook.Daemon, wanted rook.Export) error {
	gvk, ok := e.kinds.Served(kinds.ServiceExport)
	if !ok {
		return reason.Errorf(reason.NoServiceExportKind, "%s/%s", daemon.Namespace, daemon.Name())
	}
	export := newExport(gvk, daemon)
	export.SetAnnotations(wanted.Annotations())
	if err := e.apply(ctx, export); err != nil {
		return fmt.Errorf("annotate ServiceExport %s/%s: %w", daemon.Namespace, daemon.Name(), err)
	}
	return nil
}

func (e *Ensurer) apply(ctx context.Context, object runtime.Object) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	// What is not meant to be applied must not even stand there empty.
	delete(content, "status")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	wanted := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: content})
	return e.writer.Apply(ctx, wanted, client.FieldOwner(rook.Manager), client.ForceOwnership)
}

func newExport(gvk schema.GroupVersionKind, daemon rook.Daemon) *unstructured.Unstructured {
	export := kinds.Object(gvk)
	export.SetNamespace(daemon.Namespace)
	export.SetName(daemon.Name())
	export.SetLabels(rook.Marks())
	return export
}

func ours(object metav1.Object) bool {
	return rook.IsOurs(object.GetLabels())
}
