package main

import (
	"os"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const deployment = "Deployment/rook-clusterset"

func TestFlagsAreGivenToTheManager(t *testing.T) {
	found := rendered(t, `{flags: {hold: 25s, global-cidr: [242.0.0.0/16, 242.1.0.0/16], migrate: false, max-held: 1000000}}`)
	require.Equal(t, []any{"manager", "--global-cidr=242.0.0.0/16,242.1.0.0/16", "--hold=25s", "--max-held=1000000", "--migrate=false"}, found.manager(t, "args"))
}

func TestTheImageIsNamedByItsDigestWhereThereIsOne(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	require.Equal(t, "mirror.example/rook-clusterset:v9", rendered(t, `{image: {repository: mirror.example/rook-clusterset, tag: v9}}`).manager(t, "image"))
	require.Equal(t, "mirror.example/rook-clusterset@"+digest, rendered(t, `{image: {repository: mirror.example/rook-clusterset, tag: v9, digest: "`+digest+`"}}`).manager(t, "image"))
}

func TestASingleReplicaKeepsNoNodeFromBeingDrained(t *testing.T) {
	found := rendered(t, `{replicas: 1}`)
	require.EqualValues(t, 1, found.at(t, deployment, "spec", "replicas"))
	require.NotContains(t, found, "PodDisruptionBudget/rook-clusterset")
	require.Contains(t, rendered(t, `{replicas: 3}`), "PodDisruptionBudget/rook-clusterset")
}

func TestOnTheHostNetworkEachReplicaHasANodeAndItsPorts(t *testing.T) {
	found := rendered(t, `{hostNetwork: true, createNamespace: true, ports: {webhook: 10443, metrics: 10444, health: 10445}}`)
	pod := []string{"spec", "template", "spec"}
	require.Equal(t, true, found.at(t, deployment, append(pod, "hostNetwork")...))
	require.Equal(t, "ClusterFirstWithHostNet", found.at(t, deployment, append(pod, "dnsPolicy")...), "DNS is a source")
	require.Equal(t, map[string]any{"maxUnavailable": float64(1), "maxSurge": float64(0)}, found.at(t, deployment, "spec", "strategy", "rollingUpdate"))
	require.Equal(t, []any{"manager", "--webhook-port=10443", "--metrics-bind-address=:10444", "--health-probe-bind-address=:10445"}, found.manager(t, "args"))
	ports := map[string]any{}
	for _, port := range found.manager(t, "ports").([]any) {
		ports[port.(map[string]any)["name"].(string)] = port.(map[string]any)["containerPort"]
	}
	require.Equal(t, map[string]any{"webhook": float64(10443), "metrics": float64(10444), "health": float64(10445)}, ports)
	require.Equal(t, "privileged", found.at(t, "Namespace/rook-clusterset", "metadata", "labels", "pod-security.kubernetes.io/enforce"))
}

func TestExtraLabelsAreOnEveryObjectAndOnThePodsAndSelectNothing(t *testing.T) {
	found := rendered(t, `{extraLabels: {team: storage}, createNamespace: true, networkPolicy: {enabled: true, apiServers: [10.0.0.0/28]}}`)
	require.Len(t, found, len(shipped(t))+1)
	for key := range found {
		require.Equal(t, "storage", found.at(t, key, "metadata", "labels", "team"), key)
		require.Equal(t, "rook-clusterset", found.at(t, key, "metadata", "labels", "app.kubernetes.io/name"), key)
	}
	require.Equal(t, "storage", found.at(t, deployment, "spec", "template", "metadata", "labels", "team"))
	require.Equal(t, map[string]any{"app.kubernetes.io/name": "rook-clusterset"}, found.at(t, deployment, "spec", "selector", "matchLabels"))
}

func TestTheNetworkPolicyLetsTheAPIServersIn(t *testing.T) {
	found := rendered(t, `{networkPolicy: {enabled: true, apiServers: [10.0.0.0/28, 10.0.1.0/28]}}`)
	ingress := found.at(t, "NetworkPolicy/rook-clusterset", "spec", "ingress").([]any)
	require.Equal(t, []any{
		map[string]any{"ipBlock": map[string]any{"cidr": "10.0.0.0/28"}}, map[string]any{"ipBlock": map[string]any{"cidr": "10.0.1.0/28"}},
	}, ingress[0].(map[string]any)["from"])
}

func TestTheCAOfClientCertificatesIsMounted(t *testing.T) {
	found := rendered(t, `{webhookClientCA: api-servers}`)
	require.Contains(t, found.manager(t, "args"), "--webhook-client-ca=/var/run/rook-clusterset/webhook-client-ca/ca.crt")
	require.Contains(t, found.manager(t, "volumeMounts"), map[string]any{"name": "webhook-client-ca", "mountPath": "/var/run/rook-clusterset/webhook-client-ca", "readOnly": true})
	require.Contains(t, found.at(t, deployment, "spec", "template", "spec", "volumes"), map[string]any{"name": "webhook-client-ca", "configMap": map[string]any{"name": "api-servers"}})
}

func TestMonitoringIsWhatThePrometheusOperatorReads(t *testing.T) {
	found := rendered(t, `{monitoring: {enabled: true, labels: {release: stack}, prometheus: {namespace: metrics, serviceAccount: stack}}}`)
	monitor, rule := &monitoringv1.ServiceMonitor{}, &monitoringv1.PrometheusRule{}
	for key, into := range map[string]any{"ServiceMonitor/rook-clusterset": monitor, "PrometheusRule/rook-clusterset": rule} {
		require.Equal(t, "stack", found.at(t, key, "metadata", "labels", "release"))
		text, err := yaml.Marshal(found[key])
		require.NoError(t, err)
		require.NoError(t, yaml.UnmarshalStrict(text, into), "a field that does not exist is an error")
	}
	require.Equal(t, found.at(t, "Service/rook-clusterset-metrics", "metadata", "labels", "app.kubernetes.io/component"), monitor.Spec.Selector.MatchLabels["app.kubernetes.io/component"])
	require.Len(t, rule.Spec.Groups, 3)
	for _, key := range []string{"ClusterRoleBinding/rook-clusterset-prometheus", "RoleBinding/rook-clusterset-prometheus"} {
		require.Equal(t, []any{map[string]any{"kind": "ServiceAccount", "namespace": "metrics", "name": "stack"}}, found.at(t, key, "subjects"))
	}
	dashboard, err := os.ReadFile("../../../manifests/monitoring/dashboard.json")
	require.NoError(t, err)
	require.Equal(t, string(dashboard), found.at(t, "ConfigMap/rook-clusterset-dashboard", "data", "rook-clusterset.json"))
}

func TestWhereAndHowPodsAreScheduled(t *testing.T) {
	found := rendered(t, `{nodeSelector: {storage: "true"}, tolerations: [{key: storage, operator: Exists}], imagePullSecrets: [{name: mirror}], resources: {limits: {memory: 1Gi}}}`)
	pod := []string{"spec", "template", "spec"}
	require.Equal(t, map[string]any{"kubernetes.io/os": "linux", "storage": "true"}, found.at(t, deployment, append(pod, "nodeSelector")...))
	require.Equal(t, []any{map[string]any{"key": "storage", "operator": "Exists"}}, found.at(t, deployment, append(pod, "tolerations")...))
	require.Equal(t, []any{map[string]any{"name": "mirror"}}, found.at(t, deployment, append(pod, "imagePullSecrets")...))
	require.Equal(t, map[string]any{
		"requests": map[string]any{"cpu": "50m", "memory": "64Mi"}, "limits": map[string]any{"memory": "1Gi"},
	}, found.manager(t, "resources"))
}

func TestABadValueIsRefusedInWordsThatNameIt(t *testing.T) {
	for name, test := range map[string]struct{ values, says string }{
		"a value that does not exist":          {`{replica: 3}`, `'replica' not allowed`},
		"no replica":                           {`{replicas: 0}`, `at '/replicas': minimum: got 0, want 1`},
		"replicas that are no number":          {`{replicas: two}`, `at '/replicas': got string, want integer`},
		"more replicas than the quota has":     {`{replicas: 16}`, `at '/replicas': maximum: got 16, want 15`},
		"a flag that does not exist":           {`{flags: {hodl: 20s}}`, `at '/flags': additional properties 'hodl' not allowed`},
		"a hold that the API server outlasts":  {`{flags: {hold: 26s}}`, `at '/flags/hold': '26s' does not match pattern`},
		"a range that is an address":           {`{flags: {global-cidr: [242.0.0.1]}}`, `at '/flags/global-cidr/0': '242.0.0.1' does not match pattern`},
		"a digest that is none":                {`{image: {digest: abc}}`, `at '/image/digest': 'abc' does not match pattern`},
		"a port that is none":                  {`{ports: {webhook: 70000}}`, `at '/ports/webhook': maximum: got 70,000, want 65,535`},
		"two ports that are one":               {`{ports: {webhook: 8443}}`, `ports: webhook (8443), metrics (8443) and health (8081) have to differ`},
		"memory that is no quantity":           {`{resources: {limits: {memory: lots}}}`, `at '/resources/limits/memory': 'lots' does not match pattern`},
		"a label that the Services select by":  {`{extraLabels: {app.kubernetes.io/name: mine}}`, `at '/extraLabels'`},
		"a label that switches it on":          {`{extraLabels: {rook-clusterset.io/enabled: "true"}}`, `at '/extraLabels'`},
		"a label that no API server takes":     {`{extraLabels: {team: "no spaces"}}`, `at '/extraLabels/team'`},
		"a network policy for nobody":          {`{networkPolicy: {enabled: true}}`, `networkPolicy.apiServers is empty`},
		"a network policy without effect":      {`{hostNetwork: true, networkPolicy: {enabled: true, apiServers: [10.0.0.0/8]}}`, `does not hold for pods on the host network`},
		"metrics that nobody could read":       {`{monitoring: {enabled: true}, flags: {metrics-secure: false}}`, `the ServiceMonitor reads over TLS`},
		"a monitoring switch that is a string": {`{monitoring: {enabled: "yes"}}`, `at '/monitoring/enabled': got string, want boolean`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := install(t, chartDir, namespace, test.values)
			require.ErrorContains(t, err, test.says)
		})
	}
	_, err := install(t, chartDir, "storage", "")
	require.ErrorContains(t, err, "give --namespace rook-clusterset --create-namespace")
}
