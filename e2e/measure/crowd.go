package measure

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
)

// Crowd creates objects by a client that nothing slows down, as many at once as there are writers.
func Crowd(ctx context.Context, plane *controlplane.Plane, writers, count int, object func(i int) client.Object) error {
	config := rest.CopyConfig(plane.Config)
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return fmt.Errorf("make the client of a crowd: %w", err)
	}
	group, writing := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for i := range count {
		group.Go(func() error {
			o := object(i)
			if err := c.Create(writing, o); err != nil {
				return fmt.Errorf("create %T %s/%s: %w", o, o.GetNamespace(), o.GetName(), err)
			}
			return nil
		})
	}
	return group.Wait()
}

// Paused returns a Deployment of which no ReplicaSet is made.
func Paused(meta metav1.ObjectMeta, container corev1.Container) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: meta}
	d.Spec.Replicas, d.Spec.Paused = new(int32(0)), true
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: meta.Labels}
	d.Spec.Template.Labels = meta.Labels
	d.Spec.Template.Spec.Containers = []corev1.Container{container}
	return d
}
