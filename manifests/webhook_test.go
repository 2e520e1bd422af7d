package manifests

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// holdLimit is the longest hold that the manager allows.
const holdLimit = 25

// called is what makes one webhook differ from the others.
type called struct {
	path, group, version, resource string
	operations                     []admissionregistrationv1.OperationType
	apps                           []string
	condition                      string
	sideEffects                    admissionregistrationv1.SideEffectClass
	timeout                        int32
}

var (
	createAndUpdate = []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update}
	createOnly      = []admissionregistrationv1.OperationType{admissionregistrationv1.Create}
)

var calls = map[string]called{
	"deployments.rook-clusterset.io": {
		"/mutate-deployment", "apps", "v1", "deployments", createAndUpdate,
		[]string{rook.MonApp, rook.OSDApp},
		"",
		admissionregistrationv1.SideEffectClassNoneOnDryRun, 30,
	},
	"mon-endpoints.rook-clusterset.io": {
		"/mutate-mon-endpoints", "", "v1", "configmaps", createAndUpdate, nil,
		"has(request.name) && request.name == '" + rook.MonEndpointsName + "'",
		admissionregistrationv1.SideEffectClassNoneOnDryRun, 30,
	},
	"ceph-config.rook-clusterset.io": {
		"/mutate-ceph-config", "", "v1", "secrets", createAndUpdate, nil,
		"has(request.name) && request.name == '" + rook.ConfigSecretName + "'",
		admissionregistrationv1.SideEffectClassNoneOnDryRun, 10,
	},
	"active-mons.rook-clusterset.io": {
		"/mutate-active-mons", "discovery.k8s.io", "v1", "endpointslices", createAndUpdate, nil,
		"has(request.name) && request.name in ['" + rook.ActiveMonsIPv4Name + "', '" + rook.ActiveMonsIPv6Name + "']",
		admissionregistrationv1.SideEffectClassNone, 10,
	},
	"csi-config.rook-clusterset.io": {
		"/mutate-csi-config", "", "v1", "configmaps", createAndUpdate, nil,
		"has(request.name) && request.name == '" + rook.CSIConfigName + "'",
		admissionregistrationv1.SideEffectClassNone, 10,
	},
	"ceph-connections.rook-clusterset.io": {
		"/mutate-ceph-connection", "csi.ceph.io", "*", "cephconnections", createAndUpdate, nil, "",
		admissionregistrationv1.SideEffectClassNone, 10,
	},
	"mon-services.rook-clusterset.io": {
		"/mutate-mon-service", "", "v1", "services", createOnly,
		[]string{rook.MonApp},
		"",
		admissionregistrationv1.SideEffectClassNone, 10,
	},
}

func hooks(t *testing.T) []admissionregistrationv1.MutatingWebhook {
	t.Helper()
	return one[*admissionregistrationv1.MutatingWebhookConfiguration](t, "rook-clusterset").Webhooks
}

func TestEveryWebhookIsThereOnce(t *testing.T) {
	var names []string
	for _, hook := range hooks(t) {
		names = append(names, hook.Name)
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(calls)), names)
}

func TestEachWebhookIsSentWhatItCorrectsAndNothingElse(t *testing.T) {
	for _, hook := range hooks(t) {
		t.Run(hook.Name, func(t *testing.T) {
			want := calls[hook.Name]
			require.Equal(t, []admissionregistrationv1.RuleWithOperations{{
				Operations: want.operations,
				Rule: admissionregistrationv1.Rule{
					APIGroups: []string{want.group}, APIVersions: []string{want.version}, Resources: []string{want.resource},
					Scope: new(admissionregistrationv1.NamespacedScope),
				},
			}}, hook.Rules)
			require.Equal(t, &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{
				{Key: rook.EnabledLabel, Operator: metav1.LabelSelectorOpIn, Values: []string{"true"}},
			}}, hook.NamespaceSelector)
			require.Equal(t, want.apps, appsOf(t, hook.ObjectSelector))
			if want.condition == "" {
				require.Empty(t, hook.MatchConditions)
			} else {
				require.Len(t, hook.MatchConditions, 1)
				require.Equal(t, want.condition, hook.MatchConditions[0].Expression)
			}
		})
	}
}

func appsOf(t *testing.T, selector *metav1.LabelSelector) []string {
	t.Helper()
	switch {
	case selector == nil:
		return nil
	case len(selector.MatchExpressions) == 0:
		require.Len(t, selector.MatchLabels, 1)
		return []string{selector.MatchLabels[rook.AppLabel]}
	}
	require.Empty(t, selector.MatchLabels)
	require.Len(t, selector.MatchExpressions, 1)
	require.Equal(t, rook.AppLabel, selector.MatchExpressions[0].Key)
	require.Equal(t, metav1.LabelSelectorOpIn, selector.MatchExpressions[0].Operator)
	return selector.MatchExpressions[0].Values
}

func TestEachWebhookFailsClosedAndSaysWhatItDoesBesides(t *testing.T) {
	for _, hook := range hooks(t) {
		t.Run(hook.Name, func(t *testing.T) {
			require.Equal(t, admissionregistrationv1.Fail, *hook.FailurePolicy)
			require.Equal(t, admissionregistrationv1.Equivalent, *hook.MatchPolicy)
			require.Equal(t, admissionregistrationv1.IfNeededReinvocationPolicy, *hook.ReinvocationPolicy)
			require.Equal(t, calls[hook.Name].sideEffects, *hook.SideEffects)
			require.Equal(t, calls[hook.Name].timeout, *hook.TimeoutSeconds)
			if hook.Name == "deployments.rook-clusterset.io" || hook.Name == "mon-endpoints.rook-clusterset.io" {
				require.Greater(t, int(*hook.TimeoutSeconds), holdLimit, "the API server must still be there to hear a refusal")
			}
		})
	}
}

func TestEachWebhookCallsTheService(t *testing.T) {
	service := one[*corev1.Service](t, "rook-clusterset-webhook")
	for _, hook := range hooks(t) {
		t.Run(hook.Name, func(t *testing.T) {
			require.Equal(t, &admissionregistrationv1.ServiceReference{
				Namespace: service.Namespace, Name: service.Name, Path: new(calls[hook.Name].path), Port: new(service.Spec.Ports[0].Port),
			}, hook.ClientConfig.Service)
			require.Empty(t, hook.ClientConfig.CABundle, "cert-manager puts it there; an apply must not take it away")
		})
	}
}
