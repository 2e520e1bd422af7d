// Command stress lets things go wrong, and attacks, on a real API server while Rook writes, and fails at any wrong address
// that is stored and at any call that fails where none may. The MCS implementation and what Rook's operator writes are
// stand-ins.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

const (
	longTimeout  = time.Hour
	shortTimeout = 10 * time.Minute
)

// run is what is to be done, and where what came of it goes.
type run struct {
	short bool
	rate  int
	// fault has, with commas between, parts of the names of those faults and attacks that alone are wanted.
	fault  string
	report *measure.Report
}

// parts are the tables, in their order.
var parts = []struct {
	name string
	run  func(r run, ctx context.Context) error
	// long parts are left out of the short form, unless they are asked for.
	long bool
}{
	{name: "faults", run: run.faults},
	{name: "dns", run: run.dns, long: true},
	{name: "memory", run: run.memory},
	{name: "tenant", run: run.tenant, long: true},
}

func main() {
	short := flag.Bool("short", false, "do less")
	only := flag.String("only", "", "the parts to run, of faults,dns,memory,tenant; all by default")
	rate := flag.Int("rate", 50, "updates of OSDs in a second, of which each asks for admission; fewer only where the machine has other things to do")
	fault := flag.String("fault", "", "of the faults and attacks, only those in whose name one of these, with commas between, stands")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	if err := apiextensionsv1.AddToScheme(scheme.Scheme); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	r := run{short: *short, rate: *rate, fault: *fault, report: &measure.Report{Name: "stress", Out: os.Stdout}}
	if err := stress(ctx, r, *only); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if !r.report.Conclude() {
		os.Exit(1)
	}
}

func stress(ctx context.Context, r run, only string) error {
	timeout := longTimeout
	if r.short {
		timeout = shortTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r.report.Machine()
	for _, part := range parts {
		if only == "" && r.short && part.long || only != "" && !slices.Contains(strings.Split(only, ","), part.name) {
			continue
		}
		if err := part.run(r, ctx); err != nil {
			return fmt.Errorf("run the part %s: %w", part.name, err)
		}
	}
	return nil
}
