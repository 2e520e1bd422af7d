package view

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// latestTimeout is how long the API server has to answer before the cache must do: Rook waits meanwhile.
const latestTimeout = 1500 * time.Millisecond

// MonEndpoints returns the ConfigMap in which Rook keeps the address of each mon, or nil, as the cache has it.
func (v *View) MonEndpoints(ctx context.Context, namespace string) (*corev1.ConfigMap, error) {
	return get(ctx, v.cached, namespace, rook.MonEndpointsName, "ConfigMap", &corev1.ConfigMap{})
}

// LatestMonEndpoints returns the ConfigMap as the API server has it: Rook writes it, and milliseconds later what follows
// from it. Where the API server does not answer it returns what the cache has, and says so by latest: a correction by what
// was known is better than none, but no mon may be born by it.
func (v *View) LatestMonEndpoints(ctx context.Context, namespace string) (endpoints *corev1.ConfigMap, latest bool, err error) {
	live, cancel := context.WithTimeout(ctx, latestTimeout)
	defer cancel()
	endpoints, err = get(live, v.live, namespace, rook.MonEndpointsName, "ConfigMap", &corev1.ConfigMap{})
	if err == nil {
		return endpoints, true, nil
	}
	logf.FromContext(ctx).Error(err, "Reading the mon endpoints from the cache instead")
	endpoints, err = v.MonEndpoints(ctx, namespace)
	return endpoints, false, err
}
