package cli

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/rook-clusterset/rook-clusterset/doctor"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

const nowhere = `apiVersion: v1
kind: Config
clusters: [{name: nowhere, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: nowhere, context: {cluster: nowhere}}]
current-context: nowhere
`

func TestCheckOfAClusterThatDoesNotAnswerCouldNotTell(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, []byte(nowhere), 0o600))
	check := func(args ...string) (out, errOut string, code int) {
		var stdout, stderr bytes.Buffer
		args = append([]string{"rook-clusterset", "check", "--kubeconfig", kubeconfig}, args...)
		code = Main(t.Context(), "test", args, strings.NewReader(""), &stdout, &stderr)
		return stdout.String(), stderr.String(), code
	}
	out, errOut, code := check()
	require.Equal(t, 2, code)
	require.Empty(t, errOut)
	require.Regexp(t, `^failure +cluster +the API server does not answer: `, out)

	out, _, code = check("-o", "json", "--pre")
	require.Equal(t, 2, code)
	var report doctor.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Equal(t, "cluster", report[0].Check)
	require.True(t, report[0].Unknown)

	_, errOut, code = check("-o", "yaml")
	require.Equal(t, 2, code)
	require.Equal(t, "error: --output is \"yaml\": give text or json\n", errOut)
}

func TestCheckGoesByTheFlagsOfTheManagerThatIsInstalled(t *testing.T) {
	installed := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-clusterset", Name: "rook-clusterset"}}
	settings := func(args ...string) (resolver.Options, bool) {
		installed.Spec.Template.Spec.Containers = []corev1.Container{{Args: append([]string{"manager"}, args...)}}
		return managerSettings(t.Context(), fake.NewClientBuilder().WithScheme(newScheme()).WithObjects(installed).Build())
	}
	got, ipv6 := settings("--cluster-id=east", "--global-cidr", "242.0.0.0/16", "--dns-server=10.0.0.1", "--a-flag-of-tomorrow=1")
	require.False(t, ipv6)
	require.Equal(t, resolver.Options{ClusterID: "east", GlobalCIDRs: []netip.Prefix{netip.MustParsePrefix("242.0.0.0/16")}, DNSServer: "10.0.0.1"}, got)
	_, ipv6 = settings("--global-cidr=fd00:1::/112")
	require.True(t, ipv6)
	got, _ = settings("--global-cidr=nonsense")
	require.Equal(t, resolver.Options{}, got)
	got, _ = managerSettings(t.Context(), fake.NewClientBuilder().WithScheme(newScheme()).Build())
	require.Equal(t, resolver.Options{}, got, "nothing is installed")
}
