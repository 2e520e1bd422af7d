package rookstandin

import (
	"context"
	"time"
)

const retryWatch = 100 * time.Millisecond

// Timing holds the waits of the operator. Rook's own are given beside each; the defaults are much shorter.
type Timing struct {
	// QuorumTries bounds the wait for quorum (60).
	QuorumTries int
	// QuorumInterval passes between two tries (5 s).
	QuorumInterval time.Duration
	// CommandTimeout is how long a Ceph command takes that nobody answers (15 s).
	CommandTimeout time.Duration
	// CanaryTries and CanaryInterval bound the wait until a canary is scheduled (30 of 5 s).
	CanaryTries    int
	CanaryInterval time.Duration
	// OKToStopTries and OKToStopInterval bound the wait until a mon may be stopped (10 of 60 s).
	OKToStopTries    int
	OKToStopInterval time.Duration
	// PrepareJob is how long a prepare job looks for devices (about a second).
	PrepareJob time.Duration
	// OSDUpdatePause passes without a report of a prepare job before existing OSDs are updated (100 ms).
	OSDUpdatePause time.Duration
	// UpdateInterval passes between two looks at a Deployment that was updated (2 s), for UpdateTimeout at most (20 min).
	UpdateInterval time.Duration
	UpdateTimeout  time.Duration
	// BackoffBase doubles with each failed reconcile (5 ms) up to BackoffMax (1000 s).
	BackoffBase time.Duration
	BackoffMax  time.Duration
	// HealthInterval passes between two health checks of the mons (45 s); it goes before the CephCluster's own.
	HealthInterval time.Duration
	// StatusInterval passes between two looks at Ceph's health (60 s); with none it is noted in reconciles alone, and is well.
	StatusInterval time.Duration
	// MonOutTimeout is how long a mon may be out of quorum before it fails over (10 min); it goes before the
	// CephCluster's own.
	MonOutTimeout time.Duration
	// LookupTries and LookupInterval bound the wait for an exported address in native multi-cluster mode (20 of 5 s).
	LookupTries    int
	LookupInterval time.Duration
	// DetectVersion is how long the job takes that goes before each reconcile (a few seconds).
	DetectVersion time.Duration
}

// RealTiming returns the waits that suit real daemons: Rook's own where something must come about, shorter ones between
// two looks at it.
func RealTiming() Timing {
	return Timing{
		QuorumTries: 300, QuorumInterval: time.Second,
		CanaryTries: 60, CanaryInterval: 500 * time.Millisecond,
		OKToStopTries: 60, OKToStopInterval: 2 * time.Second,
		UpdateInterval: time.Second, UpdateTimeout: 5 * time.Minute,
		BackoffBase: 500 * time.Millisecond, BackoffMax: 10 * time.Second,
		HealthInterval: 5 * time.Second, MonOutTimeout: 10 * time.Minute,
		LookupTries: 20, LookupInterval: 5 * time.Second,
		// A real operator runs a job first.
		DetectVersion: time.Second,
	}
}

func (t Timing) withDefaults() Timing {
	orInt := func(v *int, fallback int) {
		if *v == 0 {
			*v = fallback
		}
	}
	or := func(v *time.Duration, fallback time.Duration) {
		if *v == 0 {
			*v = fallback
		}
	}
	orInt(&t.QuorumTries, 60)
	or(&t.QuorumInterval, 200*time.Millisecond)
	or(&t.CommandTimeout, 300*time.Millisecond)
	orInt(&t.CanaryTries, 30)
	or(&t.CanaryInterval, 200*time.Millisecond)
	orInt(&t.OKToStopTries, 10)
	or(&t.OKToStopInterval, 500*time.Millisecond)
	or(&t.PrepareJob, 50*time.Millisecond)
	or(&t.OSDUpdatePause, 100*time.Millisecond)
	or(&t.UpdateInterval, 50*time.Millisecond)
	or(&t.UpdateTimeout, 20*time.Second)
	or(&t.BackoffBase, 5*time.Millisecond)
	or(&t.BackoffMax, 2*time.Second)
	or(&t.HealthInterval, 500*time.Millisecond)
	or(&t.MonOutTimeout, 2*time.Second)
	orInt(&t.LookupTries, 20)
	or(&t.LookupInterval, 200*time.Millisecond)
	return t
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
