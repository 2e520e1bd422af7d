package cli

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func podIn(phase corev1.PodPhase, states ...corev1.ContainerState) *corev1.Pod {
	pod := &corev1.Pod{Status: corev1.PodStatus{Phase: phase}}
	for _, state := range states {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{State: state})
	}
	return pod
}

func TestWhatAPodWaitsForIsTold(t *testing.T) {
	waits := func(why, message string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: why, Message: message}}
	}
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error"}}
	cannotStart := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError", Message: "exec format error"}}
	unschedulable := podIn(corev1.PodPending)
	unschedulable.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available"}}
	late := podIn(corev1.PodFailed, ended)
	late.Status.Reason, late.Status.Message = "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
	for name, c := range map[string]struct {
		pod     *corev1.Pod
		ended   bool
		waiting string
		err     string
	}{
		"it was just made":            {podIn(corev1.PodPending), false, "its phase is Pending", ""},
		"no node takes it":            {unschedulable, false, "0/3 nodes are available", ""},
		"its image is pulled":         {podIn(corev1.PodPending, waits("ContainerCreating", "")), false, "ContainerCreating: ", ""},
		"a pull failed once":          {podIn(corev1.PodPending, waits("ErrImagePull", "timeout")), false, "ErrImagePull: timeout", ""},
		"its image cannot be pulled":  {podIn(corev1.PodPending, waits("ImagePullBackOff", "not found")), false, "ImagePullBackOff: not found", "give another image"},
		"its image is of another CPU": {podIn(corev1.PodFailed, cannotStart), false, "", "exec format error"},
		"it runs":                     {podIn(corev1.PodRunning, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}), false, "its phase is Running", ""},
		"it found a fault":            {podIn(corev1.PodFailed, ended), true, "", ""},
		"it took too long":            {late, false, "", "longer than the specified deadline"},
		"it was evicted":              {podIn(corev1.PodFailed), false, "", "no reason is given"},
	} {
		t.Run(name, func(t *testing.T) {
			isEnded, waiting, err := progressOf(c.pod)
			require.Equal(t, c.ended, isEnded)
			require.Equal(t, c.waiting, waiting)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
		})
	}
}

func TestThePodIsRemovedWhateverHappens(t *testing.T) {
	for name, c := range map[string]struct {
		interrupt bool
		timeout   time.Duration
		refuse    error
		says      string
	}{
		"it is interrupted while it waits":  {interrupt: true, timeout: time.Minute, says: "context canceled"},
		"the pod takes too long":            {timeout: 10 * time.Millisecond, says: "did not end within 10ms: its phase is Pending"},
		"the creation came through, or not": {timeout: time.Minute, refuse: errors.New("connection reset"), says: "connection reset"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			clients := fake.NewClientset()
			clients.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
				pod, _ := action.(clienttesting.CreateAction).GetObject().(*corev1.Pod)
				pod.Status.Phase = corev1.PodPending
				require.NoError(t, clients.Tracker().Add(pod))
				if c.interrupt {
					interrupt()
				}
				return true, pod, c.refuse
			})
			_, err := outputOf(ctx, clients, probePod("rook-ceph", "rook-clusterset-probe-x", "i", nil, time.Minute), c.timeout, &bytes.Buffer{})
			require.ErrorContains(t, err, c.says)
			left, err := clients.CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
			require.NoError(t, err)
			require.Empty(t, left.Items)
		})
	}
}

func TestAPodThatCannotBeRemovedIsNamed(t *testing.T) {
	clients := fake.NewClientset()
	clients.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("connection refused")
	})
	_, err := outputOf(t.Context(), clients, probePod("rook-ceph", "rook-clusterset-probe-x", "i", nil, time.Minute), time.Millisecond, &bytes.Buffer{})
	require.ErrorContains(t, err, "kubectl -n rook-ceph delete pod rook-clusterset-probe-x")
}

func TestThePodHasTheImageThatRunsThere(t *testing.T) {
	installed := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-clusterset", Name: "rook-clusterset"}}
	installed.Spec.Template.Spec.Containers = []corev1.Container{{Image: "registry.example/rook-clusterset:v9"}}
	require.Equal(t, "registry.example/rook-clusterset:v9", installedImage(t.Context(), fake.NewClientset(installed), "v1"))
	require.Equal(t, "ghcr.io/rook-clusterset/rook-clusterset:v1", installedImage(t.Context(), fake.NewClientset(), "v1"))
}
