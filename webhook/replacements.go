package webhook

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

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
	endpoints, _, err := r.view.LatestMonEndpoints(ctx, namespace)
	if err != nil {
		return nil, err
	}
	return rook.ReplacementsFor(mons, endpoints), nil
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
