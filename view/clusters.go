package view

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Cluster returns the CephCluster of the namespace that Rook serves, of which there is one at most.
func (v *View) Cluster(ctx context.Context, namespace string) (*rook.Cluster, error) {
	found, err := v.served(ctx, v.kinds, namespace)
	if err != nil || found == nil {
		return nil, err
	}
	mons, err := v.deployments(ctx, client.InNamespace(namespace), ofType(rook.Mon))
	if err != nil {
		return nil, err
	}
	cluster := v.readCluster(found, mons)
	return &cluster, nil
}

// LatestCluster returns what the API server itself says of the CephCluster, without the version of Rook.
func (v *View) LatestCluster(ctx context.Context, namespace string) (*rook.Cluster, error) {
	found, err := v.served(ctx, kinds.Reader{Objects: v.live, Installed: v.kinds.Installed}, namespace)
	if err != nil || found == nil {
		return nil, err
	}
	cluster := v.readCluster(found, nil)
	return &cluster, nil
}

// served returns the CephCluster that Rook serves: it refuses a second one in a namespace.
func (*View) served(ctx context.Context, reader kinds.Reader, namespace string) (*unstructured.Unstructured, error) {
	found, err := reader.List(ctx, kinds.CephCluster, client.InNamespace(namespace))
	if err != nil {
		return nil, fmt.Errorf("look for the CephCluster of %s: %w", namespace, err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	oldest := slices.MinFunc(found, func(a, b unstructured.Unstructured) int {
		if byAge := a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time); byAge != 0 {
			return byAge
		}
		return strings.Compare(a.GetName(), b.GetName())
	})
	return &oldest, nil
}

// readCluster completes what a CephCluster says by our settings and by the version of Rook, which stands on the Deployments.
func (v *View) readCluster(u *unstructured.Unstructured, deployments []appsv1.Deployment) rook.Cluster {
	cluster := rook.ReadCluster(u)
	cluster.IPv6GlobalIPs = v.ipv6GlobalIPs
	for i := range deployments {
		version := deployments[i].Labels[rook.RookVersionLabel]
		if version == "" {
			continue
		}
		cluster.RookVersion = version
		// While Rook is upgraded some Deployments still have the old version: one that has a good one is enough.
		if cluster.StandAside() != reason.RookTooOld {
			break
		}
	}
	return cluster
}
