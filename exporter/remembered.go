package exporter

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// NoteRemembered stores what is known of the memory of Rook's operator, as far as it differs from what was known: admission
// writes what Rook remembers, and the leader beside it what came of that.
func (e *Ensurer) NoteRemembered(ctx context.Context, namespace string, before, after rook.Remembered) error {
	version := ""
	if len(after.MonHostLacks) < len(before.MonHostLacks) {
		// What was noted meanwhile must not go with what is settled.
		version = before.Version
	}
	return e.noteRemembered(ctx, namespace, version, before, after)
}

// noteRemembered writes only to that version, if one is given.
func (e *Ensurer) noteRemembered(ctx context.Context, namespace, version string, before, after rook.Remembered) error {
	metadata := map[string]any{}
	if version != "" {
		metadata["resourceVersion"] = version
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata, "data": before.ChangesTo(after)})
	if err != nil {
		return fmt.Errorf("note what Rook remembers in %s: %w", namespace, err)
	}
	err = retry.OnError(retry.DefaultBackoff, apierrors.IsAlreadyExists, func() error {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: rook.RememberedName,
			Labels: rook.Marks(),
		}}
		err := e.writer.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(rook.Manager))
		if !apierrors.IsNotFound(err) {
			return err
		}
		object.Data = after.Data()
		return e.writer.Create(ctx, object, client.FieldOwner(rook.Manager))
	})
	if err != nil {
		return fmt.Errorf("note what Rook remembers in ConfigMap %s/%s: %w", namespace, rook.RememberedName, err)
	}
	return nil
}
