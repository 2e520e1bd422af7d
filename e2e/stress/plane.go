package main

import (
	"context"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// ofThePlane are the faults of what the replicas live on.
func ofThePlane() []fault {
	return []fault{
		{what: "the serving certificate is renewed, with new connections all the time", inject: renew("rook-clusterset-serving")},
		{what: "the CA is renewed, and then the serving certificate", inject: renew("rook-clusterset-ca", "rook-clusterset-serving"), long: true},
		{what: "the API server is killed and started again", inject: func(ctx context.Context, r *room, _ *tally) error {
			return r.plane.RestartAPIServer(ctx)
		}, unserved: true, waits: true},
		{what: "etcd pauses for 12 s", inject: pauseEtcd(12 * time.Second), failed: lostWithALease, unserved: true, waits: true},
		{what: "etcd pauses for 25 s", inject: pauseEtcd(25 * time.Second), failed: 2 * lostWithALease, unserved: true, waits: true, long: true},
		{what: "every connection of the replicas to the API server is cut, five times", inject: cutWatches, long: true},
		{what: "kinds of others are removed for 10 s, and come back", inject: removeKinds, waits: true, long: true},
	}
}

func pauseEtcd(pause time.Duration) func(context.Context, *room, *tally) error {
	return func(ctx context.Context, r *room, _ *tally) error { return r.plane.PauseEtcd(ctx, pause) }
}

func cutWatches(ctx context.Context, r *room, _ *tally) error {
	for range 5 {
		if r.pods.wire.cut() == 0 {
			return fmt.Errorf("no replica was connected to the API server")
		}
		if err := measure.Pause(ctx, 2*time.Second); err != nil {
			return err
		}
	}
	return nil
}

const removedFor = 10 * time.Second

// removed are kinds that tell of the clusterset, without those whose objects the stand-in would have to make anew.
var removed = []string{"clusterproperties.about.k8s.io", "clusters.submariner.io", "endpoints.submariner.io"}

func removeKinds(ctx context.Context, r *room, _ *tally) error {
	c := r.plane.Client
	kept := map[string][]unstructured.Unstructured{}
	for _, name := range removed {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := c.Get(ctx, client.ObjectKey{Name: name}, crd); err != nil {
			return fmt.Errorf("read kind %s: %w", name, err)
		}
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(schema.GroupVersionKind{Group: crd.Spec.Group, Version: crd.Spec.Versions[0].Name, Kind: crd.Spec.Names.ListKind})
		if err := c.List(ctx, list); err != nil {
			return fmt.Errorf("list what is of kind %s: %w", name, err)
		}
		kept[name] = list.Items
		if err := c.Delete(ctx, crd); err != nil {
			return fmt.Errorf("remove kind %s: %w", name, err)
		}
	}
	if err := measure.Pause(ctx, removedFor); err != nil {
		return err
	}
	if err := mcsstandin.InstallSubmariner(r.plane.Config); err != nil {
		return err
	}
	for name, items := range kept {
		for i := range items {
			items[i].SetResourceVersion("")
			items[i].SetUID("")
			err := measure.Until(ctx, lookAtPods, func() (bool, error) {
				err := c.Create(ctx, &items[i])
				return err == nil || apierrors.IsAlreadyExists(err), nil
			})
			if err != nil {
				return fmt.Errorf("make again what was of kind %s: %w", name, err)
			}
		}
	}
	return nil
}
