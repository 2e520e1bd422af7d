// Command bench measures what rook-clusterset costs, on a real API server and with Deployments of real size, and fails
// where a figure misses its bar. The MCS implementation and what Rook's operator writes are stand-ins.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

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
	timeout  time.Duration
}

var (
	long = form{
		sizes: []int{100, 300, 1000}, unrelated: 20_000, settle: 30 * time.Second, holds: 20,
		nodes: 3, osdsPerNode: 10, allocation: 5 * time.Second, native: 4, requests: 300, timeout: 2 * time.Hour,
	}
	short = form{
		sizes: []int{30, 120}, unrelated: 2_000, settle: 5 * time.Second, holds: 10,
		nodes: 3, osdsPerNode: 3, allocation: 2 * time.Second, native: 1, requests: 60, timeout: 10 * time.Minute,
	}
)

// parts are the tables, in their order.
var parts = []struct {
	name string
	// fresh parts start control planes of their own; the others share one.
	fresh   func(ctx context.Context, f form, r *measure.Report) error
	measure func(ctx context.Context, w *world.World, f form, r *measure.Report) error
}{
	{name: "cost", fresh: measureCost},
	{name: "hold", measure: measureHolds},
	{name: "nodes", measure: measureNodes},
	{name: "requests", measure: measureRequests},
	{name: "handler", fresh: measureHandler},
}

func main() {
	isShort := flag.Bool("short", false, "measure less, in under five minutes")
	only := flag.String("only", "", "the parts to measure, of cost,hold,nodes,requests,handler; all by default")
	flag.Parse()
	f := long
	if *isShort {
		f = short
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	r := &measure.Report{Name: "bench", Out: os.Stdout}
	if err := bench(ctx, f, *only, r); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if !r.Conclude() {
		os.Exit(1)
	}
}

func bench(ctx context.Context, f form, only string, r *measure.Report) (err error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	r.Machine()
	var shared *world.World
	defer func() {
		if shared != nil {
			err = errors.Join(err, shared.Stop())
		}
	}()
	for _, part := range parts {
		if only != "" && !slices.Contains(strings.Split(only, ","), part.name) {
			continue
		}
		if part.fresh != nil {
			if err := part.fresh(ctx, f, r); err != nil {
				return fmt.Errorf("measure the part %s: %w", part.name, err)
			}
			continue
		}
		if shared == nil {
			if shared, err = world.Start(ctx, mcsstandin.Options{}); err != nil {
				return err
			}
		}
		if err := part.measure(ctx, shared, f, r); err != nil {
			return fmt.Errorf("measure the part %s: %w", part.name, err)
		}
	}
	return nil
}
