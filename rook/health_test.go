package rook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func written(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &u.Object))
	return u
}

func TestTheHealthOfCephIsReadAsRookNotesIt(t *testing.T) {
	require.Equal(t, rook.Health{
		Status: "HEALTH_WARN", Checks: []string{"MON_DOWN", "PG_DEGRADED"}, Mons: 3, Checked: time.Date(2026, 11, 25, 19, 0, 0, 0, time.UTC),
	}, rook.ReadHealth(written(t, `
status:
  ceph:
    health: HEALTH_WARN
    lastChecked: "2026-11-25T19:00:00Z"
    details:
      PG_DEGRADED: {severity: HEALTH_WARN, message: Degraded data redundancy}
      MON_DOWN: {severity: HEALTH_WARN, message: 1/3 mons down}
    versions: {mon: {ceph version 20.2.3: 1, ceph version 20.2.4: 2}, osd: {ceph version 20.2.4: 6}}`)))
	require.Equal(t, rook.Health{}, rook.ReadHealth(written(t, `{status: {phase: Progressing}}`)))
	require.Equal(t, rook.Health{}, rook.ReadHealth(written(t, `{status: {ceph: nothing}}`)))
}

func TestHowRookReplacesMonsIsReadFromTheCephCluster(t *testing.T) {
	rooks := rook.Failover{Mons: 3, Timeout: 10 * time.Minute, Interval: 45 * time.Second}
	with := func(edit func(*rook.Failover)) rook.Failover { f := rooks; edit(&f); return f }
	for name, c := range map[string]struct {
		text string
		want rook.Failover
	}{
		"Rook's own":          {`{spec: {mon: {count: 3}}}`, rooks},
		"of a user":           {`{spec: {mon: {count: 5}, healthCheck: {daemonHealth: {mon: {interval: 30s, timeout: 600s}}}}}`, with(func(f *rook.Failover) { f.Mons, f.Interval = 5, 30*time.Second })},
		"never":               {`{spec: {mon: {count: 3}, healthCheck: {daemonHealth: {mon: {timeout: "0"}}}}}`, with(func(f *rook.Failover) { f.Timeout = 0 })},
		"what cannot be read": {`{spec: {mon: {count: 3}, healthCheck: {daemonHealth: {mon: {timeout: soon}}}}}`, rooks},
		"switched off":        {`{spec: {mon: {count: 3}, healthCheck: {daemonHealth: {mon: {disabled: true}}}}}`, with(func(f *rook.Failover) { f.Off = true })},
		"with external mons":  {`{spec: {mon: {count: 3, externalMonIDs: [x]}}}`, with(func(f *rook.Failover) { f.External = true })},
		"skipped":             {`{metadata: {labels: {ceph.rook.io/do-not-reconcile: ""}}, spec: {mon: {count: 3}}}`, with(func(f *rook.Failover) { f.Skipped = true })},
		"nothing":             {`{}`, with(func(f *rook.Failover) { f.Mons = 0 })},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, rook.ReadFailover(written(t, c.text))) })
	}
}

func TestWhatTheMonEndpointsSayBesidesTheAddressesIsRead(t *testing.T) {
	require.Equal(t, rook.MonList{}, rook.ReadMonList(nil))
	require.Equal(t, rook.MonList{Mons: 2, OutOfQuorum: []string{"a", "b"}, External: true}, rook.ReadMonList(&corev1.ConfigMap{
		Data: map[string]string{"data": "a=242.0.0.1:6789,b=242.0.0.2:6789", "outOfQuorum": "a,b", "externalMons": "x"},
	}))
}
