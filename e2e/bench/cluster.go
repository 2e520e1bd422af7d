package main

import (
	"context"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// cluster is a CephCluster of which the bench asks more than that its OSDs are written.
type cluster struct{ *measure.Cluster }

// newCluster makes a CephCluster with nothing in it.
func newCluster(ctx context.Context, w *world.World, namespace string, labels map[string]string) (*cluster, error) {
	c, err := measure.NewCluster(ctx, w, namespace, labels)
	return &cluster{c}, err
}
