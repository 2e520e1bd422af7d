package exporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

// earlyFor is how long the want of an answer is not told of. The sources are read from caches of which one is a moment
// behind another, so that a healthy export can be Valid while its address has not been seen yet.
const earlyFor = 3 * time.Second

// askedAtOnce bounds how many questions wait for DNS at a time.
const askedAtOnce = 16

// due returns the questions that may be put now.
func (t turn) due(f facts) []question {
	var due []question
	all := f.questions()
	open := make(map[string]bool, len(all))
	for _, q := range all {
		q.signature = fmt.Sprintf("%s %d", q.signature, t.changes.about(f.cluster.Namespace))
		open[q.daemon.Name()] = true
		if t.memory.due(q.daemon.Name(), q.signature, f.now) {
			due = append(due, q)
		}
	}
	for name := range t.memory.tries {
		if !open[name] {
			t.memory.answered(name)
		}
	}
	return due
}

// ask puts the questions and returns what came of each.
func (t turn) ask(ctx context.Context, f facts, questions []question) (map[string]resolution, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	elsewhere, err := t.elsewhere(ctx)
	if err != nil {
		return nil, err
	}
	resolutions := make([]resolution, len(questions))
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i, q := range questions {
		group.Go(func() error {
			answer, err := t.sources.Resolve(ctx, resolver.Request{
				Namespace:  q.daemon.Namespace,
				Name:       q.daemon.Name(),
				ClusterIPs: q.clusterIPs,
				InUse:      f.inUse(q.daemon, elsewhere),
			})
			resolutions[i] = resolution{answer: answer, refusal: refusalOf(err)}
			return nil
		})
	}
	_ = group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("ask for global IPs: %w", err)
	}
	answers := make(map[string]resolution, len(questions))
	for i, q := range questions {
		name := q.daemon.Name()
		answers[name] = resolutions[i]
		if resolutions[i].refusal == nil {
			t.memory.answered(name)
			continue
		}
		since := t.memory.failed(name, q.signature, f.now)
		answers[name] = resolution{refusal: resolutions[i].refusal, early: f.now.Sub(since) < earlyFor}
	}
	return answers, nil
}

func refusalOf(err error) *reason.Error {
	if err == nil {
		return nil
	}
	if refusal, ok := errors.AsType[*reason.Error](err); ok {
		return refusal
	}
	return reason.Errorf(reason.SourceUnreadable, "%v", err)
}

// nextTry returns how long it is until a daemon without an address may be asked for again, zero if there is none. One
// that has an address waits for its sources to change.
func (t turn) nextTry(f facts) time.Duration {
	var next time.Duration
	for name, try := range t.memory.tries {
		if f.exports[name].GlobalIP.IsValid() {
			continue
		}
		next = sooner(next, max(try.next.Sub(f.now), time.Second))
	}
	return next
}
