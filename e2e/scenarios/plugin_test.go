package scenarios_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKubectlRunsTheProgramAsItsPlugin(t *testing.T) {
	s := newStory(t, true)
	program, err := s.World.Plane.Program(t.Context())
	require.NoError(t, err)
	plugins := t.TempDir()
	require.NoError(t, os.Symlink(program, filepath.Join(plugins, "kubectl-rook_clusterset")))
	kubectl := func(args ...string) (string, int) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), args...)
		cmd.Env = append(os.Environ(), "PATH="+plugins, "KUBECONFIG="+s.World.Plane.Kubeconfig, "HOME="+plugins)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	out, code := kubectl("rook-clusterset", "status", "--help")
	require.Zero(t, code, out)
	require.Contains(t, out, "kubectl rook-clusterset status")

	out, code = kubectl("rook-clusterset", "status", "-n", s.Namespace)
	require.Equal(t, 1, code)
	require.Contains(t, out, "error: no mon or OSD was found")

	out, code = kubectl("rook-clusterset", "status", "-n", s.Namespace, "--as=nobody", "--request-timeout=5s")
	require.Equal(t, 2, code)
	require.Contains(t, out, `User "nobody" cannot`)

	out, code = kubectl("rook-clusterset", "status", "--context=elsewhere")
	require.Equal(t, 2, code)
	require.Contains(t, out, `"elsewhere" does not exist`)
}
