package webhook

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// replacer knows which addresses that Rook writes have to be replaced, and by which.
type replacer struct {
	view View
	// live reads from the API server itself. Rook writes the mon endpoints and, milliseconds later, what follows from
	// them: a cache may not have the endpoints by then.
	live client.Reader
}

// of returns the replacements for what Rook writes in a namespace of its daemons.
func (r replacer) of(ctx context.Context, namespace string) (rook.Replacements, error) {
	live, cancel := liveReading(ctx)
	defer cancel()
	return r.known(ctx, live, namespace)
}

// ofAll returns the replacements for what Rook writes in the namespace of its operator, which serves all clusters.
func (r replacer) ofAll(ctx context.Context) (rook.Replacements, error) {
	namespaces, err := r.enabled(ctx)
	if err != nil {
		return nil, err
	}
	// One time for all: however many the clusters are, Rook does not wait longer.
	live, cancel := liveReading(ctx)
	defer cancel()
	holders, err := r.holders(ctx)
	if err != nil {
		return nil, err
	}
	byNamespace := make(map[string]rook.Replacements, len(namespaces))
	for _, namespace := range namespaces {
		if byNamespace[namespace], err = r.known(ctx, live, namespace); err != nil {
			return nil, err
		}
	}
	return rook.JoinReplacements(byNamespace, holders), nil
}

func (r replacer) holders(ctx context.Context) (map[netip.Addr]string, error) {
	ctx, cancel := reading(ctx)
	defer cancel()
	return r.view.MonClusterIPs(ctx)
}

// liveReading returns the context of all that is read from the API server itself for one answer.
func liveReading(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), readTimeout/2)
}

// known returns the replacements for a namespace.
func (r replacer) known(ctx, live context.Context, namespace string) (rook.Replacements, error) {
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
	lastWritten, err := r.lastWritten(ctx, live, namespace)
	if err != nil {
		return nil, err
	}
	return rook.ReplacementsFor(mons, lastWritten), nil
}

func (r replacer) enabled(ctx context.Context) ([]string, error) {
	ctx, cancel := reading(ctx)
	defer cancel()
	return r.view.EnabledNamespaces(ctx)
}

// lastWritten returns what Rook last wrote for the mons that had to be corrected. Without the API server, the cache has
// to do: a correction by what is known is better than none.
func (r replacer) lastWritten(ctx, live context.Context, namespace string) (string, error) {
	endpoints := &corev1.ConfigMap{}
	key := types.NamespacedName{Namespace: namespace, Name: rook.MonEndpointsName}
	err := r.live.Get(live, key, endpoints)
	if client.IgnoreNotFound(err) != nil {
		logf.FromContext(ctx).Error(err, "Reading the mon endpoints from the cache instead", "configMap", key.String())
		if endpoints, err = r.view.MonEndpoints(ctx, namespace); err != nil {
			return "", err
		}
	}
	if endpoints == nil {
		return "", nil
	}
	return endpoints.Annotations[rook.CorrectedAnnotation], nil
}
