package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// The bars of the cost.
const (
	mostGrowth   = 1.5
	mostResident = 64
	mostAdded    = 5
)

// The leader is the first of two.
const leader, other = 0, 1

// costNodes is how many OSDs a node has where the cost is measured.
const costNodes = 10

// cost is what a cluster of one size took.
type cost struct {
	osds int
	// empty is what both had taken before the first OSD, up and updated what each OSD took to come up and to be updated,
	// and full what both had in the end: the leader and the other.
	empty, full, up, updated []measure.Usage
	took                     time.Duration
	restarted                measure.Usage
	unrelated                []added
}

// measureCost brings up a cluster of each size in a control plane of its own.
func measureCost(ctx context.Context, f form, r *measure.Report) error {
	var costs []cost
	for i, osds := range f.sizes {
		unrelated := 0
		if i == len(f.sizes)-1 {
			unrelated = f.unrelated
		}
		c, err := costOf(ctx, osds, unrelated, f.settle, r)
		if err != nil {
			return fmt.Errorf("with %d OSDs: %w", osds, err)
		}
		costs = append(costs, c)
	}
	reportCost(r, costs, f)
	return nil
}

func costOf(ctx context.Context, osds, unrelated int, settle time.Duration, r *measure.Report) (c cost, err error) {
	w, err := world.Start(ctx, mcsstandin.Options{})
	if err != nil {
		return cost{}, err
	}
	defer func() { err = errors.Join(err, w.Stop()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pair, err := measure.Elected(ctx, w.Replicas)
	if err != nil {
		return cost{}, err
	}
	// The API server keeps to one connection. Which replica it leads to must not be left to chance: the leader has all the work.
	w.Plane.Serve(pair[leader])
	cluster, err := measure.NewClusterWithMons(ctx, w, "rook-ceph")
	if err != nil {
		return cost{}, err
	}
	if c, err = bringUp(ctx, cluster, pair, osds, settle); err != nil {
		return cost{}, err
	}
	// For who watches, or will not wait for the end.
	fmt.Fprintf(r.Out, "%d OSDs came up in %s: CPU of the leader %s per OSD and %s per update, resident memory %s\n", osds,
		measure.Seconds(c.took), measure.Milliseconds(c.up[leader].CPU), measure.Milliseconds(c.updated[leader].CPU), measure.Mebibytes(c.full[leader].Resident))
	if c.restarted, err = restarted(ctx, w.Plane, settle); err != nil {
		return cost{}, err
	}
	if unrelated > 0 {
		c.unrelated, err = addUnrelated(ctx, cluster, pair, c.full, unrelated, settle)
	}
	return c, err
}

// bringUp brings up the OSDs and updates each of them once.
func bringUp(ctx context.Context, cluster *measure.Cluster, pair []*controlplane.Replica, osds int, settle time.Duration) (cost, error) {
	c := cost{osds: osds}
	nodes := measure.NodesOf(osds, costNodes)
	if err := playKubelets(ctx, cluster, nodes); err != nil {
		return cost{}, err
	}
	var err error
	if c.empty, err = measure.Quiet(ctx, 0, pair...); err != nil {
		return cost{}, err
	}
	started := time.Now()
	if err := cluster.Provision(ctx, nodes); err != nil {
		return cost{}, err
	}
	c.took = time.Since(started)
	up, err := measure.Quiet(ctx, 0, pair...)
	if err != nil {
		return cost{}, err
	}
	if err := cluster.EveryOSDAdvertises(ctx, osds); err != nil {
		return cost{}, err
	}
	for _, n := range nodes {
		for _, id := range n.OSDs {
			if _, err := cluster.UpdateOSD(ctx, n.Name, id); err != nil {
				return cost{}, err
			}
		}
	}
	updated, err := measure.Quiet(ctx, 0, pair...)
	if err != nil {
		return cost{}, err
	}
	if err := cluster.EveryOSDAdvertises(ctx, osds); err != nil {
		return cost{}, err
	}
	c.up, c.updated = since(up, c.empty, osds), since(updated, up, osds)
	// Memory is given back to the machine some time after it is no longer needed.
	c.full, err = measure.Quiet(ctx, settle, pair...)
	return c, err
}

// playKubelets lets the pods of the OSDs run.
func playKubelets(ctx context.Context, c *measure.Cluster, nodes []measure.Node) error {
	var played []rookstandin.Node
	for i, n := range nodes {
		played = append(played, rookstandin.Node{Name: n.Name, Address: fmt.Sprintf("192.168.%d.%d", i/250, 1+i%250)})
	}
	return ceph.PlayKubelet(ctx, c.World.Plane.Client, c.Namespace, played)
}

// since returns the CPU time since before, shared out to the OSDs.
func since(now, before []measure.Usage, osds int) []measure.Usage {
	each := slices.Clone(now)
	for i := range each {
		each[i].CPU = (now[i].CPU - before[i].CPU) / time.Duration(osds)
	}
	return each
}

// restarted returns what a replica has that starts with everything there, as one does that Kubernetes starts anew.
func restarted(ctx context.Context, plane *controlplane.Plane, settle time.Duration) (measure.Usage, error) {
	replica, err := plane.StartReplica(ctx, "restarted")
	if err != nil {
		return measure.Usage{}, err
	}
	u, err := measure.Quiet(ctx, settle, replica)
	if err := errors.Join(err, replica.Stop()); err != nil {
		return measure.Usage{}, err
	}
	return u[0], nil
}

func reportCost(r *measure.Report, costs []cost, f form) {
	rows := [][]string{
		{"OSDs", "CPU in all", "per OSD brought up", "per update without a change", "resident memory", "at its highest", "restarted"},
		{"", "leader / other", "leader / other", "leader / other", "leader / other", "leader / other", ""},
	}
	both := func(format func(measure.Usage) string, u []measure.Usage) string {
		return format(u[leader]) + " / " + format(u[other])
	}
	resident := func(u measure.Usage) string { return measure.Mebibytes(u.Resident) }
	perOSD := func(u measure.Usage) string { return measure.Milliseconds(u.CPU) }
	row := func(osds int, u []measure.Usage, rest ...string) []string {
		return append([]string{
			strconv.Itoa(osds), both(func(u measure.Usage) string { return measure.Seconds(u.CPU) }, u), rest[0], rest[1],
			both(resident, u), both(func(u measure.Usage) string { return measure.Mebibytes(u.Highest) }, u),
		}, rest[2:]...)
	}
	rows = append(rows, row(0, costs[0].empty, "-", "-", "-"))
	for _, c := range costs {
		rows = append(rows, row(c.osds, c.full, both(perOSD, c.up), both(perOSD, c.updated), resident(c.restarted)))
	}
	r.Table(fmt.Sprintf("Cost of two replicas (memory after three quiet seconds and %s more)", f.settle), rows...)
	first, last := costs[0], costs[len(costs)-1]
	what := fmt.Sprintf("of the leader at %d OSDs to that at %d", last.osds, first.osds)
	r.Bar("CPU per OSD brought up "+what, ratio(last.up[leader].CPU, first.up[leader].CPU), mostGrowth, "")
	r.Bar("CPU per update without a change "+what, ratio(last.updated[leader].CPU, first.updated[leader].CPU), mostGrowth, "")
	for _, m := range []struct {
		of string
		measure.Usage
	}{{"the leader", last.full[leader]}, {"the other replica", last.full[other]}, {"a replica started anew", last.restarted}} {
		r.Bar(fmt.Sprintf("resident memory of %s at %d OSDs", m.of, last.osds), measure.InMebibytes(m.Resident), mostResident, " MiB")
	}
	reportUnrelated(r, last)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
