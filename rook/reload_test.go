package rook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestRookIsAskedToReloadWhileItsMemoryIsStale(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		corrected, requested string
		phase                string
		reloadedAt           time.Time
		reload               bool
		again                time.Duration
	}{
		"at once":                   {corrected: "b=10.96.0.2:6789", phase: "Ready", reload: true, again: 2 * time.Minute},
		"not while Rook is at work": {corrected: "b=10.96.0.2:6789", phase: "Progressing"},
		"not after Rook wrote a list that was right":   {phase: "Ready"},
		"not twice in two minutes":                     {corrected: "b=10.96.0.2:6789", phase: "Ready", requested: "2026-03-01T11:59:30Z", again: 90 * time.Second},
		"not twice though the cache does not tell yet": {corrected: "b=10.96.0.2:6789", phase: "Ready", reloadedAt: noon.Add(-time.Second), again: 119 * time.Second},
		"again after two minutes":                      {corrected: "b=10.96.0.2:6789", phase: "Ready", requested: "2026-03-01T11:58:00Z", reload: true, again: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := rook.Cluster{}
			cluster.Phase = c.phase
			endpoints := &corev1.ConfigMap{}
			endpoints.Annotations = map[string]string{}
			if c.corrected != "" {
				endpoints.Annotations[rook.CorrectedAnnotation] = c.corrected
			}
			if c.requested != "" {
				endpoints.Annotations[rook.ReloadRequestedAnnotation] = c.requested
			}
			reload, again := rook.DecideReload(cluster, endpoints, c.reloadedAt, noon)
			require.Equal(t, c.reload, reload)
			require.Equal(t, c.again, again)
		})
	}
}
