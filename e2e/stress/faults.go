package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// fault is one thing that goes wrong while Rook writes.
type fault struct {
	what string
	// inject makes it so, and returns when it is over.
	inject func(ctx context.Context, r *room, counted *tally) error
	// failed is how many calls may fail for it. A call that the API server itself does not serve is none of ours, where
	// unserved says that there may be some; and a birth may be refused until its address is known, where waits does.
	failed          int
	unserved, waits bool
	// long faults are left out of the short form.
	long bool
	// beside is how many updates in a second there are meanwhile at most, where the fault itself is load; none stands for all.
	beside int
	// undisturbed says that nothing is wrong, so that the machine has to carry the load.
	undisturbed bool
}

// outcome is a row of the table.
type outcome struct {
	fault
	*tally
	took, recovered time.Duration
	restarts        int
	// admitted is how many calls to the webhook were made in a second meanwhile.
	admitted float64
}

// suffer injects the fault under load, and waits until all is as before.
func (r *room) suffer(ctx context.Context, f fault) (outcome, error) {
	o := outcome{fault: f}
	restarts := r.pods.restartCount()
	var err error
	o.tally, err = r.traffic.load(ctx, f.beside, func(ctx context.Context, counted *tally) error {
		began, err := r.admissions(ctx)
		if err != nil {
			return err
		}
		started := time.Now()
		err = f.inject(ctx, r, counted)
		o.took = time.Since(started)
		if err != nil {
			return err
		}
		ended, err := r.admissions(ctx)
		if ended < began {
			// An API server that has been started again counts anew.
			began = 0
		}
		o.admitted = (ended - began) / time.Since(started).Seconds()
		return err
	})
	if err != nil {
		return o, fmt.Errorf("%s: %w", f.what, err)
	}
	started := time.Now()
	if err := r.pods.steady(ctx); err != nil {
		return o, fmt.Errorf("%s: %w", f.what, err)
	}
	o.recovered = time.Since(started)
	o.restarts = r.pods.restartCount() - restarts
	return o, nil
}

func (o outcome) held() bool {
	return o.wrong == 0 && o.tally.failed <= o.fault.failed && (o.fault.unserved || o.tally.unserved == 0) && (o.waits || o.waited == 0)
}

func (o outcome) row() []string {
	return []string{
		o.what, measure.Seconds(o.took), fmt.Sprintf("%.0f", o.admitted), strconv.Itoa(o.sent), strconv.Itoa(o.births), strconv.Itoa(o.connections),
		strconv.Itoa(o.tally.failed), strconv.Itoa(o.fault.failed), either(o.tally.unserved, o.fault.unserved), either(o.waited, o.waits),
		strconv.Itoa(o.wrong), measure.Seconds(o.slowest), strconv.Itoa(o.restarts),
	}
}

// either shows a count, and whether one was allowed at all.
func either(count int, allowed bool) string {
	if allowed {
		return strconv.Itoa(count)
	}
	return fmt.Sprintf("%d of 0", count)
}

var faultHead = []string{
	"what was done", "for", "admissions in a second", "writes", "births", "connections", "failed", "may fail", "not served", "refused to wait", "wrong addresses", "slowest", "replicas restarted",
}

// report prints the rows and holds each against what it allows.
func report(r *measure.Report, title string, outcomes []outcome) {
	rows := [][]string{faultHead}
	for _, o := range outcomes {
		rows = append(rows, o.row())
	}
	r.Table(title, rows...)
	for _, o := range outcomes {
		text := fmt.Sprintf("%s: no wrong address, and no more calls failed than may", o.what)
		if o.first != "" {
			text += " (" + measure.Shorten(o.first) + ")"
		}
		r.Verdict(o.held(), text)
	}
}
