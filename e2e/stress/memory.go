package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// attack is something that is done to a replica to make it large.
type attack struct {
	what string
	// most is what a replica may have resident meanwhile, in MiB.
	most float64
	// run does it, and says what came of it.
	run func(ctx context.Context, r *room) (string, error)
	// long attacks are left out of the short form.
	long bool
}

// sampleEvery is how often the resident memory is read.
const sampleEvery = 50 * time.Millisecond

// peak is the highest resident memory of replicas while they are watched.
type peak struct{ before, most int64 }

// watch reads until the context ends. A replica that comes in between is read too.
func (p *peak) watch(ctx context.Context, pods *pods) {
	for ctx.Err() == nil {
		for _, one := range pods.everyone() {
			u, err := measure.UsageOf(one)
			if err != nil {
				// It has ended since.
				continue
			}
			// The kernel's own mark catches what comes and goes between two looks.
			p.most = max(p.most, u.Resident, u.Highest)
			p.before = cmp.Or(p.before, u.Resident)
		}
		_ = measure.Pause(ctx, sampleEvery)
	}
}

// forgetHighest has the kernel begin anew with the highest resident memory of a replica.
func forgetHighest(replica *controlplane.Replica) error {
	const highest = "5"
	if err := os.WriteFile("/proc/"+strconv.Itoa(replica.PID())+"/clear_refs", []byte(highest), 0o200); err != nil {
		return fmt.Errorf("begin anew with the memory of a replica: %w", err)
	}
	return nil
}

// memory runs the attacks on replicas that have 25 OSDs to look after.
func (r *run) memory(ctx context.Context) (err error) {
	place, err := newRoom(ctx, r.rate, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, place.stop()) }()
	rows := [][]string{{"attack", "for", "resident before", "at its highest", "bar", "what came of it"}}
	var bars []func()
	for _, a := range attacks() {
		if r.Short && a.long || !r.wanted(a.what) {
			continue
		}
		// What the attack before has left is not of this one.
		if err := roll()(ctx, place, nil); err != nil {
			return fmt.Errorf("replace the replicas: %w", err)
		}
		if err := place.pods.steady(ctx); err != nil {
			return err
		}
		for _, one := range place.pods.everyone() {
			if err := forgetHighest(one); err != nil {
				return err
			}
		}
		var p peak
		started := time.Now()
		came, err := place.watched(ctx, &p, a)
		if err != nil {
			return fmt.Errorf("%s: %w", a.what, err)
		}
		row := []string{
			a.what, measure.Seconds(time.Since(started)), measure.Mebibytes(p.before), measure.Mebibytes(p.most), fmt.Sprintf("%.0f MiB", a.most), came,
		}
		fmt.Fprintln(r.Out, row)
		rows = append(rows, row)
		bars = append(bars, func() {
			r.Bar("resident memory under: "+a.what, measure.InMebibytes(p.most), a.most, " MiB")
		})
	}
	r.Table("Attacks on the memory of a replica (the larger one of all)", rows...)
	for _, hold := range bars {
		hold()
	}
	return nil
}

func (r *room) watched(ctx context.Context, p *peak, a attack) (string, error) {
	watching, end := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { p.watch(watching, r.pods) })
	defer watcher.Wait()
	defer end()
	came, err := a.run(ctx, r)
	if err != nil {
		return "", err
	}
	// What was read goes on being worked on.
	return came, measure.Pause(ctx, after)
}
