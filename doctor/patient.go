package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/version"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// The names by which install.yaml installs rook-clusterset.
const (
	installNamespace = "rook-clusterset"
	deploymentName   = "rook-clusterset"
	leaseName        = "rook-clusterset-exporter"
	managerUser      = "system:serviceaccount:" + installNamespace + ":rook-clusterset"
)

// Patient is a cluster that is examined, with the rights of whoever asks, once.
type Patient struct {
	Client    client.Client
	Installed kinds.Installed
	View      *view.View
	Addresses *resolver.Resolver
	// ServerVersion asks the API server which release it is.
	ServerVersion func() (*version.Info, error)
	// Namespace is the one that is looked at; empty stands for all that are switched on.
	Namespace string
	// AsksDNS says that the servers that would be asked know the names of the clusterset: those of a workstation do not.
	AsksDNS bool
	// Now is the time.
	Now time.Time

	snapshots  []view.Snapshot
	membership *resolver.Membership
}

// Snapshots returns what is known of each namespace that is looked at. It is read once.
func (p *Patient) Snapshots(ctx context.Context) ([]view.Snapshot, error) {
	if p.snapshots != nil {
		return p.snapshots, nil
	}
	namespaces := []string{p.Namespace}
	if p.Namespace == "" {
		var err error
		if namespaces, err = p.View.EnabledNamespaces(ctx); err != nil {
			return nil, fmt.Errorf("find the namespaces that are switched on: %w", err)
		}
	}
	read := []view.Snapshot{}
	for _, namespace := range namespaces {
		snapshot, err := p.View.Snapshot(ctx, namespace)
		if err != nil {
			return nil, fmt.Errorf("read namespace %s: %w", namespace, err)
		}
		read = append(read, snapshot)
	}
	p.snapshots = read
	return read, nil
}

// Membership returns this cluster's place in the clusterset. It is read once.
func (p *Patient) Membership(ctx context.Context) (resolver.Membership, error) {
	if p.membership == nil {
		m, err := p.Addresses.Membership(ctx)
		if err != nil {
			return resolver.Membership{}, fmt.Errorf("read this cluster's place in the clusterset: %w", err)
		}
		p.membership = &m
	}
	return *p.membership, nil
}

// scope is where a right must hold.
type scope int

const (
	// everywhere is the whole cluster, or a kind without namespaces.
	everywhere scope = iota
	// looked is the namespace that is looked at, or all.
	looked
	// itself is the object of that namespace: a Role in it can give a right to that.
	itself
	// install is where rook-clusterset is installed.
	install
)

// right is one that a check needs, or rook-clusterset itself. A resource is written as RBAC does, with its subresource.
type right struct {
	verb, group, resource, name string
	in                          scope
}

func (r right) attributes(namespace string) *authorizationv1.ResourceAttributes {
	resource, subresource, _ := strings.Cut(r.resource, "/")
	attributes := &authorizationv1.ResourceAttributes{Verb: r.verb, Group: r.group, Resource: resource, Subresource: subresource, Name: r.name}
	switch r.in {
	case looked:
		attributes.Namespace = namespace
	case itself:
		attributes.Namespace, attributes.Name = namespace, namespace
	case install:
		attributes.Namespace = installNamespace
	case everywhere:
	}
	return attributes
}

// String is as the message of a lack names it.
func (r right) String() string {
	text := r.verb + " " + r.resource
	if r.group != "" {
		text += "." + r.group
	}
	if r.name != "" {
		text += " " + r.name
	}
	if r.in == install {
		text += " in " + installNamespace
	}
	return text
}

// mayNot returns which of the rights whoever asks has not. What cannot be asked is tried.
func (p *Patient) mayNot(ctx context.Context, rights []right) []string {
	var missing []string
	for _, r := range rights {
		review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: r.attributes(p.Namespace)}}
		if err := p.Client.Create(ctx, review); err == nil && !review.Status.Allowed {
			missing = append(missing, r.String())
		}
	}
	return missing
}
