package scenarios_test

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/doctor"
	"github.com/rook-clusterset/rook-clusterset/e2e/pages"
)

func addressesKind(namespace, name string) *unstructured.Unstructured {
	o := object("rook-clusterset.io", "v1alpha1", "CephClusterAddresses")
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

// ready returns status and reason of the condition Ready of what machines are told.
func (s *story) ready() string {
	s.t.Helper()
	found := addressesKind(s.Namespace, "my-cluster")
	if err := s.World.Plane.Client.Get(s.t.Context(), client.ObjectKeyFromObject(found), found); err != nil {
		return ""
	}
	conditions, _, err := unstructured.NestedSlice(found.Object, "status", "conditions")
	require.NoError(s.t, err)
	for _, c := range conditions {
		if condition := c.(map[string]any); condition["type"] == "Ready" {
			return condition["status"].(string) + " " + condition["reason"].(string)
		}
	}
	return ""
}

func (s *story) waitReady(timeout string) error {
	s.t.Helper()
	_, err := s.World.Plane.Kubectl(s.t.Context(), nil, "-n", s.Namespace, "wait", "--for=condition=Ready", "cephclusteraddresses/my-cluster", "--timeout="+timeout)
	return err
}

// What GitOps has in its tree beside the CephCluster is applied with it, and waited for.
func TestWhoWaitsForTheAddressesOfAClusterWaitsUntilEveryDaemonIsGlobal(t *testing.T) {
	s := newStory(t, true)
	require.NoError(t, s.World.Plane.Client.Create(t.Context(), addressesKind(s.Namespace, "my-cluster")))
	require.Error(t, s.waitReady("1s"), "one that was just made is not ready")
	s.eventually("it is told that there is no CephCluster", func() bool { return s.ready() == "False CephClusterUnknown" })

	s.createCephCluster()
	s.startOperator()
	require.NoError(t, s.waitReady("90s"))
	s.everyMonIsGlobal("a", "b", "c")
	s.everyOSDIsGlobal("0", "1", "2")
	require.Equal(t, "True Ok", s.ready())

	_, err := s.World.Plane.Kubectl(t.Context(), nil, "label", "namespace", s.Namespace, "--overwrite", "rook-clusterset.io/enabled=false")
	require.NoError(t, err)
	s.eventually("nobody keeps the addresses any more", func() bool { return s.ready() == "False NamespaceNotEnabled" })
}

func TestWhatMachinesAreToldGoesWithTheCephClusterAndComesAgain(t *testing.T) {
	s := newStory(t, true)
	s.createCephCluster()
	s.startOperator()
	s.comesUp()
	s.settled()
	s.eventually("it is ready", func() bool { return s.ready() == "True Ok" })
	made := addressesKind(s.Namespace, "my-cluster")
	require.NoError(t, s.World.Plane.Client.Get(t.Context(), client.ObjectKeyFromObject(made), made))
	require.Len(t, made.GetOwnerReferences(), 1)
	require.Equal(t, "CephCluster", made.GetOwnerReferences()[0].Kind)
	printed, err := s.World.Plane.Kubectl(t.Context(), nil, "-n", s.Namespace, "get", "cephclusteraddresses")
	require.NoError(t, err)
	shown, err := pages.Shown("../..", "docs/addresses.md")
	require.NoError(t, err)
	columns := func(table string) string {
		header, _, _ := strings.Cut(table, "\n")
		return strings.Join(strings.Fields(header), " ")
	}
	require.Equal(t, columns(shown[0]), "NAMESPACE "+columns(printed))

	require.NoError(t, s.World.Plane.Client.Delete(t.Context(), made))
	s.eventually("it is made again", func() bool { return s.ready() == "True Ok" })
	s.allIsWell(6)
}

// Whoever may write in the namespace of a CephCluster makes objects that come before its own, as large as the API server takes them.
func TestObjectsOfStrangersKeepNobodyFromBeingTold(t *testing.T) {
	s := newStory(t, true)
	for i := range 20 {
		stranger := addressesKind(s.Namespace, fmt.Sprintf("a-stranger-%d", i))
		stranger.SetAnnotations(map[string]string{"padding": strings.Repeat("x", 200<<10)})
		require.NoError(t, s.World.Plane.Client.Create(t.Context(), stranger))
	}
	s.createCephCluster()
	s.startOperator()
	s.comesUp()
	s.settled()
	s.eventually("it is ready", func() bool { return s.ready() == "True Ok" })
	report, _ := s.check(s.World.Plane.Kubeconfig, "-n", s.Namespace)
	i := slices.IndexFunc(report, func(r doctor.Result) bool { return r.Check == "condition" })
	require.Equal(t, doctor.OK, report[i].Verdict, report[i].Found)
}

// watching is `status --watch` without a terminal.
type watching struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (w *watching) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

func (w *watching) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.String()
}

func TestStatusIsWatchedUntilItIsInterrupted(t *testing.T) {
	s := newStory(t, true)
	program, err := s.World.Plane.Program(t.Context())
	require.NoError(t, err)
	var out watching
	cmd := exec.CommandContext(t.Context(), program, "status", "--watch", "--kubeconfig", s.World.Plane.Kubeconfig, "-n", s.Namespace)
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	s.eventually("it has looked", func() bool { return strings.Contains(out.text(), "no daemons") })
	s.createCephCluster()
	s.startOperator()
	s.comesUp()
	s.settled()
	s.eventually("the last change is told", func() bool { return strings.Contains(out.text(), " 6 daemons: 6 ok\n") })
	require.Contains(t, out.text(), s.Namespace+"/rook-ceph-osd-2 is ok with "+s.globalIP("rook-ceph-osd-2").String()+"\n")
	require.NotContains(t, out.text(), "\x1b", "there is no terminal")

	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		_, failed := errors.AsType[*exec.ExitError](err)
		require.False(t, failed, "all was well at the last look: %v\n%s", err, out.text())
	case <-time.After(10 * time.Second):
		require.Fail(t, "it goes on")
	}
}
