package exporter

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
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
	if _, err := e.apply(ctx, service); err != nil {
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
	stored, err := e.apply(ctx, export)
	if err == nil {
		err = e.takeAway(ctx, stored, export.GetAnnotations())
	}
	if err != nil {
		return fmt.Errorf("annotate ServiceExport %s/%s: %w", daemon.Namespace, daemon.Name(), err)
	}
	return nil
}

// takeAway takes what is not wanted from an export to which the rest was applied. That takes away only what we applied before, and
// not what a backup put back, or a person wrote: a pin or a mark of another time would stay for ever.
func (e *Ensurer) takeAway(ctx context.Context, export *unstructured.Unstructured, wanted map[string]string) error {
	left := map[string]any{}
	for key := range rook.OfExports(export.GetAnnotations()) {
		if _, stays := wanted[key]; !stays && key != rook.MoveAnnotation {
			left[key] = nil
		}
	}
	if len(left) == 0 {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": export.GetUID(), "annotations": left}})
	if err != nil {
		return err
	}
	return e.writer.Patch(ctx, export, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(rook.Manager))
}

// apply returns the object as it is stored then.
func (e *Ensurer) apply(ctx context.Context, object runtime.Object) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, err
	}
	// What is not meant to be applied must not even stand there empty.
	delete(content, "status")
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	applied := &unstructured.Unstructured{Object: content}
	err = e.writer.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner(rook.Manager), client.ForceOwnership)
	return applied, err
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
