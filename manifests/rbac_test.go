package manifests

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func rules(t *testing.T) []rbacv1.PolicyRule {
	t.Helper()
	return slices.Concat(one[*rbacv1.ClusterRole](t, "rook-clusterset").Rules, one[*rbacv1.Role](t, "rook-clusterset").Rules)
}

func TestNothingIsAllowedByWildcard(t *testing.T) {
	for _, rule := range rules(t) {
		for _, words := range [][]string{rule.APIGroups, rule.Resources, rule.Verbs, rule.ResourceNames} {
			require.NotContains(t, words, "*")
		}
		require.Empty(t, rule.NonResourceURLs)
	}
}

// What is allowed is what the scenarios of e2e need, which run with these rights and no others.
func TestNoVerbIsAllowedThatIsNotUsed(t *testing.T) {
	allowed := map[string][]string{}
	for _, rule := range rules(t) {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				if group != "" {
					resource += "." + group
				}
				if len(rule.ResourceNames) > 0 {
					resource += " " + strings.Join(rule.ResourceNames, ",")
				}
				allowed[resource] = append(allowed[resource], rule.Verbs...)
			}
		}
	}
	watched := []string{"list", "watch"}
	require.Equal(t, map[string][]string{
		"namespaces":                                           {"get", "list", "watch"},
		"deployments.apps":                                     {"get", "list", "watch", "patch"},
		"deployments/scale.apps":                               {"update"},
		"services":                                             {"get", "list", "watch", "create", "patch", "delete"},
		"serviceexports.multicluster.x-k8s.io":                 {"get", "list", "watch", "create", "patch", "delete"},
		"configmaps rook-ceph-mon-endpoints":                   {"get", "update"},
		"configmaps rook-clusterset-remembered":                {"get", "patch"},
		"configmaps rook-clusterset-reload":                    {"delete"},
		"configmaps":                                           {"list", "watch", "create"},
		"cephclusteraddresses.rook-clusterset.io":              {"list", "create"},
		"cephclusteraddresses/status.rook-clusterset.io":       {"patch"},
		"cephclusters.ceph.rook.io":                            watched,
		"serviceimports.multicluster.x-k8s.io":                 {"get", "list", "watch"},
		"globalingressips.submariner.io":                       {"get", "list", "watch"},
		"submariners.submariner.io":                            watched,
		"clusters.submariner.io":                               watched,
		"clusterproperties.about.k8s.io":                       watched,
		"endpointslices.discovery.k8s.io":                      {"list"},
		"servicecidrs.networking.k8s.io":                       {"list"},
		"customresourcedefinitions.apiextensions.k8s.io":       watched,
		"tokenreviews.authentication.k8s.io":                   {"create"},
		"subjectaccessreviews.authorization.k8s.io":            {"create"},
		"events.events.k8s.io":                                 {"create", "patch"},
		"events":                                               {"create", "patch"},
		"leases.coordination.k8s.io":                           {"create"},
		"leases.coordination.k8s.io rook-clusterset-exporter":  {"get", "update"},
		"certificates.cert-manager.io rook-clusterset-serving": {"get"},
		"mutatingwebhookconfigurations.admissionregistration.k8s.io rook-clusterset": watched,
	}, allowed)
}

func TestNoSecretIsReadOrWritten(t *testing.T) {
	for _, rule := range rules(t) {
		require.NotContains(t, rule.Resources, "secrets")
	}
}

func TestWhatIsRooksIsNotDeleted(t *testing.T) {
	deletable := map[string][]string{}
	for _, rule := range rules(t) {
		require.NotContains(t, rule.Verbs, "deletecollection")
		if slices.Contains(rule.Verbs, "delete") {
			for _, resource := range rule.Resources {
				deletable[resource] = rule.ResourceNames
			}
		}
	}
	require.Equal(t, map[string][]string{
		"serviceexports": nil,
		"services":       nil,
		"configmaps":     {rook.ReloadName},
	}, deletable)
}

func TestConfigMapsOtherThanTheMonEndpointsAndOursAreNeverChanged(t *testing.T) {
	for _, rule := range rules(t) {
		changed := slices.Equal(rule.ResourceNames, []string{rook.MonEndpointsName}) || slices.Equal(rule.ResourceNames, []string{rook.RememberedName})
		if !slices.Contains(rule.Resources, "configmaps") || changed {
			continue
		}
		for _, verb := range rule.Verbs {
			require.True(t, slices.Contains([]string{"list", "watch", "create"}, verb) || verb == "delete" && slices.Equal(rule.ResourceNames, []string{rook.ReloadName}), rule)
		}
	}
}

func TestTheRolesAreBoundToTheServiceAccountAlone(t *testing.T) {
	want := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "rook-clusterset", Namespace: "rook-clusterset"}}
	cluster := one[*rbacv1.ClusterRoleBinding](t, "rook-clusterset")
	require.Equal(t, want, cluster.Subjects)
	require.Equal(t, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "rook-clusterset"}, cluster.RoleRef)
	own := one[*rbacv1.RoleBinding](t, "rook-clusterset")
	require.Equal(t, want, own.Subjects)
	require.Equal(t, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "rook-clusterset"}, own.RoleRef)
}
