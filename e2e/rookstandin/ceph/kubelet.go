package ceph

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/follow"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// PlayKubelet plays scheduler and kubelet for the pods of one namespace until the context ends: each pod gets a node,
// an address and the state of one that runs and is ready, and is gone when it is deleted. The nodes are made if they
// are missing. It returns once it has begun.
func PlayKubelet(ctx context.Context, c client.WithWatch, namespace string, nodes []Node) error {
	for _, node := range nodes {
		made := shapes.Make[corev1.Node](nil, "node", shapes.Values{"name": node.Name, "address": node.Address, "now": metav1.Now()})
		if err := client.IgnoreAlreadyExists(c.Create(ctx, made)); err != nil {
			return fmt.Errorf("create Node %s: %w", node.Name, err)
		}
	}
	k := &playedKubelet{client: c, nodes: nodes, next: netip.MustParseAddr("10.244.0.1")}
	run, err := follow.Start(ctx, c, &corev1.PodList{}, k.play, client.InNamespace(namespace))
	if err != nil {
		return err
	}
	go run()
	return nil
}

type playedKubelet struct {
	client client.Client
	nodes  []Node
	next   netip.Addr
	turn   int
}

// play leaves errors to the next event of the pod, as those are conflicts with other writers of it.
func (k *playedKubelet) play(ctx context.Context, event watch.EventType, o client.Object) {
	pod, ok := o.(*corev1.Pod)
	switch {
	case !ok || event == watch.Deleted:
	case pod.DeletionTimestamp != nil:
		_ = k.client.Delete(ctx, pod, client.GracePeriodSeconds(0))
	case pod.Spec.NodeName == "":
		node := pod.Spec.NodeSelector[corev1.LabelHostname]
		if node == "" {
			node = k.nodes[k.turn%len(k.nodes)].Name
			k.turn++
		}
		binding := &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: node}}
		_ = k.client.SubResource("binding").Create(ctx, pod, binding)
	case pod.Status.Phase != corev1.PodRunning:
		k.next = k.next.Next()
		runs := shapes.Text(nil, "runs", shapes.Values{"ip": k.next, "now": metav1.Now(), "containers": pod.Spec.Containers})
		_ = k.client.Status().Patch(ctx, pod.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(runs)))
	}
}
