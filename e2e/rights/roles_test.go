package rights_test

import (
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
)

// atom is one verb on one resource, for the objects of the names if there are any, and in one namespace if that is given.
type atom struct {
	namespace, group, resource, verb string
	names                            []string
}

// String is how a row names it. Who watches lists before, so that these two are one right where both are given.
func (a atom) String() string {
	text := a.resource
	if a.group != "" {
		text += "." + a.group
	}
	for _, name := range a.names {
		text += " " + name
	}
	if a.namespace != "" {
		text += " in " + a.namespace
	}
	return a.verb + " " + text
}

// isDenied says whether a line of a log says so, however often it was quoted.
func (a atom) isDenied(line string) bool {
	line = strings.NewReplacer(`\`, "", `"`, "").Replace(line)
	return strings.Contains(line, "cannot "+a.verb+" resource "+a.resource+" in API group "+a.group)
}

// readRoles reads the shipped ones.
func (h *house) readRoles() (*rbacv1.ClusterRole, *rbacv1.Role) {
	h.t.Helper()
	c, cluster, own := h.world.Plane.Client, &rbacv1.ClusterRole{}, &rbacv1.Role{}
	require.NoError(h.t, c.Get(h.t.Context(), client.ObjectKey{Name: "rook-clusterset"}, cluster))
	require.NoError(h.t, c.Get(h.t.Context(), client.ObjectKey{Namespace: controlplane.Namespace, Name: "rook-clusterset"}, own))
	return cluster, own
}

func (h *house) takeApart(namespace string, rules []rbacv1.PolicyRule) {
	for _, rule := range rules {
		watched := slices.Contains(rule.Verbs, "watch")
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					a := atom{namespace, group, resource, verb, rule.ResourceNames}
					right := a.String()
					if _, object, _ := strings.Cut(right, " "); watched && (verb == "list" || verb == "watch") {
						right = "list, watch " + object
					}
					h.rights[right] = append(h.rights[right], a)
				}
			}
		}
	}
}

// without leaves the right out of the roles, if one is named, and those besides, and gives back all others.
func (h *house) without(right string, besides ...string) {
	h.t.Helper()
	rights := append(slices.Clone(besides), right)
	h.missing = h.rights[right]
	cluster, own := h.readRoles()
	cluster.Rules, own.Rules = nil, nil
	for right, atoms := range h.rights {
		if slices.Contains(rights, right) {
			continue
		}
		for _, a := range atoms {
			rule := rbacv1.PolicyRule{APIGroups: []string{a.group}, Resources: []string{a.resource}, Verbs: []string{a.verb}, ResourceNames: a.names}
			if a.namespace == "" {
				cluster.Rules = append(cluster.Rules, rule)
			} else {
				own.Rules = append(own.Rules, rule)
			}
		}
	}
	require.NoError(h.t, h.world.Plane.Client.Update(h.t.Context(), cluster))
	require.NoError(h.t, h.world.Plane.Client.Update(h.t.Context(), own))
	for right, atoms := range h.rights {
		for _, a := range atoms {
			require.Eventually(h.t, func() bool { return h.may(a) != slices.Contains(rights, right) }, time.Minute, 10*time.Millisecond, right)
		}
	}
	h.forgetLogs()
}

// may asks the API server what it lets rook-clusterset do.
func (h *house) may(a atom) bool {
	h.t.Helper()
	resource, subresource, _ := strings.Cut(a.resource, "/")
	attributes := &authorizationv1.ResourceAttributes{Namespace: a.namespace, Verb: a.verb, Group: a.group, Resource: resource, Subresource: subresource}
	if len(a.names) > 0 {
		attributes.Name = a.names[0]
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + controlplane.Namespace + ":rook-clusterset",
		ResourceAttributes: attributes,
	}}
	require.NoError(h.t, h.world.Plane.Client.Create(h.t.Context(), review))
	return review.Status.Allowed
}
