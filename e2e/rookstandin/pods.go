package rookstandin

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// scheduled returns the node of a pod of the Deployment, and whether one has a node. The name may be empty.
func (o *Operator) scheduled(ctx context.Context, d *appsv1.Deployment) (node string, ok bool, err error) {
	if o.options.AssumePods != nil {
		return "", true, nil
	}
	pods, err := o.pods(ctx, d.Spec.Selector.MatchLabels)
	for i := range pods {
		if pods[i].Spec.NodeName != "" {
			return pods[i].Spec.NodeName, true, nil
		}
	}
	return "", false, err
}

// monRuns says whether a pod of the mon runs.
func (o *Operator) monRuns(ctx context.Context, id string) (bool, error) {
	if o.options.AssumePods != nil {
		d := &appsv1.Deployment{}
		err := o.options.AssumePods.Get(ctx, client.ObjectKey{Namespace: o.cluster.Namespace, Name: shapes.MonResource(id)}, d)
		return err == nil && ptr.Deref(d.Spec.Replicas, 1) > 0, client.IgnoreNotFound(err)
	}
	pods, err := o.pods(ctx, map[string]string{"app": shapes.MonApp, "mon": id})
	return slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning }), err
}

// tookUpdate says whether the pods of a Deployment are those of its update: before is what was stored ahead of it.
func (o *Operator) tookUpdate(before, now *appsv1.Deployment) bool {
	return o.options.AssumePods != nil || now.Status.ObservedGeneration != before.Status.ObservedGeneration &&
		now.Status.UpdatedReplicas > 0 && now.Status.ReadyReplicas > 0
}

func (o *Operator) pods(ctx context.Context, labels client.MatchingLabels) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	if err := o.write.client.List(ctx, list, client.InNamespace(o.cluster.Namespace), labels); err != nil {
		return nil, fmt.Errorf("list the pods of %v: %w", labels, err)
	}
	return list.Items, nil
}
