package main

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/manifests"
)

const (
	// lostWithAKill is what may fail when a replica is killed: what it was answering, of each writer one at most, and half of
	// what is sent until its address is taken out of the endpoints.
	lostWithAKill = 60
	// lostWithALease is what may fail when a leader loses its lease: its term ends, and not its process.
	lostWithALease = 0

	leaseName     = "rook-clusterset-exporter"
	leaseDuration = 15 * time.Second
	stolenFor     = 20 * time.Second
	// pullUp is how long a replica is left to itself before the next one goes.
	pullUp = 2 * time.Second
)

// ofReplicas are the faults of the replicas themselves.
func ofReplicas() []fault {
	return []fault{
		{what: "nothing", inject: func(ctx context.Context, _ *room, _ *tally) error { return measure.Pause(ctx, 10*time.Second) }, long: true, undisturbed: true},
		{what: "both replicas are restarted, one after the other", inject: roll(), waits: true},
		{what: "the manifests are applied again, and both replicas replaced by ones with other flags", inject: upgrade, waits: true, long: true},
		{what: "each replica is killed (kill -9), one after the other", inject: killEach, failed: 2 * lostWithAKill, waits: true},
		{what: "the leader's lease is taken by another holder whose clock is an hour ahead", inject: stealLease(time.Hour), failed: lostWithALease, waits: true},
		{what: "the same by one whose clock is an hour behind", inject: stealLease(-time.Hour), failed: lostWithALease, waits: true, long: true},
	}
}

// roll replaces the replicas as a Deployment does: a new one is ready before an old one is asked to go.
func roll(args ...string) func(context.Context, *room, *tally) error {
	return func(ctx context.Context, r *room, _ *tally) error {
		for _, old := range r.pods.running() {
			if err := r.pods.add(ctx, args...); err != nil {
				return err
			}
			if err := r.pods.remove(old); err != nil {
				return err
			}
		}
		return nil
	}
}

func upgrade(ctx context.Context, r *room, counted *tally) error {
	if _, err := r.plane.Kubectl(ctx, manifests.Install, "apply", "-f", "-"); err != nil {
		return err
	}
	return roll("--hold=15s", "--max-held=80")(ctx, r, counted)
}

func killEach(ctx context.Context, r *room, _ *tally) error {
	for _, old := range r.pods.running() {
		if err := old.Kill(); err != nil {
			return err
		}
		if err := measure.Pause(ctx, endpointsLag+restartPause+pullUp); err != nil {
			return err
		}
		if err := r.pods.steady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stealLease has another holder in the Lease, as when a replica that was thought dead comes back. Its clock is apart from
// everybody's.
func stealLease(apart time.Duration) func(context.Context, *room, *tally) error {
	return func(ctx context.Context, r *room, _ *tally) error {
		write := func(holder string) error {
			lease := &coordinationv1.Lease{}
			if err := r.plane.Client.Get(ctx, client.ObjectKey{Namespace: controlplane.Namespace, Name: leaseName}, lease); err != nil {
				return fmt.Errorf("read the lease: %w", err)
			}
			lease.Spec.HolderIdentity = &holder
			lease.Spec.LeaseDurationSeconds = new(int32(leaseDuration.Seconds()))
			lease.Spec.RenewTime = new(metav1.NewMicroTime(time.Now().Add(apart)))
			return client.IgnoreNotFound(r.plane.Client.Update(ctx, lease))
		}
		for end := time.Now().Add(stolenFor); time.Now().Before(end); {
			// A conflict is a replica that renews at the same time; the next try comes soon.
			_ = write("thief")
			if err := measure.Pause(ctx, time.Second); err != nil {
				return err
			}
		}
		return measure.Until(ctx, lookAtPods, func() (bool, error) { return write("") == nil, nil })
	}
}
