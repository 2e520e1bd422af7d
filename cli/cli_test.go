package cli

import (
	"bytes"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func command(t *testing.T, in string, args ...string) (out, errOut string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err = run(t.Context(), "v0.0.0-test", append([]string{"rook-clusterset"}, args...), strings.NewReader(in), &stdout, &stderr)
	return stdout.String(), stderr.String(), err
}

const nodeOSD = "osd-v1.11.11-node"

func golden(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "rook", "testdata", name+".in.yaml"))
	require.NoError(t, err)
	return string(text)
}

func TestRewritePrintsTheDeploymentAndWhy(t *testing.T) {
	in := golden(t, nodeOSD)
	out, why, err := command(t, in, "rewrite", "--global-ip", "242.0.0.10")
	require.NoError(t, err)
	require.Contains(t, out, "--public-addr=242.0.0.10")
	require.Contains(t, out, "--public-bind-addr=$(ROOK_POD_IP)")
	require.True(t, strings.HasPrefix(why, "rewritten: Deployment rook-ceph/rook-ceph-osd-"), why)

	again, why, err := command(t, out, "rewrite", "--global-ip", "242.0.0.10")
	require.NoError(t, err)
	require.Equal(t, out, again)
	require.True(t, strings.HasPrefix(why, "already_right: "), why)

	diff, _, err := command(t, in, "rewrite", "--global-ip", "242.0.0.10", "--diff")
	require.NoError(t, err)
	for line := range strings.Lines(diff) {
		if strings.HasPrefix(line, "+ ") {
			require.Regexp(t, `--(public|public-bind|cluster)-addr=`, line)
		}
	}
}

func TestRewriteKeepsFieldsThatItDoesNotKnow(t *testing.T) {
	in := strings.Replace(golden(t, nodeOSD), "\nspec:\n", "\nspec:\n  fieldOfTomorrow: {kept: true}\n", 1)
	out, _, err := command(t, in, "rewrite", "--global-ip", "242.0.0.10", "-o", "json")
	require.NoError(t, err)
	require.Contains(t, out, `"fieldOfTomorrow"`)
	require.Contains(t, out, "--public-addr=242.0.0.10")
}

func TestRewriteNamesWhatIsWrongWithItsInput(t *testing.T) {
	deployment := golden(t, nodeOSD)
	for name, c := range map[string]struct {
		in   string
		ip   string
		want string
	}{
		"not an address":          {deployment, "242.0.0", `--global-ip "242.0.0" is not an IP address`},
		"a loopback address":      {deployment, "127.0.0.1", "cannot be dialled by a peer"},
		"nothing":                 {"", "242.0.0.10", "the input is empty"},
		"neither format":          {"{", "242.0.0.10", "neither YAML nor JSON"},
		"no object":               {"[1, 2]", "242.0.0.10", "not a Kubernetes object"},
		"a key that stands twice": {"kind: Deployment\nkind: Deployment\n", "242.0.0.10", "already set"},
		"another kind":            {"apiVersion: v1\nkind: Service\n", "242.0.0.10", "the input is a Service of v1"},
		"two objects":             {deployment + "\n---\n" + deployment, "242.0.0.10", "more than one object"},
		"a field of another type": {"apiVersion: apps/v1\nkind: Deployment\nspec: 7\n", "242.0.0.10", "not a Deployment"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := command(t, c.in, "rewrite", "--global-ip", c.ip)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, oneLine(err), "\n")
			require.Contains(t, oneLine(err), c.want)
			require.Empty(t, out)
		})
	}
}

func TestManagerRefusesFlagsThatCannotWork(t *testing.T) {
	for flag, want := range map[string]string{
		"--hold=40s":               "the API server waits no longer than 30s",
		"--max-held=-1":            "--max-held is -1",
		"--orphan-grace=-1s":       "--orphan-grace is -1s",
		"--tls-min-version=1.1":    `--tls-min-version "1.1" is not known: give 1.3 or 1.2`,
		"--global-cidr=242.0.0.10": `--global-cidr "242.0.0.10" is not a range`,
		"--log-level=loud":         `--log-level is "loud"`,
		"--log-format=xml":         `--log-format is "xml"`,
	} {
		t.Run(flag, func(t *testing.T) {
			_, _, err := command(t, "", "manager", flag)
			require.ErrorContains(t, err, want)
		})
	}
}

func TestGlobalIPsCanBeIPv6WhereASettingSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		options managerOptions
		want    bool
	}{
		"an IPv6 range":         {managerOptions{globalCIDRs: []string{"242.0.0.0/16", "fd42::/64"}}, true},
		"ClusterIPs":            {managerOptions{allowClusterIP: true}, true},
		"an IPv4 range":         {managerOptions{globalCIDRs: []string{"242.0.0.0/16"}}, false},
		"no setting":            {managerOptions{}, false},
		"IPv4 in IPv6 clothing": {managerOptions{globalCIDRs: []string{"::ffff:242.0.0.0/112"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.tlsMinVersion = "1.3"
			ranges, err := c.options.complete()
			require.NoError(t, err)
			require.Equal(t, c.want, c.options.expectsIPv6(ranges))
		})
	}
}

func TestEveryFlagOfTheManagerIsDocumented(t *testing.T) {
	help, _, err := command(t, "", "manager", "--help")
	require.NoError(t, err)
	for _, flag := range []string{
		"kubeconfig", "cluster-id", "global-cidr", "allow-cluster-ip", "dns-server", "hold", "max-held", "orphan-grace", "leader-elect",
		"webhook-port", "cert-dir", "tls-min-version", "metrics-bind-address", "metrics-secure", "health-probe-bind-address", "log-format", "log-level", "version",
	} {
		require.Regexp(t, `--`+flag+` .*[a-z]`, help)
	}
	for _, args := range [][]string{{"--version"}, {"manager", "--version"}} {
		out, _, err := command(t, "", args...)
		require.NoError(t, err)
		require.Contains(t, out, "v0.0.0-test")
	}
}

func TestEveryCommandThatTalksToAClusterFindsItAsKubectlDoes(t *testing.T) {
	for _, name := range []string{"manager", "status"} {
		help, _, err := command(t, "", name, "--help")
		require.NoError(t, err)
		for _, flag := range []string{"--kubeconfig", "--context", "--as", "--request-timeout", "-n, --namespace"} {
			require.Contains(t, help, flag, name)
		}
	}
}

func TestAPluginOfKubectlIsNamedAsItIsCalled(t *testing.T) {
	for program, want := range map[string]string{
		"/usr/local/bin/kubectl-rook_clusterset": "  kubectl rook-clusterset status",
		"kubectl-rook_clusterset.exe":            "  kubectl rook-clusterset status",
		"./rook-clusterset":                      "  rook-clusterset status",
	} {
		var out bytes.Buffer
		require.Zero(t, Main(t.Context(), "", []string{program, "status", "--help"}, nil, &out, io.Discard))
		require.Contains(t, out.String(), want)
	}
}

func TestRequestsToTheAPIServerAreNotThrottledHere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(file, []byte("clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\ncontexts: [{name: c, context: {cluster: c}}]\ncurrent-context: c\n"), 0o600))
	flags := newClusterFlags(pflag.NewFlagSet("", pflag.ContinueOnError))
	*flags.KubeConfig = file
	config, err := flags.restConfig("v0.0.0-test")
	require.NoError(t, err)
	require.Negative(t, config.QPS)
}

func TestStatusFailsUnlessEveryDaemonIsAsItShouldBe(t *testing.T) {
	mon := rook.DaemonFacts{Daemon: rook.Daemon{Type: rook.Mon, ID: "a", Namespace: "rook-ceph"}}
	rows := []daemonStatus{statusRow(mon)}
	require.EqualError(t, verdict(rows, nil), "1 of 1 daemons are not at their global IPs")
	require.Error(t, verdict(nil, nil))

	ip := netip.MustParseAddr("242.0.0.10")
	mon.Export = rook.Export{Exists: true, Ours: true, GlobalIP: ip, Valid: metav1.ConditionTrue}
	mon.Deployed, mon.Address, mon.Listed = true, ip, ip
	require.NoError(t, verdict([]daemonStatus{statusRow(mon)}, nil))
	require.EqualError(t, verdict([]daemonStatus{statusRow(mon)}, []string{"something is missing"}), "something is missing")
}
