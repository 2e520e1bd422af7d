package view

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// PreparedOptions bounds the cache of what Rook's prepare Jobs wrote. It is a cache of its own, because the other one
// selects the mon endpoints among all ConfigMaps by name, and a cache selects a kind in one way.
func PreparedOptions() cache.Options {
	return cache.Options{
		ReaderFailOnMissingInformer: true,
		NewInformer:                 newInformer,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.ConfigMap{}: {
				Label:     labels.SelectorFromSet(labels.Set{rook.AppLabel: rook.OSDApp, rook.PrepareStatusLabel: rook.PrepareStatusValue}),
				Transform: trim(rook.TrimPrepared),
			},
		},
	}
}

// IndexPrepared lets the OSDs that were prepared be found by their number.
func IndexPrepared(ctx context.Context, prepared client.FieldIndexer) error {
	err := prepared.IndexField(ctx, &corev1.ConfigMap{}, osdIndex, func(o client.Object) []string {
		configMap, ok := o.(*corev1.ConfigMap)
		if !ok {
			return nil
		}
		return rook.PreparedOSDs(configMap)
	})
	if err != nil {
		return fmt.Errorf("index the ConfigMaps of prepared OSDs: %w", err)
	}
	return nil
}

// Expected says whether Rook is about to write the Deployment of a daemon: its prepare named the OSD, or the CephCluster owns
// the Service of the mon.
func (v *View) Expected(ctx context.Context, daemon rook.Daemon, cluster rook.Cluster) (bool, error) {
	if daemon.Type.ServiceIsOurs() {
		return v.isPrepared(ctx, daemon)
	}
	service, err := v.service(ctx, daemon.Namespace, daemon.Name())
	return service != nil && rook.IsMonServiceOf(service, cluster), err
}

func (v *View) isPrepared(ctx context.Context, osd rook.Daemon) (bool, error) {
	if v.prepared == nil {
		return false, nil
	}
	list := &corev1.ConfigMapList{}
	err := v.prepared.List(ctx, list, client.InNamespace(osd.Namespace), client.MatchingFields{osdIndex: osd.ID}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return false, fmt.Errorf("look for the prepare of OSD %s/%s: %w", osd.Namespace, osd.ID, err)
	}
	return len(list.Items) > 0, nil
}
