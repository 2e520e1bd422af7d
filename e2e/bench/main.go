// Command bench measures what rook-clusterset costs, on a real API server and with Deployments of real size, and fails
// where a figure misses its bar. The MCS implementation and what Rook's operator writes are stand-ins.
package main

import (
	"context"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// form says how much is measured.
type form struct {
	// sizes are the OSDs of each cluster whose cost is measured, the smallest first.
	sizes []int
	// unrelated is how many objects of each kind are added that are no business of ours, to the cluster of the last size.
	unrelated int
	// settle is how long a quiet replica is left alone before its memory is read.
	settle             time.Duration
	holds              int
	nodes, osdsPerNode int
	// allocation is how long each global IP takes where the delay of the allocation is measured.
	allocation time.Duration
	native     int
	// requests are those of each kind and each set-up.
	requests int
}

var (
	long = form{
		sizes: []int{100, 300, 1000}, unrelated: 20_000, settle: 30 * time.Second, holds: 20,
		nodes: 3, osdsPerNode: 10, allocation: 5 * time.Second, native: 4, requests: 300,
	}
	short = form{
		sizes: []int{30, 120}, unrelated: 2_000, settle: 5 * time.Second, holds: 10,
		nodes: 3, osdsPerNode: 3, allocation: 2 * time.Second, native: 1, requests: 60,
	}
)

// bench is what is measured. Some of its parts share one control plane.
type bench struct {
	measure.Program
	world *world.World
}

func main() {
	b := &bench{Program: measure.Program{Report: measure.Report{Name: "bench"}, Timeout: 2 * time.Hour}}
	b.Parts = []measure.Part{
		{Name: "cost", Run: func(ctx context.Context) error { return measureCost(ctx, b.form(), &b.Report) }},
		{Name: "hold", Run: b.together(measureHolds)},
		{Name: "nodes", Run: b.together(measureNodes)},
		{Name: "requests", Run: b.together(measureRequests)},
		{Name: "handler", Run: func(ctx context.Context) error { return measureHandler(ctx, &b.Report) }},
	}
	b.End = b.stop
	b.Main()
}

func (b *bench) form() form {
	if b.Short {
		return short
	}
	return long
}

func (b *bench) together(part func(context.Context, *world.World, form, *measure.Report) error) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		if b.world == nil {
			if b.world, err = world.Start(ctx, mcsstandin.Options{}); err != nil {
				return err
			}
		}
		return part(ctx, b.world, b.form(), &b.Report)
	}
}

func (b *bench) stop() error {
	if b.world == nil {
		return nil
	}
	return b.world.Stop()
}
