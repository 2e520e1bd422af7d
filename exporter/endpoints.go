package exporter

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// StoreEndpoints stores the mon endpoints by which Rook can bring up the first mon of a CephCluster, out of what lives and of
// what is known of its mons. Where that is right already nothing is written.
func (e *Ensurer) StoreEndpoints(ctx context.Context, cluster rook.Cluster, mons map[string]rook.DaemonFacts) error {
	key := client.ObjectKey{Namespace: cluster.Namespace, Name: rook.MonEndpointsName}
	err := retry.OnError(retry.DefaultBackoff, lostRace, func() error {
		live := &corev1.ConfigMap{}
		err := e.live.Get(ctx, key, live)
		if apierrors.IsNotFound(err) {
			if first := rook.FirstEndpoints(nil, cluster, mons); first != nil {
				return e.writer.Create(ctx, first, client.FieldOwner(rook.Manager))
			}
			return nil
		}
		if err != nil {
			return err
		}
		if first := rook.FirstEndpoints(live, cluster, mons); first != nil && !maps.Equal(first.Data, live.Data) {
			return e.writer.Update(ctx, first, client.FieldOwner(rook.Manager))
		}
		return nil
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
