package main

import (
	"time"

	"k8s.io/utils/clock"
)

// holdClock is what a hold of a replica waits by: while it waits, the others of the story act.
type holdClock struct {
	clock.Clock
	world   *world
	replica *replica
}

// Now implements clock.Clock.
func (c holdClock) Now() time.Time { return c.world.now }

// Since implements clock.Clock.
func (c holdClock) Since(t time.Time) time.Duration { return c.world.now.Sub(t) }

// NewTimer implements clock.Clock.
func (c holdClock) NewTimer(d time.Duration) clock.Timer {
	namespace := c.world.answering[len(c.world.answering)-1]
	return &holdTimer{holdClock: c, namespace: namespace, deadline: c.world.now.Add(d), changes: c.replica.changesIn(namespace)}
}

// holdTimer ends a hold in its time.
type holdTimer struct {
	clock.Timer
	holdClock
	namespace string
	deadline  time.Time
	// changes is how many changes were seen when the request was last decided on.
	changes int
}

// C implements clock.Timer. A hold asks for it each time that it begins to wait, so that this is where its time goes by.
func (t *holdTimer) C() <-chan time.Time {
	t.world.tell("... the write is held")
	for t.world.now.Before(t.deadline) {
		t.world.passWhileHeld()
		if seen := t.replica.changesIn(t.namespace); seen != t.changes {
			t.changes = seen
			return nil
		}
	}
	over := make(chan time.Time, 1)
	over <- t.world.now
	return over
}

// Stop implements clock.Timer.
func (*holdTimer) Stop() bool { return true }
