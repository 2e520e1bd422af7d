package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
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

// costNodes is how many OSDs a node has where the cost is measured.
const costNodes = 10

// cost is what a cluster of one size took.
type cost struct {
	osds int
	// empty is what both had taken before the first OSD, up and updated what each OSD took to come up and to be updated,
	// and full what both had in the end.
	empty, full pairUsage
	up, updated pairUsage
	took        time.Duration
	restarted   usage
	unrelated   []added
}

// measureCost brings up a cluster of each size in a control plane of its own.
func measureCost(ctx context.Context, f form, r *report) error {
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

func costOf(ctx context.Context, osds, unrelated int, settle time.Duration, r *report) (c cost, err error) {
	w, err := world.Start(ctx, mcsstandin.Options{})
	if err != nil {
		return cost{}, err
	}
	defer func() { err = errors.Join(err, w.Stop()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := elected(ctx, w.Replicas)
	if err != nil {
		return cost{}, err
	}
	// The API server keeps to one connection. Which replica it leads to must not be left to chance: the leader has all the work.
	w.Plane.Serve(p.leader)
	ceph, err := newClusterWithMons(ctx, w, "rook-ceph")
	if err != nil {
		return cost{}, err
	}
	if c, err = bringUp(ctx, ceph, p, osds, settle); err != nil {
		return cost{}, err
	}
	// For who watches, or will not wait for the end.
	fmt.Fprintf(r.out, "%d OSDs came up in %s: CPU of the leader %s per OSD and %s per update, resident memory %s\n", osds,
		seconds(c.took), milliseconds(c.up.leader.cpu), milliseconds(c.updated.leader.cpu), mebibytes(c.full.leader.resident))
	if c.restarted, err = restarted(ctx, w.Plane, settle); err != nil {
		return cost{}, err
	}
	if unrelated > 0 {
		c.unrelated, err = addUnrelated(ctx, ceph, p, c.full, unrelated, settle)
	}
	return c, err
}

// bringUp brings up the OSDs and updates each of them once.
func bringUp(ctx context.Context, ceph *cluster, p pair, osds int, settle time.Duration) (cost, error) {
	c := cost{osds: osds}
	nodes := nodesOf(osds, costNodes)
	if err := ceph.playKubelets(ctx, nodes); err != nil {
		return cost{}, err
	}
	var err error
	if c.empty, err = p.quietUsage(ctx); err != nil {
		return cost{}, err
	}
	started := time.Now()
	if err := ceph.provision(ctx, nodes); err != nil {
		return cost{}, err
	}
	c.took = time.Since(started)
	up, err := p.quietUsage(ctx)
	if err != nil {
		return cost{}, err
	}
	if err := ceph.everyOSDAdvertises(ctx, osds); err != nil {
		return cost{}, err
	}
	for _, n := range nodes {
		for _, id := range n.osds {
			if _, err := ceph.updateOSD(ctx, n.name, id); err != nil {
				return cost{}, err
			}
		}
	}
	updated, err := p.quietUsage(ctx)
	if err != nil {
		return cost{}, err
	}
	if err := ceph.everyOSDAdvertises(ctx, osds); err != nil {
		return cost{}, err
	}
	c.up, c.updated = up.since(c.empty, osds), updated.since(up, osds)
	// Memory is given back to the machine some time after it is no longer needed.
	c.full, err = p.settledUsage(ctx, settle)
	return c, err
}

// playKubelets lets the pods of the OSDs run.
func (c *cluster) playKubelets(ctx context.Context, nodes []node) error {
	var played []rookstandin.Node
	for i, n := range nodes {
		played = append(played, rookstandin.Node{Name: n.name, Address: fmt.Sprintf("192.168.%d.%d", i/250, 1+i%250)})
	}
	return ceph.PlayKubelet(ctx, c.world.Plane.Client, c.namespace, played)
}

func (p pair) quietUsage(ctx context.Context) (pairUsage, error) {
	if err := quiet(ctx, p.leader, p.other); err != nil {
		return pairUsage{}, err
	}
	return p.usage()
}

// since returns the CPU time since before, shared out to the OSDs.
func (u pairUsage) since(before pairUsage, osds int) pairUsage {
	u.leader.cpu = (u.leader.cpu - before.leader.cpu) / time.Duration(osds)
	u.other.cpu = (u.other.cpu - before.other.cpu) / time.Duration(osds)
	return u
}

// restarted returns what a replica has that starts with everything there, as one does that Kubernetes starts anew.
func restarted(ctx context.Context, plane *controlplane.Plane, settle time.Duration) (usage, error) {
	replica, err := plane.StartReplica(ctx, "restarted")
	if err != nil {
		return usage{}, err
	}
	if err := quiet(ctx, replica); err != nil {
		return usage{}, err
	}
	if err := pause(ctx, settle); err != nil {
		return usage{}, err
	}
	u, err := usageOf(replica)
	return u, errors.Join(err, replica.Stop())
}

func reportCost(r *report, costs []cost, f form) {
	rows := [][]string{
		{"OSDs", "CPU in all", "per OSD brought up", "per update without a change", "resident memory", "at its highest", "restarted"},
		{"", "leader / other", "leader / other", "leader / other", "leader / other", "leader / other", ""},
	}
	both := func(format func(usage) string, u pairUsage) string { return format(u.leader) + " / " + format(u.other) }
	resident := func(u usage) string { return mebibytes(u.resident) }
	perOSD := func(u usage) string { return milliseconds(u.cpu) }
	row := func(osds int, u pairUsage, rest ...string) []string {
		return append([]string{
			strconv.Itoa(osds), both(func(u usage) string { return seconds(u.cpu) }, u), rest[0], rest[1],
			both(resident, u), both(func(u usage) string { return mebibytes(u.highest) }, u),
		}, rest[2:]...)
	}
	rows = append(rows, row(0, costs[0].empty, "-", "-", "-"))
	for _, c := range costs {
		rows = append(rows, row(c.osds, c.full, both(perOSD, c.up), both(perOSD, c.updated), resident(c.restarted)))
	}
	r.table(fmt.Sprintf("Cost of two replicas (memory after three quiet seconds and %s more)", f.settle), rows...)
	first, last := costs[0], costs[len(costs)-1]
	what := fmt.Sprintf("of the leader at %d OSDs to that at %d", last.osds, first.osds)
	r.bar("CPU per OSD brought up "+what, ratio(last.up.leader.cpu, first.up.leader.cpu), mostGrowth, "")
	r.bar("CPU per update without a change "+what, ratio(last.updated.leader.cpu, first.updated.leader.cpu), mostGrowth, "")
	for _, m := range []struct {
		of string
		usage
	}{{"the leader", last.full.leader}, {"the other replica", last.full.other}, {"a replica started anew", last.restarted}} {
		r.bar(fmt.Sprintf("resident memory of %s at %d OSDs", m.of, last.osds), inMebibytes(m.resident), mostResident, " MiB")
	}
	reportUnrelated(r, last)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }
