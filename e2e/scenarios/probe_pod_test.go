package scenarios_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// kubelet plays a node of one namespace: it runs what a pod asks for as a process, and serves what that printed as a log.
type kubelet struct {
	t         *testing.T
	namespace string
	program   string
	// stuck leaves a pod running for ever.
	stuck bool

	mu   sync.Mutex
	pods []corev1.Pod
	logs map[string][]byte
}

func playKubelet(t *testing.T, namespace string, stuck bool) *kubelet {
	t.Helper()
	program, err := shared.Plane.Program(t.Context())
	require.NoError(t, err)
	k := &kubelet{t: t, namespace: namespace, program: program, stuck: stuck, logs: map[string][]byte{}}
	server := httptest.NewTLSServer(k)
	t.Cleanup(server.Close)
	c := shared.Plane.Client
	// The API server reaches a node as it does a Service here.
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "kubelet"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 10250}}}}
	require.NoError(t, c.Create(t.Context(), service))
	shared.Plane.Route(types.NamespacedName{Namespace: namespace, Name: "kubelet"}, server.Listener.Addr().String())
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-of-" + namespace}}
	require.NoError(t, c.Create(t.Context(), node))
	t.Cleanup(func() { require.NoError(t, c.Delete(context.WithoutCancel(t.Context()), node)) })
	before := node.DeepCopy()
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: service.Spec.ClusterIP}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = 10250
	require.NoError(t, c.Status().Patch(t.Context(), node, client.MergeFrom(before)))
	go k.work(t.Context(), node.Name)
	return k
}

// ServeHTTP implements the kubelet's side of kubectl logs.
func (k *kubelet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	text, ran := k.logs[r.URL.Path]
	if !ran {
		http.Error(w, "no such container: "+r.URL.Path, http.StatusNotFound)
		return
	}
	_, _ = w.Write(text)
}

func (k *kubelet) work(ctx context.Context, node string) {
	c := shared.Plane.Client
	for ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
		found := &corev1.PodList{}
		if c.List(ctx, found, client.InNamespace(k.namespace)) != nil {
			continue
		}
		for i := range found.Items {
			pod := &found.Items[i]
			switch {
			case pod.DeletionTimestamp != nil:
				_ = c.Delete(ctx, pod, client.GracePeriodSeconds(0))
			case pod.Spec.NodeName == "":
				_ = c.SubResource("binding").Create(ctx, pod, &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: pod.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: node}})
			case pod.Status.Phase == corev1.PodPending:
				k.run(ctx, pod)
			}
		}
	}
}

func (k *kubelet) run(ctx context.Context, pod *corev1.Pod) {
	k.mu.Lock()
	k.pods = append(k.pods, *pod)
	k.mu.Unlock()
	container := pod.Spec.Containers[0]
	status := corev1.ContainerStatus{Name: container.Name, Image: container.Image}
	pod.Status.Phase, status.State.Running = corev1.PodRunning, &corev1.ContainerStateRunning{StartedAt: metav1.Now()}
	if !k.stuck {
		var out bytes.Buffer
		cmd := exec.CommandContext(ctx, k.program, container.Args...)
		cmd.Stdout = &out
		_ = cmd.Run()
		k.mu.Lock()
		k.logs[fmt.Sprintf("/containerLogs/%s/%s/%s", k.namespace, pod.Name, container.Name)] = out.Bytes()
		k.mu.Unlock()
		pod.Status.Phase, status.State.Running = corev1.PodFailed, nil
		status.State.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", FinishedAt: metav1.Now()}
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{status}
	_ = shared.Plane.Client.Status().Update(ctx, pod)
}

// probed are the pods that ran.
func (k *kubelet) probed() []corev1.Pod {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.pods
}

// restricted makes a namespace that takes only pods with the least privileges, and can take one.
func restricted(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("probe-%d", siteNumber.Add(1))
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}}}
	require.NoError(t, shared.Plane.Client.Create(t.Context(), namespace))
	require.Eventually(t, func() bool {
		return shared.Plane.Client.Get(t.Context(), client.ObjectKey{Namespace: name, Name: "default"}, &corev1.ServiceAccount{}) == nil
	}, 30*time.Second, 50*time.Millisecond)
	return name
}

func noPods(t *testing.T, namespace string) {
	t.Helper()
	require.Eventually(t, func() bool {
		left := &corev1.PodList{}
		return shared.Plane.Client.List(t.Context(), left, client.InNamespace(namespace)) == nil && len(left.Items) == 0
	}, 30*time.Second, 50*time.Millisecond, "the pod is removed")
}

func TestAProbeFromAPodIsToldHereAndLeavesNothing(t *testing.T) {
	shared.enter(t, 1)
	watchReplicas(t, shared.Plane)
	namespace := restricted(t)
	k := playKubelet(t, namespace, false)
	const key = "AQBzZWNyZXRzZWNyZXRzZWNyZXRzZWNyZXQ="
	token, err := json.Marshal(map[string]string{"key": key, "mon_host": "127.0.0.1:3300"})
	require.NoError(t, err)
	files := t.TempDir()
	tokenFile, statusFile := filepath.Join(files, "token"), filepath.Join(files, "status.json")
	require.NoError(t, os.WriteFile(tokenFile, []byte(base64.StdEncoding.EncodeToString(token)), 0o600))
	require.NoError(t, os.WriteFile(statusFile, []byte(`{"apiVersion": "status.rook-clusterset.io/v1", "daemons": [
	  {"namespace": "rook-ceph", "type": "mon", "id": "a", "globalIP": "127.0.0.1"}, {"namespace": "rook-ceph", "type": "osd", "id": "7", "globalIP": ""}]}`), 0o600))
	for name, c := range map[string]struct {
		args    []string
		daemons []string
	}{
		"by the status of the other cluster": {[]string{"--status", statusFile}, []string{"rook-ceph/mon.a refused", "rook-ceph/mon.a refused", "rook-ceph/osd.7 no_address"}},
		"by a token":                         {[]string{"--token-file", tokenFile}, []string{"mon refused", "mon refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"probe", "--in-cluster", "-n", namespace, "-o", "json", "--timeout", "1s"}
			said, err := shared.Run(t.Context(), append(args, c.args...)...)
			require.NoError(t, err)
			require.Equal(t, 1, said.Code, said.Err)
			require.Contains(t, said.Err, "probing from pod "+namespace+"/rook-clusterset-probe-")
			var findings []struct{ Daemon, Verdict string }
			require.NoError(t, json.Unmarshal([]byte(said.Out), &findings), said.Out)
			var told []string
			for _, f := range findings {
				told = append(told, f.Daemon+" "+f.Verdict)
			}
			require.Equal(t, c.daemons, told)
			noPods(t, namespace)
		})
	}
	require.Len(t, k.probed(), 2)
	for _, pod := range k.probed() {
		text, err := json.Marshal(pod)
		require.NoError(t, err)
		require.NotContains(t, string(text), key[4:20], "the token stays where it is")
		require.Empty(t, pod.Spec.Volumes, "it has no token of the API server")
		service := &corev1.Service{}
		require.NoError(t, shared.Plane.Client.Get(t.Context(), client.ObjectKey{Namespace: "rook-clusterset", Name: "rook-clusterset-webhook"}, service))
		for label, value := range service.Spec.Selector {
			require.NotEqual(t, value, pod.Labels[label], "it must be no endpoint of the webhook")
		}
	}
}

func TestAProbeThatIsInterruptedLeavesNothing(t *testing.T) {
	shared.enter(t, 1)
	watchReplicas(t, shared.Plane)
	namespace := restricted(t)
	k := playKubelet(t, namespace, true)
	cmd := exec.CommandContext(t.Context(), k.program, "probe", "--in-cluster", "-n", namespace, "--kubeconfig", shared.Plane.Kubeconfig, "mon=127.0.0.1")
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return len(k.probed()) == 1 }, 60*time.Second, 50*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait()
	require.Equal(t, 2, cmd.ProcessState.ExitCode(), errOut.String())
	noPods(t, namespace)
	require.True(t, apierrors.IsNotFound(shared.Plane.Client.Get(t.Context(), client.ObjectKeyFromObject(&k.probed()[0]), &corev1.Pod{})))
}
