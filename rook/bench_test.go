package rook_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// The bar of the rewrite of one real-size OSD, from the object to the patch.
const (
	mostNanoseconds = 100_000
	mostAllocations = 50
)

// BenchmarkRewriteOSD plans the changes of the Deployment (some 650 lines of YAML) and writes them as a patch, as
// admission does. The bar is for the median: the mean tells as well what else the machine was doing.
func BenchmarkRewriteOSD(b *testing.B) {
	g := goldenNamed(b, "osd-v1.20.6-node")
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		started := time.Now()
		requireRewriteOf(b, g)
		took = append(took, time.Since(started))
	}
	slices.Sort(took)
	median := took[len(took)/2].Nanoseconds()
	b.ReportMetric(float64(median), "median-ns/op")
	if median > mostNanoseconds && len(took) > 1 {
		b.Errorf("%d ns for one rewrite, more than %d", median, mostNanoseconds)
	}
}

func TestTheRewriteOfARealSizeOSDAllocatesLittle(t *testing.T) {
	g := goldenNamed(t, "osd-v1.20.6-node")
	allocations := testing.AllocsPerRun(100, func() { requireRewriteOf(t, g) })
	require.Less(t, allocations, float64(mostAllocations))
}

func requireRewriteOf(t testing.TB, g golden) {
	changes, code := rook.ChangesFor(g.in, g.ip)
	patch, err := json.Marshal(changes.Operations())
	if code != reason.Rewritten || err != nil || len(patch) == 0 {
		t.Fatal(code, err)
	}
}
