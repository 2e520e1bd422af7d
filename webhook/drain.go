package webhook

import (
	"context"
	"time"
)

// DefaultShutdownDelay is longer than an API server usually takes to learn that a replica is gone.
const DefaultShutdownDelay = 3 * time.Second

func (o Options) shutdownDelay() time.Duration {
	switch {
	case o.ShutdownDelay == 0:
		return DefaultShutdownDelay
	case o.ShutdownDelay < 0:
		return 0
	default:
		return o.ShutdownDelay
	}
}

// drain ends all holds when the manager is asked to stop. The manager stops the caches and the webhook server only when
// everything like drain has returned: during the delay the listener stays, and is answered from the caches.
type drain struct {
	holds *holds
	delay time.Duration
}

// NeedLeaderElection puts drain among what the manager stops first, on every replica.
func (drain) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (d drain) Start(ctx context.Context) error {
	<-ctx.Done()
	d.holds.stop()
	time.Sleep(d.delay)
	return nil
}
