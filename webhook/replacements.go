package webhook

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// replacer knows which addresses that Rook writes have to be replaced, and by which.
type replacer struct{ view View }

// clustersAtOnce bounds how many clusters' mon endpoints are read at a time.
const clustersAtOnce = 8

// of returns the replacements for what Rook writes in a namespace of its daemons.
func (r replacer) of(ctx context.Context, namespace string) (rook.Replacements, error) {
	ctx, cancel := reading(ctx)
	defer cancel()
	cluster, err := r.view.Cluster(ctx, namespace)
	if err != nil {
		return nil, err
	}
	if cluster != nil && cluster.StandAside() != "" {
		return nil, nil
	}
	mons, err := r.view.Mons(ctx, namespace)
	if err != nil {
		return nil, err
	}
	endpoints, remembered, err := r.lastWritten(ctx, namespace)
	if err != nil {
		return nil, err
	}
	return rook.ReplacementsFor(mons, endpoints, remembered.Mons), nil
}

// lastWritten returns what is stored of the mons, and what Rook remembers instead. Both are read at once, as Rook waits.
func (r replacer) lastWritten(ctx context.Context, namespace string) (endpoints *corev1.ConfigMap, remembered rook.Remembered, err error) {
	var group errgroup.Group
	group.Go(func() error {
		var err error
		remembered, err = r.view.Remembered(ctx, namespace)
		if err != nil {
			logf.FromContext(ctx).Error(err, "Correcting without what Rook remembers")
		}
		return nil
	})
	group.Go(func() error {
		var err error
		endpoints, _, err = r.view.LatestMonEndpoints(ctx, namespace)
		return err
	})
	return endpoints, remembered, group.Wait()
}

// ofEnabled returns the replacements for what Rook writes elsewhere of the daemons of a namespace, if that is switched on.
func (r replacer) ofEnabled(ctx context.Context, namespace string) (rook.Replacements, error) {
	reads, cancel := reading(ctx)
	defer cancel()
	if enabled, err := r.view.Enabled(reads, namespace); err != nil || !enabled {
		return nil, err
	}
	return r.of(ctx, namespace)
}

// ofAll returns the replacements of all namespaces that are switched on, for what Rook writes in that of its operator. They
// are read side by side: however many the clusters are, Rook does not wait longer for a slow API server.
func (r replacer) ofAll(ctx context.Context) (map[string]rook.Replacements, error) {
	reads, cancel := reading(ctx)
	defer cancel()
	namespaces, err := r.view.EnabledNamespaces(reads)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	byNamespace := make(map[string]rook.Replacements, len(namespaces))
	var group errgroup.Group
	group.SetLimit(clustersAtOnce)
	for _, namespace := range namespaces {
		group.Go(func() error {
			replacements, err := r.of(ctx, namespace)
			mu.Lock()
			defer mu.Unlock()
			byNamespace[namespace] = replacements
			return err
		})
	}
	return byNamespace, group.Wait()
}
