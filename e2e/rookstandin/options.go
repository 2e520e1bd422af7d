package rookstandin

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
)

// Options configure an Operator. Zero values stand for the defaults that are named.
type Options struct {
	// Config reaches the API server, and is allowed to impersonate: the operator and its prepare jobs act as the ServiceAccounts that
	// Rook's run as, with the rights that Install gives them. It is not needed where Client is given.
	Config *rest.Config
	// Client is made from Config by default. Where it is given, it is that of the prepare jobs too.
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
	// AssumePods, where it is given, reads Deployments whose pods are taken for running. Otherwise something must run a deployment
	// controller and play the kubelets.
	AssumePods client.Reader
	// Ceph is that of ceph.Start by default. An operator that is started again is given the one of before.
	Ceph *ceph.Cluster
	// Commands are those of Ceph's model by default. Where they are given there is no model.
	Commands ceph.Commands
	// Lookup asks the DNS of the clusterset; only native multi-cluster mode needs it.
	Lookup func(ctx context.Context, name string) (netip.Addr, error)
	// OnEntry, if set, is called with every entry of the journal.
	OnEntry func(Entry)
}

func (o *Options) setDefaults() {
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
	o.OSDs = slices.Clone(o.OSDs)
	for i := range o.OSDs {
		o.OSDs[i].node = o.Nodes[i%len(o.Nodes)].Name
	}
	o.Timing = o.Timing.withDefaults()
}

// clientOf returns the Client that is given, or one that acts as the ServiceAccount.
func (o *Options) clientOf(namespace, account string) (client.WithWatch, error) {
	if o.Client != nil {
		return o.Client, nil
	}
	cfg := rest.CopyConfig(o.Config)
	cfg.QPS = -1
	cfg.Impersonate = rest.ImpersonationConfig{
		UserName: fmt.Sprintf("system:serviceaccount:%s:%s", namespace, account),
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
	}
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return nil, fmt.Errorf("make the client of the Rook stand-in: %w", err)
	}
	return c, nil
}

// Timing holds the waits of the operator. Rook's own are given beside each; the defaults are much shorter.
type Timing struct {
	// QuorumTries bounds the wait for quorum (60).
	QuorumTries int
	// QuorumInterval passes between two tries (5 s).
	QuorumInterval time.Duration
	// CommandTimeout is how long a Ceph command takes that nobody answers (15 s).
	CommandTimeout time.Duration
	// CanaryTries and CanaryInterval bound the wait until a canary is scheduled (30 of 5 s).
	CanaryTries    int
	CanaryInterval time.Duration
	// OKToStopTries and OKToStopInterval bound the wait until a mon may be stopped (10 of 60 s).
	OKToStopTries    int
	OKToStopInterval time.Duration
	// PrepareJob is how long a prepare job looks for devices (about a second).
	PrepareJob time.Duration
	// UpdateInterval passes between two looks at a Deployment that was updated (2 s), for UpdateTimeout at most (20 min).
	UpdateInterval, UpdateTimeout time.Duration
	// BackoffBase doubles with each failed reconcile (5 ms) up to BackoffMax (1000 s).
	BackoffBase, BackoffMax time.Duration
	// HealthInterval passes between two health checks of the mons (45 s); it goes before the CephCluster's own.
	HealthInterval time.Duration
	// StatusInterval passes between two looks at Ceph's health (60 s); with none it is noted in reconciles alone, and is well.
	StatusInterval time.Duration
	// MonOutTimeout is how long a mon may be out of quorum before it fails over (10 min); it goes before the
	// CephCluster's own.
	MonOutTimeout time.Duration
	// LookupTries and LookupInterval bound the wait for an exported address in native multi-cluster mode (20 of 5 s).
	LookupTries    int
	LookupInterval time.Duration
	// DetectVersion is how long the job takes that goes before each reconcile (a few seconds).
	DetectVersion time.Duration
}

// RealTiming returns the waits that suit real daemons: Rook's own where something must come about, shorter ones between
// two looks at it.
func RealTiming() Timing {
	return Timing{
		QuorumTries: 300, QuorumInterval: time.Second,
		CanaryTries: 60, CanaryInterval: 500 * time.Millisecond,
		OKToStopTries: 60, OKToStopInterval: 2 * time.Second,
		UpdateInterval: time.Second, UpdateTimeout: 5 * time.Minute,
		BackoffBase: 500 * time.Millisecond, BackoffMax: 10 * time.Second,
		HealthInterval: 5 * time.Second, MonOutTimeout: 10 * time.Minute,
		LookupTries: 20, LookupInterval: 5 * time.Second,
		// A real operator runs a job first.
		DetectVersion: time.Second,
	}
}

func (t Timing) withDefaults() Timing {
	t.QuorumTries = cmp.Or(t.QuorumTries, 60)
	t.QuorumInterval = cmp.Or(t.QuorumInterval, 200*time.Millisecond)
	t.CommandTimeout = cmp.Or(t.CommandTimeout, 300*time.Millisecond)
	t.CanaryTries = cmp.Or(t.CanaryTries, 30)
	t.CanaryInterval = cmp.Or(t.CanaryInterval, 200*time.Millisecond)
	t.OKToStopTries = cmp.Or(t.OKToStopTries, 10)
	t.OKToStopInterval = cmp.Or(t.OKToStopInterval, 500*time.Millisecond)
	t.PrepareJob = cmp.Or(t.PrepareJob, 50*time.Millisecond)
	t.UpdateInterval = cmp.Or(t.UpdateInterval, 50*time.Millisecond)
	t.UpdateTimeout = cmp.Or(t.UpdateTimeout, 20*time.Second)
	t.BackoffBase = cmp.Or(t.BackoffBase, 5*time.Millisecond)
	t.BackoffMax = cmp.Or(t.BackoffMax, 2*time.Second)
	t.HealthInterval = cmp.Or(t.HealthInterval, 500*time.Millisecond)
	t.MonOutTimeout = cmp.Or(t.MonOutTimeout, 2*time.Second)
	t.LookupTries = cmp.Or(t.LookupTries, 20)
	t.LookupInterval = cmp.Or(t.LookupInterval, 200*time.Millisecond)
	return t
}
