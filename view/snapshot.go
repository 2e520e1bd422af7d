package view

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Snapshot is all that is known of a namespace, for whoever reports on it as a whole.
type Snapshot struct {
	Namespace string
	Enabled   bool
	// Cluster is nil where there is none.
	Cluster *rook.Cluster
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
	}
	s.Daemons = v.tellForeign(ctx, inOrder(namespace, combine(namespace, exports, services, deployments), listedDaemons(endpoints)))
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
