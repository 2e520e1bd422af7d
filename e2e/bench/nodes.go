package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// mostOfDelays is how much of one delay per node may be added to what Rook itself takes.
const mostOfDelays = 1.1

// measureNodes brings up the OSDs of some nodes in Rook's serial order, where each global IP takes its time and where
// none does, and beside it some as Rook's native mode would.
func measureNodes(ctx context.Context, w *world.World, f form, r *measure.Report) error {
	osds := f.nodes * f.osdsPerNode
	nodes := measure.NodesOf(osds, f.osdsPerNode)
	var took [2]time.Duration
	for i, delay := range []time.Duration{0, f.allocation} {
		ceph, err := measure.NewCluster(ctx, w, fmt.Sprintf("nodes-%d", i), measure.Enabled())
		if err != nil {
			return err
		}
		if took[i], err = timeProvision(ctx, ceph, nodes, delay); err != nil {
			return fmt.Errorf("with %s per allocation: %w", delay, err)
		}
		if err := ceph.EveryOSDAdvertises(ctx, osds); err != nil {
			return err
		}
	}
	native, err := measureNative(ctx, w, f)
	if err != nil {
		return err
	}
	each := func(d time.Duration, osds int) string { return measure.Seconds(d / time.Duration(osds)) }
	r.Table(fmt.Sprintf("OSDs in Rook's serial order, on %d nodes, and in a model of its native mode", f.nodes),
		[]string{"", "a global IP takes", "OSDs", "in all", "per OSD"},
		[]string{"rook-clusterset", "no time", fmt.Sprint(osds), measure.Seconds(took[0]), each(took[0], osds)},
		[]string{"rook-clusterset", f.allocation.String(), fmt.Sprint(osds), measure.Seconds(took[1]), each(took[1], osds)},
		[]string{"model of the native mode", f.allocation.String(), fmt.Sprint(f.native), measure.Seconds(native), each(native, f.native)})
	delays := time.Duration(f.nodes) * f.allocation
	r.Bar(fmt.Sprintf("time that %s per global IP adds to %d OSDs on %d nodes", f.allocation, osds, f.nodes),
		(took[1] - took[0]).Seconds(), mostOfDelays*delays.Seconds(), " s")
	return nil
}

func timeProvision(ctx context.Context, c *measure.Cluster, nodes []measure.Node, delay time.Duration) (time.Duration, error) {
	for _, n := range nodes {
		for _, id := range n.OSDs {
			c.World.MCS.SetFault(c.Namespace, measure.OSDName(id), mcsstandin.Fault{Delay: delay})
		}
	}
	started := time.Now()
	err := c.Provision(ctx, nodes)
	return time.Since(started), err
}
