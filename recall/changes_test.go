package recall_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/recall"
)

// Whoever may make objects of a source anywhere gives them ever new names.
func TestChangesOfEverNewServicesAreNotRememberedWithoutEnd(t *testing.T) {
	const many, most = 500_000, 32 << 20
	mon := types.NamespacedName{Namespace: "rook-ceph", Name: "rook-ceph-mon-a"}
	var c recall.Changes
	c.Add(mon)
	last := c.About(mon.Namespace, mon.Name)
	before := heap()
	for i := range many {
		c.Add(types.NamespacedName{Namespace: "tenant", Name: fmt.Sprintf("rook-ceph-osd-%d", i)})
	}
	require.Less(t, heap(), before+most)
	require.GreaterOrEqual(t, c.About(mon.Namespace, mon.Name), last, "what is forgotten counts as changed")
	last = c.About(mon.Namespace, mon.Name)
	c.Add(mon)
	require.Greater(t, c.About(mon.Namespace, mon.Name), last)
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
