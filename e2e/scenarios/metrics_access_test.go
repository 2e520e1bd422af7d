package scenarios_test

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
)

func TestMetricsAreReadByWhomTheClusterLets(t *testing.T) {
	s := newStory(t, true)
	kubeconfig, err := s.World.Plane.ServiceAccountKubeconfig(t.Context(), controlplane.Namespace, "rook-clusterset")
	require.NoError(t, err)
	own, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	require.NoError(t, err)
	url := shared.Replicas[0].MetricsURL()
	for name, tc := range map[string]struct {
		authorization string
		status        int
	}{
		"who says nothing is not known":          {"", http.StatusUnauthorized},
		"a token that nobody issued":             {"Bearer forged", http.StatusUnauthorized},
		"another form of credentials":            {"Basic cm9vazpyb29r", http.StatusUnauthorized},
		"a ServiceAccount that may not get them": {"Bearer " + own.BearerToken, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tc.status, ask(t, url, tc.authorization, nil))
		})
	}
	require.Contains(t, s.metrics(), "rook_clusterset_", "a reader of the shipped role")
}

func TestNothingOlderThanTLS13IsSpoken(t *testing.T) {
	newStory(t, true)
	for name, url := range map[string]string{"webhook": shared.Replicas[0].WebhookURL("/mutate-deployment"), "metrics": shared.Replicas[0].MetricsURL()} {
		t.Run(name, func(t *testing.T) {
			require.NotZero(t, ask(t, url, "", nil), "TLS 1.3 is")
			require.Zero(t, ask(t, url, "", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }))
		})
	}
}

// ask returns the status of the answer, or zero where TLS does not come about.
func ask(t *testing.T, url, authorization string, limit func(*tls.Config)) int {
	t.Helper()
	config := &tls.Config{InsecureSkipVerify: true}
	if limit != nil {
		limit(config)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	c := http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	answer, err := c.Do(req)
	if err != nil {
		require.ErrorContains(t, err, "protocol version")
		return 0
	}
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}
