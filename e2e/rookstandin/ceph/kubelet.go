package ceph

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/follow"
)

// PlayKubelet plays scheduler and kubelet for the pods of one namespace until the context ends: each pod gets a node,
// an address and the state of one that runs and is ready, and is gone when it is deleted. The nodes are made if they
// are missing. It returns once it has begun.
func PlayKubelet(ctx context.Context, c client.WithWatch, namespace string, nodes []Node) error {
	for _, node := range nodes {
		if err := ensureNode(ctx, c, node); err != nil {
			return err
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
		_ = k.client.Status().Patch(ctx, k.running(pod), client.MergeFrom(pod))
	}
}

func (k *playedKubelet) running(pod *corev1.Pod) *corev1.Pod {
	k.next = k.next.Next()
	ip := k.next.String()
	now := metav1.Now()
	pod = pod.DeepCopy()
	pod.Status.Phase = corev1.PodRunning
	pod.Status.PodIP = ip
	pod.Status.PodIPs = []corev1.PodIP{{IP: ip}}
	pod.Status.StartTime = &now
	pod.Status.Conditions = nil
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		pod.Status.Conditions = append(pod.Status.Conditions,
			corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	pod.Status.ContainerStatuses = nil
	for i := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: pod.Spec.Containers[i].Name, Ready: true, Started: new(true), Image: pod.Spec.Containers[i].Image,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	return pod
}

func ensureNode(ctx context.Context, c client.Client, node Node) error {
	stored := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: map[string]string{corev1.LabelHostname: node.Name}}}
	if err := c.Create(ctx, stored); err != nil {
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return fmt.Errorf("create Node %s: %w", node.Name, err)
	}
	before := stored.DeepCopy()
	stored.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: node.Address}}
	stored.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
	}}
	// The node controllers write the Node too, so it is a patch.
	if err := c.Status().Patch(ctx, stored, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("patch the status of Node %s: %w", node.Name, err)
	}
	return nil
}
