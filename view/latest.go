package view

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// LatestExport returns what the API server itself says of a daemon, with its Service and its export as they are deleted by.
func (v *View) LatestExport(ctx context.Context, daemon rook.Daemon) (rook.DaemonFacts, Objects, error) {
	facts, err := v.LatestDaemon(ctx, daemon)
	if err != nil {
		return rook.DaemonFacts{}, Objects{}, err
	}
	objects, err := v.Uncached().Daemon(ctx, daemon)
	// An address that is in doubt is not used, and freed only by what its export says.
	facts.Export = objects.Export.Export
	return facts, objects, err
}

// LatestDaemon returns what the API server itself says of a daemon, where what is decided on cannot be put right later.
func (v *View) LatestDaemon(ctx context.Context, daemon rook.Daemon) (rook.DaemonFacts, error) {
	name := daemon.Name()
	deployment, err := get(ctx, v.live, daemon.Namespace, name, "Deployment", &appsv1.Deployment{})
	if err != nil {
		return rook.DaemonFacts{}, err
	}
	service, err := get(ctx, v.live, daemon.Namespace, name, "Service", &corev1.Service{})
	if err != nil {
		return rook.DaemonFacts{}, err
	}
	live := kinds.Reader{Objects: v.live, Installed: v.kinds.Installed}
	found, err := live.Get(ctx, kinds.ServiceExport, types.NamespacedName{Namespace: daemon.Namespace, Name: name})
	if err != nil {
		return rook.DaemonFacts{}, err
	}
	var export rook.Export
	if found != nil {
		export = readExport(found).Export
	}
	facts := one(daemon.Namespace, name, export, service, deployment)
	if err := v.believe(ctx, &facts, true); err != nil {
		return rook.DaemonFacts{}, err
	}
	return facts, v.addHolder(ctx, &facts)
}

// onlyLatestMonEndpoints is for what may not rest on a cache.
func (v *View) onlyLatestMonEndpoints(ctx context.Context, namespace string) (*corev1.ConfigMap, error) {
	return get(ctx, v.live, namespace, rook.MonEndpointsName, "ConfigMap", &corev1.ConfigMap{})
}
