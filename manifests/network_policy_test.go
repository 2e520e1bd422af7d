package manifests

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

func TestTheNetworkPolicyIsAboutThePodsAndTheirPorts(t *testing.T) {
	text, err := os.ReadFile("network-policy/network-policy.yaml")
	require.NoError(t, err)
	policy := &networkingv1.NetworkPolicy{}
	require.NoError(t, yaml.UnmarshalStrict(text, policy))
	deployment, container := manager(t)
	require.Equal(t, deployment.Namespace, policy.Namespace)
	require.Equal(t, *deployment.Spec.Selector, policy.Spec.PodSelector)
	var named, opened []string
	for _, port := range container.Ports {
		named = append(named, port.Name)
	}
	for _, rule := range policy.Spec.Ingress {
		for _, port := range rule.Ports {
			require.Equal(t, intstr.String, port.Port.Type)
			opened = append(opened, port.Port.StrVal)
			require.Equal(t, port.Port.StrVal == "health", len(rule.From) == 0, "but for the health nothing is for everybody: %s", port.Port.StrVal)
		}
	}
	require.ElementsMatch(t, named, opened)
}
