package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilrand "k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/rook-clusterset/rook-clusterset/probe"
)

const (
	// probeName begins the name of the pod, and is its label; that of the manager would make it an endpoint of the webhook.
	probeName = "rook-clusterset-probe"
	// podInterval is how long it is waited between two looks at the pod.
	podInterval = time.Second
	// removalTimeout bounds the removal of the pod, also when the command is interrupted.
	removalTimeout = 15 * time.Second
	// mostOutput bounds what is read of the pod's output: a thousand OSDs take less.
	mostOutput = 8 << 20
)

// probePod returns the pod that probes. It has no token, no right and no privilege, and ends by itself where nobody removes it.
func probePod(namespace, name, image string, args []string, deadline time.Duration) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app.kubernetes.io/name": probeName}},
		Spec: corev1.PodSpec{
			RestartPolicy:                 corev1.RestartPolicyNever,
			ActiveDeadlineSeconds:         new(int64(deadline.Seconds())),
			TerminationGracePeriodSeconds: new(int64(1)),
			AutomountServiceAccountToken:  new(false),
			EnableServiceLinks:            new(false),
			NodeSelector:                  map[string]string{corev1.LabelOSStable: string(corev1.Linux)},
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:   new(true),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "probe", Image: image, ImagePullPolicy: corev1.PullIfNotPresent, Args: args,
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("32Mi")},
					Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("128Mi")},
				},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: new(false),
					ReadOnlyRootFilesystem:   new(true),
					Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}

// elsewhere probes from a pod in the cluster that the flags name.
func (f probeFlags) elsewhere(ctx context.Context, version string, targets []probe.Target, errOut io.Writer) ([]probe.Finding, error) {
	arguments := probe.Arguments(targets)
	if len(arguments) == 0 {
		return probe.Named(targets, nil), nil
	}
	config, err := f.cluster.restConfig(version)
	if err != nil {
		return nil, err
	}
	clients, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	image := f.image
	if image == "" {
		image = installedImage(ctx, clients, version)
	}
	args := []string{"probe", "--output=json", "--timeout=" + f.timeout.String()}
	for _, cidr := range f.globalCIDRs {
		args = append(args, "--global-cidr="+cidr)
	}
	pod := probePod(f.namespace, probeName+"-"+utilrand.String(5), image, append(args, arguments...), f.podTimeout)
	text, err := outputOf(ctx, clients, pod, f.podTimeout, errOut)
	if err != nil {
		return nil, err
	}
	var found []probe.Finding
	if err := json.Unmarshal(text, &found); err != nil {
		return nil, fmt.Errorf("read what the pod found: it said %q", oneLine(errors.New(string(text[:min(len(text), 500)]))))
	}
	return probe.Named(targets, found), nil
}

// installedImage returns the image that runs in the cluster, or that of this very release.
func installedImage(ctx context.Context, clients kubernetes.Interface, version string) string {
	if d, err := clients.AppsV1().Deployments(installNamespace).Get(ctx, installNamespace, metav1.GetOptions{}); err == nil {
		for i := range d.Spec.Template.Spec.Containers {
			return d.Spec.Template.Spec.Containers[i].Image
		}
	}
	return "ghcr.io/rook-clusterset/rook-clusterset:" + version
}

// outputOf runs a pod to its end, returns what it printed, and removes it, whatever happens.
func outputOf(ctx context.Context, clients kubernetes.Interface, pod *corev1.Pod, timeout time.Duration, errOut io.Writer) (text []byte, err error) {
	name := pod.Namespace + "/" + pod.Name
	// One whose creation was interrupted can be there all the same.
	defer func() { err = errors.Join(err, remove(context.WithoutCancel(ctx), clients, pod)) }()
	if _, err := clients.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("create pod %s: %w", name, err)
	}
	fmt.Fprintf(errOut, "probing from pod %s with image %s\n", name, pod.Spec.Containers[0].Image)
	waiting := "it was not looked at"
	err = wait.PollUntilContextTimeout(ctx, podInterval, timeout, true, func(ctx context.Context) (bool, error) {
		found, err := clients.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			waiting = err.Error()
			return false, ignoreUnlessGone(err)
		}
		var ended bool
		ended, waiting, err = progressOf(found)
		return ended, err
	})
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("wait for pod %s: %w", name, context.Cause(ctx))
	case wait.Interrupted(err):
		return nil, fmt.Errorf("pod %s did not end within %s: %s", name, timeout, waiting)
	case err != nil:
		return nil, fmt.Errorf("pod %s: %w", name, err)
	}
	options := &corev1.PodLogOptions{Container: pod.Spec.Containers[0].Name, LimitBytes: new(int64(mostOutput))}
	if text, err = clients.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, options).DoRaw(ctx); err != nil {
		return nil, fmt.Errorf("read what pod %s printed: %w", name, err)
	}
	return text, nil
}

// ignoreUnlessGone lets an API server be away for a moment.
func ignoreUnlessGone(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		return err
	}
	return nil
}

// hopeless are the reasons for which a container does not start however long it is waited.
var hopeless = []string{"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError"}

// progressOf says whether a pod has ended with something to read, and else what it waits for. An error is what keeps it from it.
func progressOf(pod *corev1.Pod) (ended bool, waiting string, err error) {
	for i := range pod.Status.ContainerStatuses {
		state := pod.Status.ContainerStatuses[i].State
		switch {
		case state.Terminated != nil && state.Terminated.Reason == "StartError":
			return false, "", fmt.Errorf("it cannot start (%s); give another image with --image", state.Terminated.Message)
		case state.Terminated != nil && pod.Status.Reason == "":
			return true, "", nil
		case state.Waiting != nil && state.Waiting.Reason != "":
			waiting = state.Waiting.Reason + ": " + state.Waiting.Message
			if slices.Contains(hopeless, state.Waiting.Reason) {
				return false, waiting, fmt.Errorf("it cannot start (%s); give another image with --image", waiting)
			}
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return false, "", fmt.Errorf("it failed: %s", cmp.Or(pod.Status.Message, pod.Status.Reason, "no reason is given"))
	}
	for _, condition := range pod.Status.Conditions {
		if waiting == "" && condition.Status == corev1.ConditionFalse && condition.Message != "" {
			waiting = condition.Message
		}
	}
	return false, cmp.Or(waiting, "its phase is "+string(pod.Status.Phase)), nil
}

func remove(ctx context.Context, clients kubernetes.Interface, pod *corev1.Pod) error {
	ctx, cancel := context.WithTimeout(ctx, removalTimeout)
	defer cancel()
	err := clients.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("pod %[1]s/%[2]s is left (%[3]w): kubectl -n %[1]s delete pod %[2]s", pod.Namespace, pod.Name, err)
	}
	return nil
}
