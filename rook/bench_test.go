package rook_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// The bar of the rewrite of one real-size OSD: 100 us and 500 allocations, the copy of the object included.
const (
	mostNanoseconds = 100_000
	mostAllocations = 500
)

// BenchmarkRewriteOSD takes a copy of the Deployment (some 650 lines of YAML) each time, as admission does, and counts it.
// The bar is for the median: the mean tells as well what else the machine was doing.
func BenchmarkRewriteOSD(b *testing.B) {
	g := goldenNamed(b, "osd-v1.20.6-node")
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		started := time.Now()
		if code := rook.Rewrite(g.in.DeepCopy(), g.ip); code != reason.Rewritten {
			b.Fatal(code)
		}
		took = append(took, time.Since(started))
	}
	slices.Sort(took)
	median := took[len(took)/2].Nanoseconds()
	b.ReportMetric(float64(median), "median-ns/op")
	if median > mostNanoseconds && len(took) > 1 {
		b.Errorf("%d ns for one rewrite, more than %d", median, mostNanoseconds)
	}
}

// BenchmarkRewriteOSDAlone is the same without the copy: the arguments that it changed are put back.
func BenchmarkRewriteOSDAlone(b *testing.B) {
	g := goldenNamed(b, "osd-v1.20.6-node")
	osd := &g.in.Spec.Template.Spec.Containers[0]
	args := osd.Args
	b.ReportAllocs()
	for b.Loop() {
		if code := rook.Rewrite(g.in, g.ip); code != reason.Rewritten {
			b.Fatal(code)
		}
		osd.Args = args
	}
}

func TestTheRewriteOfARealSizeOSDAllocatesLittle(t *testing.T) {
	g := goldenNamed(t, "osd-v1.20.6-node")
	allocations := testing.AllocsPerRun(100, func() { rook.Rewrite(g.in.DeepCopy(), g.ip) })
	require.Less(t, allocations, float64(mostAllocations))
}
