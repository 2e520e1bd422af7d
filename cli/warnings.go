package cli

import (
	"context"
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

// clustersetWarnings returns what is odd about this cluster's place in the clusterset, though daemons are served. What the
// flags of the manager say is not known here.
func clustersetWarnings(ctx context.Context, c client.Client, installed kinds.Installed) []string {
	read := kinds.Reader{Objects: c, Installed: installed}
	readers := resolver.Readers{Cached: read.Objects, Live: read.Objects}
	membership, err := resolver.New(readers, read.Installed, resolver.Options{}).Membership(ctx)
	if err != nil {
		return []string{fmt.Sprintf("this cluster's place in the clusterset is not known: %v", err)}
	}
	warnings := unreadableKinds(ctx, c, installed)
	for _, overlap := range membership.Overlaps() {
		warnings = append(warnings, "this cluster "+reason.PeerCIDROverlaps.Sentence()+": "+overlap)
	}
	return warnings
}

// managerUser is who the manager is to the API server, as install.yaml has it.
const managerUser = "system:serviceaccount:rook-clusterset:rook-clusterset"

// unreadableKinds returns which kinds of the clusterset the manager may not read and so leaves out. Whoever may not ask for
// the rights of others is told nothing.
func unreadableKinds(ctx context.Context, c client.Client, installed kinds.Installed) []string {
	var warnings []string
	asked := map[string]bool{}
	for _, kind := range resolver.Kinds() {
		gvk, served := installed.Served(kind.GroupKind)
		if !served || asked[kind.Plural] {
			continue
		}
		asked[kind.Plural] = true
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:   managerUser,
			Groups: []string{"system:serviceaccounts", "system:serviceaccounts:rook-clusterset", "system:authenticated"},
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: "list", Group: gvk.Group, Version: gvk.Version, Resource: kind.Plural,
			},
		}}
		if err := c.Create(ctx, review); err == nil && !review.Status.Allowed {
			warnings = append(warnings, fmt.Sprintf("this cluster %s: %s", reason.SourceLeftOut.Sentence(), kind.GroupKind))
		}
	}
	return warnings
}
