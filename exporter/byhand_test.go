package exporter

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestAnOSDFollowsItsAddressThoughSomebodyWroteThatItIsPinned(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), deployment(osd0, "242.0.1.0"))
	l.answers = map[string]string{osd0: "242.0.1.7"}
	require.NoError(t, l.ensurer.applyExport(t.Context(), rookDaemon(osd0), rook.Export{GlobalIP: addr("242.0.1.0"), Pinned: true}))
	l.report(osd0, "True", "Valid")
	l.settle()
	require.Equal(t, addr("242.0.1.7"), l.export(osd0).GlobalIP)
	require.False(t, l.export(osd0).Drift.IsValid())
}
