package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/rook-clusterset/rook-clusterset/addresses"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func rightsChecks() []Check {
	return []Check{
		{Name: "install-rights", Needs: "cluster", Before: true, OnlyBefore: true, Ask: askInstallRights},
		{
			Name: "rights", Needs: "cluster", Ask: askRights,
			Reads: []right{{"create", authorizationv1.GroupName, "subjectaccessreviews", "", everywhere}},
		},
	}
}

// toInstall are what `kubectl apply` of install.yaml needs, and whoever makes roles has to have their rights.
var toInstall = []right{
	{"create", "", "namespaces", "", everywhere},
	{"create", "rbac.authorization.k8s.io", "clusterroles", "", everywhere},
	{"create", "rbac.authorization.k8s.io", "clusterrolebindings", "", everywhere},
	{"create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "", everywhere},
	{"create", "admissionregistration.k8s.io", "validatingadmissionpolicies", "", everywhere},
	{"create", "apiextensions.k8s.io", "customresourcedefinitions", "", everywhere},
	{"create", "apps", "deployments", "", install},
	{"create", "cert-manager.io", "certificates", "", install},
}

func askInstallRights(ctx context.Context, p *Patient) (Finding, error) {
	if missing := p.mayNot(ctx, toInstall); len(missing) > 0 {
		return fails("Install with the rights of a cluster administrator.", "you may not %s", strings.Join(missing, ", nor ")), nil
	}
	return well("you may install rook-clusterset"), nil
}

// managerRights are those of install.yaml without which an address does not get on its way; a test holds them to it.
func managerRights() []right {
	var rights []right
	add := func(in scope, group, resource, name string, verbs ...string) {
		for _, verb := range verbs {
			rights = append(rights, right{verb, group, resource, name, in})
		}
	}
	add(everywhere, "", "namespaces", "", "get", "list", "watch")
	add(everywhere, "apps", "deployments", "", "get", "list", "watch", "patch")
	add(everywhere, "apps", "deployments/scale", "", "update")
	add(everywhere, "", "services", "", "get", "list", "watch", "create", "patch", "delete")
	add(everywhere, "multicluster.x-k8s.io", "serviceexports", "", "get", "list", "watch", "create", "patch", "delete")
	add(everywhere, "", "configmaps", rook.MonEndpointsName, "get", "update")
	add(everywhere, "", "configmaps", rook.RememberedName, "get", "patch")
	add(everywhere, "", "configmaps", rook.ReloadName, "delete")
	add(everywhere, "", "configmaps", "", "list", "watch", "create")
	add(everywhere, addresses.Kind.Group, addresses.Resource, "", "list", "create")
	add(everywhere, addresses.Kind.Group, addresses.Resource+"/status", "", "patch")
	add(everywhere, "ceph.rook.io", "cephclusters", "", "list", "watch")
	add(everywhere, "multicluster.x-k8s.io", "serviceimports", "", "get", "list", "watch")
	add(everywhere, "submariner.io", "globalingressips", "", "get", "list", "watch")
	add(everywhere, "submariner.io", "submariners", "", "list", "watch")
	add(everywhere, "submariner.io", "clusters", "", "list", "watch")
	add(everywhere, "about.k8s.io", "clusterproperties", "", "list", "watch")
	add(everywhere, "networking.k8s.io", "servicecidrs", "", "list")
	add(everywhere, "apiextensions.k8s.io", "customresourcedefinitions", "", "list", "watch")
	add(everywhere, "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "rook-clusterset", "list", "watch")
	add(everywhere, "authentication.k8s.io", "tokenreviews", "", "create")
	add(everywhere, "authorization.k8s.io", "subjectaccessreviews", "", "create")
	add(everywhere, "events.k8s.io", "events", "", "create", "patch")
	add(install, "", "events", "", "create", "patch")
	add(install, "coordination.k8s.io", "leases", "", "create")
	add(install, "coordination.k8s.io", "leases", leaseName, "get", "update")
	add(install, "discovery.k8s.io", "endpointslices", "", "list")
	add(install, "cert-manager.io", "certificates", "rook-clusterset-serving", "get")
	return rights
}

func askRights(ctx context.Context, p *Patient) (Finding, error) {
	var missing []string
	rights := managerRights()
	for _, r := range rights {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               managerUser,
			Groups:             []string{"system:serviceaccounts", "system:serviceaccounts:" + installNamespace, "system:authenticated"},
			ResourceAttributes: r.attributes(p.Namespace),
		}}
		if err := p.Client.Create(ctx, review); err != nil {
			return Finding{}, fmt.Errorf("ask what rook-clusterset may do: %w", err)
		}
		if !review.Status.Allowed {
			missing = append(missing, r.String())
		}
	}
	return ofRights(len(rights), missing), nil
}

func ofRights(asked int, missing []string) Finding {
	if len(missing) > 0 {
		slices.Sort(missing)
		return fails("Give them back: kubectl apply -f manifests/install.yaml", "rook-clusterset lacks %d of its %d rights", len(missing), asked).with(missing)
	}
	return well("rook-clusterset has its %d rights", asked)
}
