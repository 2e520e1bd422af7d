package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/addresses"
	"github.com/rook-clusterset/rook-clusterset/doctor"
	"github.com/rook-clusterset/rook-clusterset/e2e/pages"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
	"github.com/rook-clusterset/rook-clusterset/kinds"
)

func (s *story) addressesObject(name string) *unstructured.Unstructured {
	return world.Object("rook-clusterset.io/v1alpha1", "CephClusterAddresses", s.Namespace, name)
}

// ready returns status and reason of the condition Ready of what machines are told.
func (s *story) ready() string {
	s.t.Helper()
	found := s.addressesObject("my-cluster")
	_ = s.World.Plane.Client.Get(s.t.Context(), client.ObjectKeyFromObject(found), found)
	if ready := meta.FindStatusCondition(kinds.Conditions(found), addresses.Ready); ready != nil {
		return string(ready.Status) + " " + ready.Reason
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
	require.NoError(t, s.World.Plane.Client.Create(t.Context(), s.addressesObject("my-cluster")))
	require.Error(t, s.waitReady("1s"), "one that was just made is not ready")
	s.eventually("it is told that there is no CephCluster", func() bool { return s.ready() == "False CephClusterUnknown" })

	s.createCephCluster()
	s.startOperator()
	require.NoError(t, s.waitReady("90s"))
	s.everyDaemonIsGlobal()
	require.Equal(t, "True Ok", s.ready())

	s.labelNamespace("enabled=false")
	s.eventually("nobody keeps the addresses any more", func() bool { return s.ready() == "False NamespaceNotEnabled" })
}

func TestWhatMachinesAreToldGoesWithTheCephClusterAndComesAgain(t *testing.T) {
	s := newCluster(t)
	s.eventually("it is ready", func() bool { return s.ready() == "True Ok" })
	made := get(s, s.Namespace, "my-cluster", s.addressesObject("my-cluster"))
	require.Len(t, made.GetOwnerReferences(), 1)
	require.Equal(t, "CephCluster", made.GetOwnerReferences()[0].Kind)
	printed := s.kubectl("get", "cephclusteraddresses")
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
		stranger := s.addressesObject(fmt.Sprintf("a-stranger-%d", i))
		stranger.SetAnnotations(map[string]string{"padding": strings.Repeat("x", 200<<10)})
		require.NoError(t, s.World.Plane.Client.Create(t.Context(), stranger))
	}
	s.bringsUp()
	s.settled()
	s.eventually("it is ready", func() bool { return s.ready() == "True Ok" })
	report, _ := s.check("-n", s.Namespace)
	require.Equal(t, doctor.OK, resultOf(report, "condition").Verdict, resultOf(report, "condition").Found)
}

func TestStatusIsWatchedUntilItIsInterrupted(t *testing.T) {
	s := newStory(t, true)
	program, err := s.World.Plane.Program(t.Context())
	require.NoError(t, err)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	said := func() string {
		text, err := os.ReadFile(out.Name())
		require.NoError(t, err)
		return string(text)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, program, "status", "--watch", "--kubeconfig", s.World.Plane.Kubeconfig, "-n", s.Namespace)
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(syscall.SIGINT) }, 10*time.Second
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(t, cmd.Start())
	s.eventually("it has looked", func() bool { return strings.Contains(said(), "no daemons") })
	s.bringsUp()
	s.settled()
	s.eventually("the last change is told", func() bool { return strings.Contains(said(), " 6 daemons: 6 ok\n") })
	require.Contains(t, said(), s.Namespace+"/rook-ceph-osd-2 is ok with "+s.globalIP("rook-ceph-osd-2").String()+"\n")
	require.NotContains(t, said(), "\x1b", "there is no terminal")

	interrupt()
	_ = cmd.Wait()
	require.Zero(t, cmd.ProcessState.ExitCode(), "all was well at the last look: %s\n%s", cmd.ProcessState, said())
}
