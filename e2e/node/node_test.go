package node_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rook-clusterset/rook-clusterset/e2e/node"
)

const (
	// proofVariable asks for the tests that need root and minutes.
	proofVariable = "ROOK_CLUSTERSET_PROOF"
	// crashVariable makes the test's program one that starts a node, in the directory that it names, and then waits to
	// be killed.
	crashVariable = "NODE_TEST_CRASH"
	crashing      = "clusterset-crash"
)

// server is a pod that tells its name to whoever connects, and a Service with an external IP before it.
const server = `
apiVersion: v1
kind: Pod
metadata: {name: server, namespace: default, labels: {app: server}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: server
    image: localhost/ceph:e2e
    command: [python3, -u, -c]
    args:
    - |
      import os, socketserver
      class Tell(socketserver.StreamRequestHandler):
          def handle(self): self.wfile.write(os.environ["TOLD"].encode())
      socketserver.ThreadingTCPServer(("", 7000), Tell).serve_forever()
    env: [{name: TOLD, value: %q}]
    readinessProbe: {tcpSocket: {port: 7000}, periodSeconds: 1}
    securityContext: {privileged: true}
---
apiVersion: v1
kind: Service
metadata: {name: server, namespace: default}
spec:
  selector: {app: server}
  ports: [{port: 7000}]
  externalIPs: [242.0.0.10]
`

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	if dir := os.Getenv(crashVariable); dir != "" {
		crash(dir)
	}
	os.Exit(m.Run())
}

// crash starts a node with a pod, says so, and waits.
func crash(dir string) {
	ctx := context.Background()
	programs, err := node.Assets(ctx)
	if err == nil {
		_, err = start(ctx, programs, crashing, dir)
	}
	fmt.Println(err)
	if err != nil {
		os.Exit(1)
	}
	select {}
}

func start(ctx context.Context, programs, name, dir string) (*node.Node, error) {
	images := []string{filepath.Join(programs, "ceph.tar")}
	n, err := node.Start(ctx, node.Options{Name: name, Dir: dir, Programs: programs, Images: images})
	if err != nil {
		return nil, err
	}
	if out, err := n.Kubectl(ctx, fmt.Appendf(nil, server, name), "apply", "-f", "-"); err != nil {
		return n, fmt.Errorf("%w: %s", err, out)
	}
	_, err = n.Kubectl(ctx, nil, "wait", "--for=condition=Ready", "--timeout=60s", "pod/server")
	return n, err
}

// programs skips the test unless it is asked for; what is asked for and cannot be done is a failure.
func programs(t *testing.T) string {
	t.Helper()
	if os.Getenv(proofVariable) == "" {
		t.Skipf("it starts real nodes, as root: set %s=1 to have it", proofVariable)
	}
	require.Empty(t, node.Lacking())
	dir, err := node.Assets(t.Context())
	require.NoError(t, err)
	return dir
}

// dirOf is short, unlike what the testing package gives.
func dirOf(name string) string { return filepath.Join(os.TempDir(), name) }

func TestTwoNodesWithTheSameNetworks(t *testing.T) {
	assets := programs(t)
	nodes := map[string]*node.Node{}
	for _, name := range []string{"clusterset-one", "clusterset-two"} {
		started := time.Now()
		n, err := start(t.Context(), assets, name, dirOf(name))
		if n != nil {
			t.Cleanup(func() { require.NoError(t, n.Stop()) })
		}
		require.NoError(t, err)
		t.Logf("%s is Ready, with a pod, after %s", name, time.Since(started).Round(time.Millisecond))
		nodes[name] = n
	}
	for name, n := range nodes {
		t.Run(name, func(t *testing.T) { reaches(t, n) })
	}
	for name, n := range nodes {
		stopping := time.Now()
		require.NoError(t, n.Stop())
		t.Logf("%s is stopped after %s", name, time.Since(stopping).Round(time.Millisecond))
		require.Empty(t, node.Leftovers(dirOf(name), name))
		require.NoError(t, n.Stop(), "what is stopped can be stopped again")
	}

	again, err := start(t.Context(), assets, "clusterset-one", dirOf("clusterset-one-again"))
	if again != nil {
		t.Cleanup(func() { require.NoError(t, again.Stop()) })
	}
	require.NoError(t, err)
	reaches(t, again)
}

// reaches connects to the server of the node in each way that there is, and is answered by that of this node.
func reaches(t *testing.T, n *node.Node) {
	t.Helper()
	var pod corev1.Pod
	require.NoError(t, n.Client.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "server"}, &pod))
	var service corev1.Service
	require.NoError(t, n.Client.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "server"}, &service))
	for what, ip := range map[string]string{"pod": pod.Status.PodIP, "Service": service.Spec.ClusterIP, "external": "242.0.0.10"} {
		address := net.JoinHostPort(ip, "7000")
		require.Eventually(t, func() bool { return fromNode(t, n, address) == n.Name }, 10*time.Second, 100*time.Millisecond, "%s IP, from the node", what)
		// The only pod is the only endpoint: it has to reach itself.
		out, err := n.Exec(t.Context(), "default", "server", "", nil, "bash", "-c", "cat < /dev/tcp/"+ip+"/7000")
		require.NoError(t, err, "%s IP, from the pod", what)
		require.Equal(t, n.Name, out)
	}
	out, err := n.Exec(t.Context(), "default", "server", "server", strings.NewReader("sent"), "cat")
	require.NoError(t, err)
	require.Equal(t, "sent", out)
	_, err = n.Exec(t.Context(), "default", "server", "server", nil, "sh", "-c", "echo why >&2; exit 3")
	require.ErrorContains(t, err, "why")

	raw, err := n.Command(t.Context(), "ip", "-brief", "address").Output()
	require.NoError(t, err)
	require.Contains(t, string(raw), n.NodeIP.String())
	out, err = n.Exec(t.Context(), "default", "server", "", nil, "cat", "/etc/resolv.conf")
	require.NoError(t, err)
	require.Contains(t, out, "nameserver "+n.NodeIP.String())
}

func fromNode(t *testing.T, n *node.Node, address string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	conn, err := n.DialContext(ctx, "tcp", address)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = conn.Close() }()
	told, err := io.ReadAll(conn)
	if err != nil {
		return err.Error()
	}
	return string(told)
}

func TestWhatIsNoNodeIsRefusedAtOnce(t *testing.T) {
	for _, o := range []node.Options{
		{Dir: "/tmp/n"},
		{Name: "../n", Dir: "/tmp/n"},
		{Name: "n"},
		{Name: "n", Dir: "n"},
		{Name: "n", Dir: "/"},
		{Name: "n", Dir: "/tmp/../etc"},
		{Name: "n", Dir: "/" + strings.Repeat("n", 40)},
	} {
		n, err := node.Start(t.Context(), o)
		require.Error(t, err, "%+v", o)
		require.Nil(t, n)
		require.Error(t, node.CleanUp(o.Dir, o.Name), "what Start refuses is not for CleanUp to remove")
	}
}

func TestTheMachineLacksNothing(t *testing.T) {
	if os.Getenv(proofVariable) == "" {
		t.Skip("nobody asks this machine for a node")
	}
	require.Empty(t, node.Lacking())
}

func TestACrashedRunIsCleanedUpAfter(t *testing.T) {
	_ = programs(t)
	dir := dirOf(crashing)
	run := exec.Command(os.Args[0])
	run.Env = append(os.Environ(), crashVariable+"="+dir)
	run.Stderr = os.Stderr
	out, err := run.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, run.Start())
	t.Cleanup(func() {
		_ = run.Process.Kill()
		_ = run.Wait()
		require.NoError(t, node.CleanUp(dir, crashing))
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "<nil>\n", line)
	require.ErrorContains(t, node.CleanUp(dir, crashing), "another run", "one does not clean up after the living")

	require.NoError(t, run.Process.Kill())
	_ = run.Wait()
	left := strings.Join(node.Leftovers(dir, crashing), "\n")
	for _, kind := range []string{"process", "/usr/local/bin/pause", "python3 -u", "containerd-shim", "mount", "network namespace", "cgroup", "directory"} {
		require.Contains(t, left, kind)
	}
	require.NoError(t, node.CleanUp(dirOf("clusterset-elsewhere"), crashing), "the run noted where its files are")
	require.Empty(t, node.Leftovers(dir, crashing))
	require.NoError(t, node.CleanUp(dir, crashing), "where nothing is there is nothing to do")
}
