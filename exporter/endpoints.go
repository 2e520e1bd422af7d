package exporter

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// StoreEndpoints stores the mon endpoints that Rook is to read anew. Of a ConfigMap that exists only what was corrected
// is changed.
func (e *Ensurer) StoreEndpoints(ctx context.Context, corrected *corev1.ConfigMap) error {
	key := client.ObjectKeyFromObject(corrected)
	err := retry.OnError(retry.DefaultBackoff, lostRace, func() error {
		live := &corev1.ConfigMap{}
		err := e.live.Get(ctx, key, live)
		switch {
		case apierrors.IsNotFound(err):
			return e.writer.Create(ctx, rook.MergeStoredEndpoints(nil, corrected), client.FieldOwner(rook.Manager))
		case err != nil:
			return err
		}
		return e.writer.Update(ctx, rook.MergeStoredEndpoints(live, corrected), client.FieldOwner(rook.Manager))
	})
	if err != nil {
		return fmt.Errorf("store ConfigMap %s: %w", key, err)
	}
	return nil
}

// lostRace says whether somebody else wrote between our read and our write.
func lostRace(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)
}
