package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestRestored(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), deployment(osd0, "242.0.1.0"))
	export := l.made(osd0)
	export.SetAnnotations(map[string]string{
		rook.OrphanedSinceAnnotation: "2020-01-01T00:00:00Z", rook.RefusedAnnotation: "no_answer: x", rook.PinnedAnnotation: "true", rook.GlobalIPAnnotation: "242.0.1.0",
	})
	l.create(export)
	l.settle()
	t.Log(l.exportObject(osd0).GetAnnotations())
	t.Log(l.exportObject(osd0).GetManagedFields())
	l.clock = noon.Add(2 * time.Hour)
	l.turn()
	t.Log(l.exportObject(osd0).GetAnnotations())
	require.Zero(t, l.export(osd0).OrphanedSince)
}
