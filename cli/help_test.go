package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHelpShowsTheFlagsOfTheCommandBeforeThoseOfKubectl(t *testing.T) {
	for name, own := range map[string]string{"status": "--watch", "check": "--wait", "plan": "--namespace", "probe": "--in-cluster", "manager": "--hold"} {
		t.Run(name, func(t *testing.T) {
			help, _, err := command(t, "", name, "--help")
			require.NoError(t, err)
			before, after, found := strings.Cut(help, "\nFlags of kubectl, by which the cluster is found:\n")
			require.True(t, found, help)
			require.Contains(t, before, " "+own+" ")
			require.NotContains(t, before, "--kubeconfig")
			require.Contains(t, after, "--kubeconfig")
		})
	}
	help, _, err := command(t, "", "rewrite", "--help")
	require.NoError(t, err)
	require.NotContains(t, help, "kubectl, by which", "it asks no cluster")
}

func TestExamplesAreWhatTheUserWouldType(t *testing.T) {
	for program, want := range map[string]string{
		"kubectl-rook_clusterset": "\n  kubectl rook-clusterset check --pre ",
		"rook-clusterset":         "\n  rook-clusterset check --pre ",
	} {
		var out bytes.Buffer
		require.Zero(t, Main(t.Context(), "", []string{program, "check", "--help"}, nil, &out, nil))
		require.Contains(t, out.String(), want)
	}
	for _, cmd := range Root("", "rook-clusterset").Commands() {
		require.NotContains(t, cmd.Example, called)
	}
}

// A script must not take a typing error for a cluster that is not well.
func TestACommandThatIsCalledWronglySaysHowAndCouldNotTell(t *testing.T) {
	for call, want := range map[string]string{
		"check --foo":                          "unknown flag: --foo: see rook-clusterset check --help",
		"check rook-ceph":                      `rook-clusterset check takes flags alone, and was given "rook-ceph": see rook-clusterset check --help`,
		"check --wait soon":                    `invalid argument "soon" for "--wait" flag: time: invalid duration "soon": see rook-clusterset check --help`,
		"check --kubeconfig /missing":          "find the cluster: stat /missing: no such file or directory",
		"status --foo":                         "unknown flag: --foo: see rook-clusterset status --help",
		"status -o xml":                        `--output is "xml": give table, wide, json or yaml`,
		"status --kubeconfig /missing":         "find the cluster: stat /missing: no such file or directory",
		"plan rook-ceph":                       `rook-clusterset plan takes flags alone, and was given "rook-ceph": see rook-clusterset plan --help`,
		"rewrite":                              `required flag(s) "global-ip" not set`,
		"probe --foo":                          "unknown flag: --foo: see rook-clusterset probe --help",
		"probe --status a --token-file b":      "give one of --token-file, --status and addresses",
		"probe --in-cluster mon=242.0.0.1":     "--in-cluster needs --namespace, in which the pod is started: that of rbd-mirror",
		"probe --namespace rook mon=242.0.0.1": "--namespace is that of the pod: give --in-cluster with it",
		"statsu":                               `unknown command "statsu" for "rook-clusterset" Did you mean this? status`,
	} {
		t.Run(call, func(t *testing.T) {
			var out, errOut bytes.Buffer
			code := Main(t.Context(), "", append([]string{"rook-clusterset"}, strings.Fields(call)...), strings.NewReader(""), &out, &errOut)
			require.Equal(t, 2, code)
			require.Empty(t, out.String())
			require.Equal(t, "error: "+want+"\n", errOut.String())
		})
	}
}
