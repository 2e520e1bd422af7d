// Package measure is what the programs that measure share: CephClusters whose Deployments have the size of real ones, what
// replicas take of the machine, and tables with bars.
package measure

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
)

const shortTimeout = 10 * time.Minute

// Program is a command that measures, part by part, and reports what came of it.
type Program struct {
	Report
	// Short is the form that leaves out what is long.
	Short bool
	// Timeout is that of the long form.
	Timeout time.Duration
	// Parts are the tables, in their order.
	Parts []Part
	// End, where it is set, ends what the parts share.
	End func() error
}

// Part is a table, or some that belong together.
type Part struct {
	Name string
	Run  func(context.Context) error
	// Long parts are left out of the short form, unless they are asked for.
	Long bool
}

// Main runs the parts that are asked for, and exits with 1 where one fails or misses a bar. It parses the flags.
func (p *Program) Main() {
	var names []string
	for _, part := range p.Parts {
		names = append(names, part.Name)
	}
	flag.BoolVar(&p.Short, "short", false, "do less, in under five minutes")
	only := flag.String("only", "", "the parts to run, of "+strings.Join(names, ",")+"; all by default")
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	p.Out = os.Stdout
	if err := p.run(*only); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if !p.Conclude() {
		os.Exit(1)
	}
}

func (p *Program) run(only string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	timeout := p.Timeout
	if p.Short {
		timeout = shortTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if p.End != nil {
		defer func() { err = errors.Join(err, p.End()) }()
	}
	p.Machine()
	for _, part := range p.Parts {
		if only == "" && p.Short && part.Long || only != "" && !slices.Contains(strings.Split(only, ","), part.Name) {
			continue
		}
		if err := part.Run(ctx); err != nil {
			return fmt.Errorf("run the part %s: %w", part.Name, err)
		}
	}
	return nil
}
