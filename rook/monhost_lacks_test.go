package rook_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestAMonToBeBornIsNewlyListedWhereTheListIsStoredWithAnotherAddressOfIt(t *testing.T) {
	born, unborn := bornMon("242.0.0.1", "10.96.0.1"), newMonWith("242.0.0.2", "10.96.0.2")
	asleep := rook.DaemonFacts{Deployed: true, ClusterIPs: born.ClusterIPs}
	for name, c := range map[string]struct {
		write, stored *corev1.ConfigMap
		mons          map[string]rook.DaemonFacts
		want          string
	}{
		"one that is new":                  {endpointsMap("a=242.0.0.1:6789,b=10.96.0.2:6789"), endpointsMap("a=242.0.0.1:6789"), map[string]rook.DaemonFacts{"a": born, "b": unborn}, "b=242.0.0.2:6789"},
		"one that was given another":       {endpointsMap("a=242.0.0.1:6789,b=10.96.0.2:6789"), endpointsMap("a=242.0.0.1:6789,b=242.0.0.9:6789"), map[string]rook.DaemonFacts{"a": born, "b": unborn}, "b=242.0.0.2:6789"},
		"one that somebody listed rightly": {endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"), endpointsMap("a=242.0.0.1:6789"), map[string]rook.DaemonFacts{"a": born, "b": unborn}, "b=242.0.0.2:6789"},
		"none that is stored there":        {endpointsMap("a=242.0.0.1:6789,b=10.96.0.2:6789"), endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"), map[string]rook.DaemonFacts{"a": born, "b": unborn}, ""},
		"none that lives":                  {endpointsMap("a=10.96.0.1:6789"), endpointsMap("a=10.96.0.9:6789"), map[string]rook.DaemonFacts{"a": born}, ""},
		"none that sleeps":                 {endpointsMap("a=10.96.0.1:6789"), endpointsMap("a=242.0.0.1:6789"), map[string]rook.DaemonFacts{"a": asleep}, ""},
		"none that has lived":              {highest(endpointsMap("k=10.99.1.10:6789"), "15"), endpointsMap(""), map[string]rook.DaemonFacts{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := rook.DecideEndpoints(rook.EndpointsFacts{New: c.write, Stored: c.stored, Mons: c.mons})
			require.Equal(t, c.want, rook.FormatEndpoints(d.NewlyListed))
		})
	}
}

func TestMonHostLacksWhatIsNewlyListedUntilItTellsThat(t *testing.T) {
	list := func(data string) *corev1.ConfigMap { return endpointsMap(data) }
	r := rook.Remembered{}.AfterListing(entriesOf(t, "c=242.0.0.3:6789,b=242.0.0.2:6789"), list("a=242.0.0.1:6789,b=242.0.0.2:6789,c=242.0.0.3:6789"))
	require.Equal(t, "b=242.0.0.2:6789,c=242.0.0.3:6789", rook.FormatEndpoints(r.MonHostLacks))
	require.True(t, r.IsBehind("b"))
	require.False(t, r.IsBehind("a"))

	require.Equal(t, r, r.AfterMonHost("[v2:242.0.0.1:3300,v1:242.0.0.1:6789],[v2:10.96.0.2:3300,v1:10.96.0.2:6789]"), "nothing of them")
	told := r.AfterMonHost("[v2:242.0.0.1:3300,v1:242.0.0.1:6789],[v2:242.0.0.2:3300]")
	require.Equal(t, "c=242.0.0.3:6789", rook.FormatEndpoints(told.MonHostLacks))

	moved := r.AfterListing(entriesOf(t, "b=242.0.0.9:6789"), list("b=242.0.0.9:6789"))
	require.Equal(t, "b=242.0.0.9:6789", rook.FormatEndpoints(moved.MonHostLacks), "what is listed no longer is not awaited")
	require.True(t, moved.AfterMonHost("[v2:242.0.0.2:3300]").IsBehind("b"), "that is the address of before")

	require.Equal(t, "b=242.0.0.9:6789", rook.FormatEndpoints(rook.NotYetIn(list("a=242.0.0.1:6789"), entriesOf(t, "a=242.0.0.1:6789,b=242.0.0.9:6789"))))
}
