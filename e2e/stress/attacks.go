package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// The bars of the attacks, in MiB. The shipped limit is 256.
const (
	mostForForeignDeployments = 96
	mostForBodies             = 128
)

const (
	foreignDeployments = 240
	foreignArgs        = 1 << 20
	foreignWriters     = 8
	manyBodies         = 48
	stalledBodies      = 1500
	// stalledMost is when the last stalled body must have been ended.
	stalledMost = 15 * time.Second
)

func attacks() []attack {
	absurd, largest := 6_500_000, 3<<20
	return []attack{
		{what: "48 bodies of 6.5 MB at once, to each replica", most: mostForBodies, run: postAtOnce(manyBodies, absurd), long: true},
		{what: "48 bodies of 3 MiB at once, to each replica", most: mostForBodies, run: postAtOnce(manyBodies, largest)},
		{what: "1,500 bodies that stall, to each replica", most: mostForBodies, run: stallBodies, long: true},
		{what: "YAML with aliases, 48 at once, to each replica", most: mostForBodies, run: postYAML, long: true},
		{what: "500 new OSDs of 10 CephClusters are written at once, whose addresses never come", most: mostForBodies, run: holdWriters, long: true},
		{
			what: "240 foreign Deployments with 1 MB of args, in a namespace that is not switched on",
			most: mostForForeignDeployments, run: addForeign("not-enabled", nil), long: true,
		},
		{what: "240 more in one that is", most: mostForForeignDeployments, run: addForeign("enabled", measure.Enabled())},
		{what: "a replica starts with all of these there", most: mostForForeignDeployments, run: startAnother, long: true},
	}
}

// addForeign writes Deployments that have the label of an OSD and are nobody's.
func addForeign(namespace string, labels map[string]string) func(context.Context, *room) (string, error) {
	return func(ctx context.Context, r *room) (string, error) {
		ns := &corev1.Namespace{}
		ns.Name, ns.Labels = namespace, labels
		if err := r.plane.Client.Create(ctx, ns); err != nil {
			return "", fmt.Errorf("create Namespace %s: %w", namespace, err)
		}
		return "all were stored", measure.Crowd(ctx, r.plane, foreignWriters, foreignDeployments, func(i int) client.Object {
			return foreignDeployment(namespace, i)
		})
	}
}

func foreignDeployment(namespace string, i int) *appsv1.Deployment {
	const argument = 1 << 10
	return measure.Paused(metav1.ObjectMeta{
		Namespace: namespace, Name: fmt.Sprintf("foreign-%d", i), Labels: map[string]string{"app": "rook-ceph-osd", "ceph-osd-id": fmt.Sprint(i)},
	}, corev1.Container{
		Name: "osd", Image: "registry.example/osd:1",
		Args: slices.Repeat([]string{"--x=" + strings.Repeat("x", argument)}, foreignArgs/argument),
	})
}

// startAnother replaces a replica, as a rollout in the middle of the attack would.
func startAnother(ctx context.Context, r *room) (string, error) {
	old := r.pods.running()[0]
	started := time.Now()
	if err := r.pods.add(ctx); err != nil {
		return "", err
	}
	ready := fmt.Sprintf("it was ready after %s", measure.Seconds(time.Since(started)))
	return ready, r.pods.remove(old)
}
