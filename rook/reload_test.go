package rook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestRookIsAskedToReloadWhileItsMemoryIsStale(t *testing.T) {
	there := rook.Operator{Known: true, Running: true}
	for name, c := range map[string]struct {
		corrected          string
		requested, written time.Time
		phase              string
		failover           string
		operator           rook.Operator
		reloadedAt         time.Time
		reload             bool
		again              time.Duration
	}{
		"at once":                   {corrected: "b=10.96.0.2:6789", phase: "Ready", operator: there, reload: true, again: 2 * time.Minute},
		"not while Rook is at work": {corrected: "b=10.96.0.2:6789", phase: "Progressing", operator: there},
		"not after Rook wrote a list that was right":     {phase: "Ready", operator: there},
		"not twice in two minutes":                       {corrected: "b=10.96.0.2:6789", phase: "Ready", operator: there, requested: noon.Add(-30 * time.Second), again: 90 * time.Second},
		"not twice though what is stored has not it yet": {corrected: "b=10.96.0.2:6789", phase: "Ready", operator: there, reloadedAt: noon.Add(-time.Second), again: 119 * time.Second},
		"again after two minutes":                        {corrected: "b=10.96.0.2:6789", phase: "Ready", operator: there, requested: noon.Add(-2 * time.Minute), reload: true, again: 2 * time.Minute},
		"not while a failover is under way":              {corrected: "b=10.96.0.2:6789", phase: "Ready", operator: there, failover: "mon \"b\" is scaled to 0", again: 15 * time.Second},
		"not of an operator that is not there":           {corrected: "b=10.96.0.2:6789", phase: "Ready", operator: rook.Operator{Known: true}, written: noon, again: 2 * time.Minute},
		"of an operator that runs in another way, and wrote a moment ago": {
			corrected: "b=10.96.0.2:6789", phase: "Ready", written: noon.Add(-9 * time.Minute), reload: true, again: 2 * time.Minute,
		},
		"not of one that runs in another way, and has been silent": {
			corrected: "b=10.96.0.2:6789", phase: "Ready", written: noon.Add(-10 * time.Minute), again: 2 * time.Minute,
		},
	} {
		t.Run(name, func(t *testing.T) {
			mons, err := rook.ParseEndpoints(c.corrected)
			require.NoError(t, err)
			reload, again := rook.DecideReload(rook.ReloadFacts{
				Cluster:    rook.Cluster{Phase: c.phase},
				Remembered: rook.Remembered{Mons: mons, ReloadRequested: c.requested, Written: c.written},
				Failover:   c.failover, Operator: c.operator, Last: c.reloadedAt,
			}, noon)
			require.Equal(t, c.reload, reload)
			require.Equal(t, c.again, again)
		})
	}
}

func TestTheTokenForPeersIsRightOnceAReconcileEndedWithARightMemory(t *testing.T) {
	stale := rook.Remembered{Mons: []rook.Endpoint{{ID: "b"}}}
	require.True(t, rook.TokenIsRight(rook.Cluster{Phase: "Ready"}, rook.Remembered{}))
	require.False(t, rook.TokenIsRight(rook.Cluster{Phase: "Ready"}, stale))
	require.False(t, rook.TokenIsRight(rook.Cluster{Phase: "Progressing"}, rook.Remembered{}))
	require.False(t, rook.TokenIsRight(rook.Cluster{Phase: "Ready", Deleting: true}, rook.Remembered{}))
}
