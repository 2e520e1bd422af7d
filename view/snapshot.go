package view

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Snapshot is all that is known of a namespace, for whoever reports on it as a whole.
type Snapshot struct {
	Namespace string
	Enabled   bool
	// Cluster is nil where there is none.
	Cluster *rook.Cluster
	// Switches are what else an admin says on the namespace.
	Switches Switches
	// Health is how Ceph is, and Failover how Rook replaces its mons.
	Health   rook.Health
	Failover rook.Failover
	// List is what Rook's mon endpoints say besides the addresses.
	List rook.MonList
	// Placing says that Rook looks for a node for a mon, and Floating that there is a mon which moves between nodes.
	Placing, Floating bool
	// Daemons has each daemon that has an export, a Deployment or, for a mon, an entry in Rook's list: mons first, OSDs by
	// number.
	Daemons []rook.DaemonFacts
}

// Snapshot reads a namespace. What it costs grows with the number of daemons there.
func (v *View) Snapshot(ctx context.Context, namespace string) (Snapshot, error) {
	s := Snapshot{Namespace: namespace}
	var err error
	if s.Enabled, err = v.Enabled(ctx, namespace); err != nil {
		return Snapshot{}, err
	}
	in := client.InNamespace(namespace)
	exports, err := v.exports(ctx, in)
	if err != nil {
		return Snapshot{}, err
	}
	services, err := v.services(ctx, in)
	if err != nil {
		return Snapshot{}, err
	}
	deployments, err := v.deployments(ctx, in)
	if err != nil {
		return Snapshot{}, err
	}
	endpoints, err := v.MonEndpoints(ctx, namespace)
	if err != nil {
		return Snapshot{}, err
	}
	cluster, err := v.served(ctx, v.kinds, namespace)
	if err != nil {
		return Snapshot{}, err
	}
	if cluster != nil {
		read := v.readCluster(cluster, deployments)
		s.Cluster = &read
		s.Health, s.Failover = rook.ReadHealth(cluster), rook.ReadFailover(cluster)
	}
	if s.Switches, err = v.Switches(ctx, namespace); err != nil {
		return Snapshot{}, err
	}
	s.List = rook.ReadMonList(endpoints)
	daemons := combine(namespace, exports, services, deployments)
	s.addRollouts(daemons, deployments)
	s.Daemons = v.tellForeign(ctx, inOrder(namespace, daemons, listedDaemons(endpoints)))
	return s, nil
}

func (v *View) tellForeign(ctx context.Context, daemons []rook.DaemonFacts) []rook.DaemonFacts {
	if v.global == nil {
		return daemons
	}
	isGlobal := v.global(ctx)
	for i := range daemons {
		if isGlobal != nil {
			daemons[i].AddForeign(isGlobal)
		}
	}
	return daemons
}

// listedDaemons returns where Rook has its own mons: an external one is not told of.
func listedDaemons(endpoints *corev1.ConfigMap) map[string]netip.Addr {
	listed := rook.Listed(endpoints)
	maps.DeleteFunc(listed, func(id string, _ netip.Addr) bool { return !rook.CanBeDaemon(endpoints, id) })
	return listed
}

// addRollouts adds how each daemon is, which nobody asks who looks at some of them.
func (s *Snapshot) addRollouts(daemons map[string]rook.DaemonFacts, deployments []appsv1.Deployment) {
	for i := range deployments {
		d := &deployments[i]
		_, code := rook.Identify(d)
		s.Placing = s.Placing || code == reason.Canary
		s.Floating = s.Floating || code == reason.FloatingMon
		if facts, known := daemons[d.Name]; known && code == "" {
			facts.Rollout = rook.ReadRollout(d)
			daemons[d.Name] = facts
		}
	}
}

// inOrder adds where Rook has the mons, and drops what is a Service and nothing else: a daemon is gone then, or not begun.
func inOrder(namespace string, daemons map[string]rook.DaemonFacts, listed map[string]netip.Addr) []rook.DaemonFacts {
	for id, address := range listed {
		mon := rook.Daemon{Type: rook.Mon, ID: id, Namespace: namespace}
		facts := daemons[mon.Name()]
		if facts.Daemon.ID == "" {
			facts.Daemon = mon
		}
		facts.Listed = address
		daemons[mon.Name()] = facts
	}
	rows := slices.Collect(maps.Values(daemons))
	rows = slices.DeleteFunc(rows, func(f rook.DaemonFacts) bool {
		return !f.Export.Exists && !f.Deployed && !f.Listed.IsValid()
	})
	slices.SortFunc(rows, func(a, b rook.DaemonFacts) int {
		return cmp.Or(strings.Compare(string(a.Daemon.Type), string(b.Daemon.Type)),
			cmp.Compare(len(a.Daemon.ID), len(b.Daemon.ID)), strings.Compare(a.Daemon.ID, b.Daemon.ID))
	})
	return rows
}
