package webhook

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// holds keeps requests waiting for a change in their namespace, bounded in time and in number.
type holds struct {
	limit   time.Duration
	signals *signals
	metrics *metrics
	clock   clock.Clock

	mu       sync.Mutex
	places   *places
	stopped  bool
	stopping chan struct{}
}

func newHolds(opts Options, s *signals, m *metrics) *holds {
	h := &holds{limit: opts.Hold, places: newPlaces(opts.MaxHeld), signals: s, metrics: m, clock: opts.Clock, stopping: make(chan struct{})}
	if h.clock == nil {
		h.clock = clock.RealClock{}
	}
	return h
}

// settle asks decide until it no longer wants to wait: at first with an empty reason, and again at each change in the
// namespace of the place. When waiting must end, it asks a last time, with the reason why. It returns how long the request
// was held. begin is called once it has its place.
func (h *holds) settle(
	ctx context.Context, at place, dryRun bool, begin func(), decide func(giveUp reason.Code) (wait bool, err error),
) (time.Duration, error) {
	changed := h.signals.next(at.namespace)
	wait, err := decide("")
	if err != nil || !wait {
		return 0, err
	}
	if dryRun {
		_, err = decide(reason.DryRun)
		return 0, err
	}
	if refused := h.enter(at); refused != "" {
		_, err = decide(refused)
		return 0, err
	}
	began := h.clock.Now()
	defer func() { h.leave(at, h.clock.Since(began)) }()
	begin()
	timer := h.clock.NewTimer(h.limit)
	defer timer.Stop()
	for {
		var giveUp reason.Code
		select {
		case <-changed:
			changed = h.signals.next(at.namespace)
		case <-timer.C():
			giveUp = reason.HoldTimedOut
		case <-h.stopping:
			giveUp = reason.ShuttingDown
		case <-ctx.Done():
			giveUp = reason.ClientGone
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				giveUp = reason.HoldTimedOut
			}
		}
		wait, err := decide(giveUp)
		if err != nil || !wait || giveUp != "" {
			return h.clock.Since(began), err
		}
	}
}

// stop ends all waiting, now and from now on.
func (h *holds) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopped {
		h.stopped = true
		close(h.stopping)
	}
}

func (h *holds) enter(at place) reason.Code {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return reason.ShuttingDown
	}
	if refused := h.places.take(at); refused != "" {
		return refused
	}
	h.metrics.held.Inc()
	return ""
}

func (h *holds) leave(at place, after time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.places.giveBack(at)
	h.metrics.held.Dec()
	h.metrics.holdSeconds.Observe(after.Seconds())
}
