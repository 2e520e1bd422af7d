package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

// Group are processes that end together.
type Group struct {
	mu  sync.Mutex
	all []*Process
}

// Start is the function Start, for a process that the group ends.
func (g *Group) Start(dir, name, program string, env []string, args ...string) (*Process, error) {
	r, err := Start(dir, name, program, env, args...)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all = append(g.all, r)
	return r, nil
}

// Ended tells a process that should be running and has ended.
func (g *Group) Ended() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.all {
		if err := r.Ended(); err != nil {
			return err
		}
	}
	return nil
}

// Kill ends all, the last first: it may restart what the others are.
func (g *Group) Kill() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []error
	for _, r := range slices.Backward(g.all) {
		all = append(all, r.Stop(os.Kill))
	}
	return errors.Join(all...)
}

// Await waits until the check passes, and fails early with what has ended.
func Await(ctx context.Context, timeout, interval time.Duration, what string, ended func() error, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		last := check(ctx)
		if last == nil {
			return nil
		}
		if err := ended(); err != nil {
			return fmt.Errorf("wait until %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w (last: %w)", what, ctx.Err(), last)
		case <-time.After(interval):
		}
	}
}
