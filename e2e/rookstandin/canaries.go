package rookstandin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

const canaryLeft = "error deleting canary deployment"

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
			o.remove(context.WithoutCancel(ctx), canary, canaryLeft)
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
		o.memory.mapping[m.id] = &nodeInfo{Name: node.Name, Hostname: node.Name, Address: node.Address}
	}
	return nil
}

func (o *Operator) schedule(ctx context.Context, m mon) (*appsv1.Deployment, Node, error) {
	canary := o.canaryDeployment(m)
	timing := o.options.Timing
	var refused error
	err := o.try(ctx, timing.CanaryTries+1, timing.CanaryInterval, func() error {
		refused = o.write.create(ctx, canary.DeepCopy())
		if !apierrors.IsAlreadyExists(refused) {
			return nil
		}
		o.remove(ctx, canary, canaryLeft)
		return refused
	})
	if err = cmp.Or(err, refused); err != nil {
		return nil, Node{}, err
	}
	var name string
	err = o.try(ctx, timing.CanaryTries, timing.CanaryInterval, func() error {
		found, scheduled, err := o.scheduled(ctx, canary)
		if name = found; err == nil && !scheduled {
			err = errors.New("canary pod scheduling failed retries")
		}
		return err
	})
	return canary, o.nodeFor(name, m.id), err
}

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

// nodeFor returns the node of that name. A name that is not known, or none, is a node by turns.
func (o *Operator) nodeFor(name, id string) Node {
	nodes := o.options.Nodes
	if i := slices.IndexFunc(nodes, func(node Node) bool { return node.Name == name }); i >= 0 {
		return nodes[i]
	}
	turn := nodes[shapes.MonIndex(id)%len(nodes)]
	turn.Name = cmp.Or(name, turn.Name)
	return turn
}

// deleteCanaries deletes the canaries that are left over.
func (o *Operator) deleteCanaries(ctx context.Context) {
	list := &appsv1.DeploymentList{}
	err := o.write.client.List(ctx, list, client.InNamespace(o.cluster.Namespace),
		client.MatchingLabels{"app": shapes.MonApp, shapes.CanaryLabel: "true"})
	o.goOn("failed to list canaries", "", err)
	for i := range list.Items {
		o.remove(ctx, &list.Items[i], canaryLeft)
	}
}
