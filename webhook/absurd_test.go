package webhook

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Of what stands in a text nothing bounds how much it becomes when it is read, and anybody who reaches the port sends any.
func TestATextThatIsAbsurdCostsNoMoreThanItsSizeManyTimes(t *testing.T) {
	const size = 1 << 20
	const mostAllocated, mostLogged = 40 * size, 8 << 10
	letters := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a%c%c%c%c=1.1.1.1:1,", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26, 'a'+i/17576%26)
		}
		return b.String()
	}
	external := monEndpointsOf(letters(800))
	external.Data[rook.EndpointsExternalMons] = strings.Repeat(",", size)
	csi := func(text string) client.Object {
		c := csiConfig("")
		c.Data[rook.EndpointsCSIKey] = text
		return c
	}
	for name, c := range map[string]struct {
		path   string
		object client.Object
	}{
		"a list of nothing":                 {MonEndpointsPath, monEndpointsOf(strings.Repeat(",", size))},
		"a list of little nothings":         {MonEndpointsPath, monEndpointsOf(strings.Repeat(",", 16<<10))},
		"a list of mons without an end":     {MonEndpointsPath, monEndpointsOf(letters(size / 20))},
		"a list of one mon many times":      {MonEndpointsPath, monEndpointsOf(strings.Repeat("a=1.1.1.1:1,", 1000) + "a=1.1.1.1:1")},
		"external mons without an end":      {MonEndpointsPath, external},
		"a config of CSI that is deep":      {CSIConfigPath, csi(strings.Repeat("[", size))},
		"a config of CSI of empty clusters": {CSIConfigPath, csi("[" + strings.Repeat("{},", size/3) + "{}]")},
		"a mon_host of nothing":             {CephConfigPath, cephConfig(strings.Repeat(",", size))},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.mons["a"] = born("242.1.255.1", "10.96.0.1")
			s := newStage(t, w, Options{})
			req := byHand(update(t, c.object, c.object))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s.handle(t.Context(), c.path, req)
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(mostAllocated))
			require.Less(t, s.log.Len(), mostLogged)
		})
	}
}

// counting counts how often the API server is asked of a daemon.
type counting struct {
	*world
	asked map[string]int
}

func (c counting) LatestDaemon(ctx context.Context, daemon rook.Daemon) (rook.DaemonFacts, error) {
	c.asked[daemon.ID]++
	return c.world.LatestDaemon(ctx, daemon)
}

func TestHoweverOftenAListHasAMonTheAPIServerIsAskedOfItOnce(t *testing.T) {
	w := newWorld()
	w.mons["a"] = born("242.1.255.1", "10.96.0.1")
	s := newStage(t, w, Options{})
	c := counting{world: w, asked: map[string]int{}}
	m := &monEndpoints{view: c, ensurer: w, holds: s.holds}
	req := creation(t, monEndpointsOf(strings.Repeat("a=1.1.1.1:1,", 100)+"a=1.1.1.1:1"))
	a, err := m.decide(t.Context(), req)
	require.NoError(t, err)
	require.Equal(t, reason.EndpointsCorrected, a.code)
	require.Equal(t, map[string]int{"a": 1}, c.asked)
}
