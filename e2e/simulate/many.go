package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// summary is what came of many stories.
type summary struct {
	played int
	faults map[string]int
	// bad are the first that ended badly.
	bad []outcome
}

// playAll plays stories of seeds in a row, several at once, until there are enough bad ones, or it is to end. Each bad one is
// told at once to whoever cannot wait.
func playAll(
	ctx context.Context, first uint64, often []string, rules *cacheRules, schedules, workers, enough int, told func(outcome),
) summary {
	ctrl.SetLogger(logr.Discard())
	// Stories leave much behind, and little of it for long.
	debug.SetGCPercent(3000)
	debug.SetMemoryLimit(2 << 30)
	s := summary{faults: map[string]int{}}
	var mu sync.Mutex
	var next atomic.Uint64
	var stop atomic.Bool
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for !stop.Load() && ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= uint64(schedules) {
					return
				}
				o := play(context.WithoutCancel(ctx), first+i, often, rules, false)
				mu.Lock()
				s.played++
				for name, count := range o.faults {
					s.faults[name] += count
				}
				if o.violation != "" {
					told(o)
					s.bad = append(s.bad, o)
					stop.Store(stop.Load() || len(s.bad) >= enough)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.SortFunc(s.bad, func(a, b outcome) int { return cmp.Compare(a.seed, b.seed) })
	return s
}

// faultsText says what went wrong how often.
func (s summary) faultsText() string {
	var words []string
	total := 0
	for _, name := range slices.Sorted(maps.Keys(s.faults)) {
		words = append(words, fmt.Sprintf("%s %d", name, s.faults[name]))
		total += s.faults[name]
	}
	return fmt.Sprintf("%d faults: %s", total, strings.Join(words, ", "))
}
