package rookstandin

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
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

// FromPods reads pods and Deployments: something must run a deployment controller and play the kubelets.
type FromPods struct {
	Client client.Client
}

// Scheduled implements Kubelet.
func (k FromPods) Scheduled(ctx context.Context, d *appsv1.Deployment) (string, bool, error) {
	pods, err := k.pods(ctx, d)
	for i := range pods {
		if pods[i].Spec.NodeName != "" {
			return pods[i].Spec.NodeName, true, nil
		}
	}
	return "", false, err
}

// Running implements Kubelet.
func (k FromPods) Running(ctx context.Context, d *appsv1.Deployment) (bool, error) {
	pods, err := k.pods(ctx, d)
	return slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning }), err
}

// Updated implements Kubelet.
func (FromPods) Updated(before, now *appsv1.Deployment) bool {
	return now.Status.ObservedGeneration != before.Status.ObservedGeneration &&
		now.Status.UpdatedReplicas > 0 && now.Status.ReadyReplicas > 0
}

func (k FromPods) pods(ctx context.Context, d *appsv1.Deployment) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	err := k.Client.List(ctx, list, client.InNamespace(d.Namespace), client.MatchingLabels(d.Spec.Selector.MatchLabels))
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
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("get Deployment %s: %w", d.Name, err)
	}
	return stored.Spec.Replicas == nil || *stored.Spec.Replicas > 0, nil
}

// Updated implements Kubelet.
func (Assumed) Updated(_, _ *appsv1.Deployment) bool { return true }

// PlayKubelet plays scheduler and kubelet for the pods of one namespace until the context ends: each pod gets a node,
// an address and the state of one that runs and is ready, and is gone when it is deleted. The nodes are made if they
// are missing. It returns once it has begun.
func PlayKubelet(ctx context.Context, c client.WithWatch, namespace string, nodes []Node) error {
	for _, node := range nodes {
		if err := ensureNode(ctx, c, node); err != nil {
			return err
		}
	}
	f, err := follow(ctx, c, func() client.ObjectList { return &corev1.PodList{} }, client.InNamespace(namespace))
	if err != nil {
		return err
	}
	k := &playedKubelet{client: c, nodes: nodes, next: netip.MustParseAddr("10.244.0.1")}
	go f.run(ctx, func(event watch.EventType, o client.Object) {
		if pod, ok := o.(*corev1.Pod); ok && event != watch.Deleted {
			k.play(ctx, pod)
		}
	})
	return nil
}

type playedKubelet struct {
	client client.Client
	nodes  []Node
	mu     sync.Mutex
	next   netip.Addr
	turn   int
}

// play leaves errors to the next event of the pod, as those are conflicts with other writers of it.
func (k *playedKubelet) play(ctx context.Context, pod *corev1.Pod) {
	switch {
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
	k.mu.Lock()
	k.next = k.next.Next()
	ip := k.next.String()
	k.mu.Unlock()
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
