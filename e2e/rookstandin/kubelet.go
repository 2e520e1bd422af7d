package rookstandin

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Kubelet tells the operator what has become of the pods of a Deployment.
type Kubelet interface {
	// Scheduled returns the node of a pod of the Deployment, and whether one has a node. The name may be empty.
	Scheduled(ctx context.Context, d *appsv1.Deployment) (node string, ok bool, err error)
	// Running says whether a pod that the selector of the Deployment matches runs.
	Running(ctx context.Context, d *appsv1.Deployment) (bool, error)
	// Updated says whether the wait for an update is over: before is what was stored ahead of it.
	Updated(before, now *appsv1.Deployment) bool
}

type fromPods struct{ client client.Client }

func (k fromPods) Scheduled(ctx context.Context, d *appsv1.Deployment) (string, bool, error) {
	pods, err := k.pods(ctx, d)
	for i := range pods {
		if pods[i].Spec.NodeName != "" {
			return pods[i].Spec.NodeName, true, nil
		}
	}
	return "", false, err
}

func (k fromPods) Running(ctx context.Context, d *appsv1.Deployment) (bool, error) {
	pods, err := k.pods(ctx, d)
	return slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning }), err
}

func (fromPods) Updated(before, now *appsv1.Deployment) bool {
	return now.Status.ObservedGeneration != before.Status.ObservedGeneration &&
		now.Status.UpdatedReplicas > 0 && now.Status.ReadyReplicas > 0
}

func (k fromPods) pods(ctx context.Context, d *appsv1.Deployment) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	err := k.client.List(ctx, list, client.InNamespace(d.Namespace), client.MatchingLabels(d.Spec.Selector.MatchLabels))
	if err != nil {
		return nil, fmt.Errorf("list the pods of %s: %w", d.Name, err)
	}
	return list.Items, nil
}

// Assumed takes the pods of every Deployment that is stored for running: no pod is needed.
type Assumed struct {
	Client client.Client
}

// Scheduled implements Kubelet.
func (Assumed) Scheduled(context.Context, *appsv1.Deployment) (string, bool, error) {
	return "", true, nil
}

// Running implements Kubelet.
func (k Assumed) Running(ctx context.Context, d *appsv1.Deployment) (bool, error) {
	stored := &appsv1.Deployment{}
	err := k.Client.Get(ctx, client.ObjectKeyFromObject(d), stored)
	if err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return stored.Spec.Replicas == nil || *stored.Spec.Replicas > 0, nil
}

// Updated implements Kubelet.
func (Assumed) Updated(_, _ *appsv1.Deployment) bool { return true }
