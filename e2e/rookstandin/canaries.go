package rookstandin

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// assignMons finds a node for each mon that has none, by a canary that is scheduled in its stead. The canaries stay
// until all are placed, so that they keep away from each other.
func (o *Operator) assignMons(ctx context.Context, mons []mon) error {
	var canaries []*appsv1.Deployment
	defer func() {
		// In native mode DNS knows an exported mon only while its canary runs, so they stay until all mons do.
		if o.cluster.Spec.Native() {
			return
		}
		for _, canary := range canaries {
			o.deleteCanary(context.WithoutCancel(ctx), canary)
		}
	}()
	for _, m := range mons {
		if _, placed := o.memory.mapping[m.id]; placed {
			continue
		}
		canary, node, err := o.schedule(ctx, m)
		if canary != nil {
			canaries = append(canaries, canary)
		}
		if err != nil {
			return fmt.Errorf("assignmon: error scheduling monitor: %w", err)
		}
		if o.cluster.Spec.MonsOnPVC() {
			o.memory.mapping[m.id] = nil
			continue
		}
		o.memory.mapping[m.id] = &nodeInfo{Name: node.Name, Hostname: node.Name, Address: node.Address, Zone: m.zone}
	}
	return nil
}

func (o *Operator) schedule(ctx context.Context, m mon) (*appsv1.Deployment, Node, error) {
	canary := o.canaryDeployment(m)
	for try := 0; ; try++ {
		err := o.write.create(ctx, canary.DeepCopy())
		if err == nil {
			break
		}
		if !apierrors.IsAlreadyExists(err) || try == o.options.Timing.CanaryTries {
			return nil, Node{}, fmt.Errorf("error creating canary monitor deployment %s: %w", canary.Name, err)
		}
		o.deleteCanary(ctx, canary)
		if err := o.clock.sleep(ctx, o.options.Timing.CanaryInterval); err != nil {
			return nil, Node{}, err
		}
	}
	for range o.options.Timing.CanaryTries {
		name, scheduled, err := o.options.Kubelet.Scheduled(ctx, canary)
		if err != nil {
			return canary, Node{}, fmt.Errorf("error listing canary pods %s: %w", canary.Name, err)
		}
		if scheduled {
			return canary, o.nodeFor(name, m.id), nil
		}
		if err := o.clock.sleep(ctx, o.options.Timing.CanaryInterval); err != nil {
			return canary, Node{}, err
		}
	}
	return canary, Node{}, errors.New("canary pod scheduling failed retries")
}

// nodeFor returns the node of that name. A name that is not known, or none, is a node by turns.
func (o *Operator) nodeFor(name, id string) Node {
	for _, node := range o.options.Nodes {
		if node.Name == name {
			return node
		}
	}
	turn := o.options.Nodes[shapes.MonIndex(id)%len(o.options.Nodes)]
	if name != "" {
		turn.Name = name
	}
	return turn
}

func (o *Operator) deleteCanary(ctx context.Context, canary *appsv1.Deployment) {
	err := o.write.delete(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: canary.Namespace, Name: canary.Name}},
		client.PropagationPolicy(metav1.DeletePropagationForeground), client.GracePeriodSeconds(0))
	if client.IgnoreNotFound(err) != nil {
		o.journal.add(Continued, "Deployment", canary.Namespace+"/"+canary.Name, "error deleting canary deployment: %v", err)
	}
}

// deleteCanaries deletes the canaries that are left over.
func (o *Operator) deleteCanaries(ctx context.Context) {
	list := &appsv1.DeploymentList{}
	err := o.write.client.List(ctx, list, client.InNamespace(o.cluster.Namespace),
		client.MatchingLabels{"app": shapes.MonApp, shapes.CanaryLabel: "true"})
	if err != nil {
		o.journal.add(Continued, "", "", "failed to list canaries: %v", err)
		return
	}
	for i := range list.Items {
		o.deleteCanary(ctx, &list.Items[i])
	}
}

// ensureMonPVC makes the claim of a mon that keeps its store on one.
func (o *Operator) ensureMonPVC(ctx context.Context, m mon) error {
	if !o.cluster.Spec.MonsOnPVC() {
		return nil
	}
	pvc := shapes.Make[corev1.PersistentVolumeClaim](o.cluster, "monClaim", o.monValues(m))
	if err := o.write.create(ctx, pvc); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("failed to create mon %s pvc: %w", m.id, err)
	}
	return nil
}
