package scenarios_test

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// commandsOf returns the commands of the first block below a heading.
func commandsOf(t *testing.T, page, heading string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	found := regexp.MustCompile("(?s)\n" + regexp.QuoteMeta(heading) + "\n.*?\n```sh\n(.*?)```").FindSubmatch(text)
	require.Len(t, found, 2, "%s has no commands below %q", page, heading)
	return string(found[1])
}

// shell runs commands as an admin types them: at the top of the tree, with kubectl in the PATH.
func (s *story) shell(commands string) {
	s.t.Helper()
	root, err := assets.ModuleRoot(s.t.Context())
	require.NoError(s.t, err)
	cmd := exec.CommandContext(s.t.Context(), "bash", "-e", "-c", commands)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("KUBEBUILDER_ASSETS")+":"+os.Getenv("PATH"), "KUBECONFIG="+s.World.Plane.Kubeconfig, "HOME="+s.t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, string(out))
}

func TestTheREADMEsUninstallLeavesAClusterThatGoesOn(t *testing.T) {
	w, err := world.Start(t.Context(), mcsstandin.Options{FreshAddresses: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Stop()) })
	site, err := w.NewSite(t.Context(), "rook-ceph", true)
	require.NoError(t, err)
	watchReplicas(t, w.Plane)
	s := &story{Site: site, t: t}
	s.createCephCluster()
	s.startOperator()
	s.comesUp()
	s.global(3)
	s.everyOSDIsGlobal("0", "1", "2")
	before := s.addresses()
	require.Len(t, before, 6)

	uninstall := commandsOf(t, "../../README.md", "## Uninstall")
	require.Equal(t, uninstall, regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(commandsOf(t, "../../docs/uninstall.md", "## Taking rook-clusterset away"), ""))
	s.shell(uninstall)
	// The pods of a Deployment that is gone end.
	for _, replica := range w.Replicas {
		require.NoError(t, replica.Stop())
	}
	require.True(t, apierrors.IsNotFound(w.Plane.Client.Get(t.Context(), client.ObjectKey{Name: "rook-clusterset"}, &corev1.Namespace{})))
	s.shell(uninstall)

	for _, name := range []string{"rook-ceph-mon-a", "rook-ceph-mon-b", "rook-ceph-mon-c", "rook-ceph-osd-0", "rook-ceph-osd-1", "rook-ceph-osd-2"} {
		_, err := s.Export(t.Context(), name)
		require.NoError(t, err, "the address of %s would be given to another", name)
		require.NoError(t, w.Plane.Client.Get(t.Context(), client.ObjectKey{Namespace: s.Namespace, Name: name}, &corev1.Service{}))
	}
	s.reconcileAgain()
	for _, mon := range []string{"a", "b", "c"} {
		require.Equal(t, before[mon], s.addresses()[mon], "a mon keeps for life what it was born with")
	}
	s.eventually("the OSDs are up, without global IPs", func() bool {
		up := s.Ceph.OSDMap()
		return len(up) == 3 && !slices.ContainsFunc(slices.Collect(maps.Values(up)), globalRange.Contains)
	})
}
