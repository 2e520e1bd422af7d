package rookstandin

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
)

// Options configure an Operator. Zero values stand for the defaults that are named.
type Options struct {
	// Config reaches the API server. It is not needed where Client is given.
	Config *rest.Config
	// AsOperator makes the operator, and its prepare jobs, act as the ServiceAccounts that Rook's run as, with the rights
	// that Install gives them; Config must be allowed to impersonate.
	AsOperator bool
	// Client is made from Config by default.
	Client client.WithWatch
	// Namespace is that of the CephCluster, OperatorNamespace that of the operator: both rook-ceph by default.
	Namespace, OperatorNamespace string
	// Release is v1.20.6 by default, CephVersion 20.2.4-0.
	Release     Release
	CephVersion string
	// Nodes are DefaultNodes by default, OSDs are three on nodes.
	Nodes []Node
	OSDs  []OSD
	// Timing has its own defaults.
	Timing Timing
	// Kubelet reads pods and Deployments by default: something must run a deployment controller and play the kubelets.
	Kubelet Kubelet
	// Ceph is that of ceph.Start by default. An operator that is started again is given the one of before.
	Ceph *ceph.Cluster
	// Commands are those of Ceph's model by default. Where they are given there is no model.
	Commands ceph.Commands
	// Lookup asks the DNS of the clusterset; only native multi-cluster mode needs it.
	Lookup func(ctx context.Context, name string) (netip.Addr, error)
	// OnEntry, if set, is called with every entry of the journal.
	OnEntry func(Entry)
}

func (o *Options) setDefaults() error {
	o.Namespace = cmp.Or(o.Namespace, "rook-ceph")
	o.OperatorNamespace = cmp.Or(o.OperatorNamespace, "rook-ceph")
	o.CephVersion = cmp.Or(o.CephVersion, "20.2.4-0")
	o.Release = cmp.Or(o.Release, Release{Minor: 20, Patch: 6})
	if len(o.Nodes) == 0 {
		o.Nodes = DefaultNodes
	}
	if o.OSDs == nil {
		o.OSDs = []OSD{{ID: "0"}, {ID: "1"}, {ID: "2"}}
	}
	o.Timing = o.Timing.withDefaults()
	var err error
	if o.Client == nil {
		o.Client, err = o.clientOf(o.OperatorNamespace, OperatorServiceAccount)
	}
	return err
}

// clientOf returns a client that acts as the ServiceAccount, if any is to be acted as.
func (o *Options) clientOf(namespace, account string) (client.WithWatch, error) {
	if o.Client != nil && !o.AsOperator {
		return o.Client, nil
	}
	cfg := rest.CopyConfig(o.Config)
	cfg.QPS = -1
	if o.AsOperator {
		cfg.Impersonate = rest.ImpersonationConfig{
			UserName: fmt.Sprintf("system:serviceaccount:%s:%s", namespace, account),
			Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
		}
	}
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return nil, fmt.Errorf("make the client of the Rook stand-in: %w", err)
	}
	return c, nil
}
