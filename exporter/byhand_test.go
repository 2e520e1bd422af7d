package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// restored is an export that somebody put back as a backup had it: what stands in it is not ours to apply away.
func (l *loop) restored(name string, noted rook.Export) {
	l.t.Helper()
	export := newExport(serviceExport, rookDaemon(name))
	export.SetAnnotations(noted.Annotations())
	require.NoError(l.t, l.client.Create(l.t.Context(), export, client.FieldOwner("backup")))
}

func TestAMarkThatABackupPutBackIsTakenFromWhatLivesSoThatItsGraceBeginsAnew(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), deployment(osd0, "242.0.1.0"))
	l.answers = map[string]string{osd0: "242.0.1.0"}
	l.restored(osd0, rook.Export{GlobalIP: addr("242.0.1.0"), OrphanedSince: noon.Add(-24 * time.Hour)})
	l.report(osd0, "True", "Valid")
	l.settle()
	require.NoError(t, l.client.Delete(t.Context(), deployment(osd0, "")))
	l.clock = noon.Add(time.Hour)
	l.turn()
	require.True(t, l.export(osd0).Exists, "its Deployment was there a moment ago")
	require.Equal(t, l.clock, l.export(osd0).OrphanedSince)
}

func TestAPinThatABackupPutBackIsTakenFromAMonThatIsToBeBorn(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), monService(monA, "10.96.0.1"), endpointsOf(""))
	l.answers = map[string]string{monA: "242.0.0.7"}
	l.restored(monA, rook.Export{Identity: rook.IdentityClusterset, GlobalIP: addr("242.0.0.1"), Source: "GlobalIngressIP", Pinned: true})
	l.report(monA, "True", "Valid")
	l.settle()
	require.False(t, l.export(monA).Pinned)
	require.Equal(t, addr("242.0.0.7"), l.export(monA).GlobalIP)
}
