package exporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

const monD = "rook-ceph-mon-d"

// createdAt says when an export was created, which the fake API server does not.
func (l *loop) createdAt(name string, at time.Time) {
	l.t.Helper()
	export := l.exportObject(name)
	export.SetCreationTimestamp(metav1.NewTime(at))
	require.NoError(l.t, l.client.Update(l.t.Context(), export))
}

func TestTheExportOfAnUnbornMonIsMadeAnewWhileAnotherDaemonLivesAtItsAddress(t *testing.T) {
	l := newLoop(t, append(elsewhere(), enabledNamespace(), cephClusterObject(nil))...)
	living := deployment("rook-ceph-mon-b", "242.0.0.7")
	living.Namespace = "other"
	l.create(living, monService(monD, "10.96.0.4"))
	l.answers = map[string]string{monD: "242.0.0.7"}
	l.settle()
	l.createdAt(monD, noon)
	l.report(monD, "True", "Valid")
	l.settle()
	require.True(t, l.export(monD).Exists, "not at once, for the other may be about to go")

	l.clock = noon.Add(59 * time.Second)
	l.restart()
	again, writes, _ := l.turn()
	require.Empty(t, writes)
	require.Equal(t, time.Second, again)

	l.clock = noon.Add(time.Minute)
	l.restart()
	_, writes, told := l.turn()
	require.Equal(t, []string{"delete ServiceExport " + monD}, writes)
	require.Equal(t, []string{
		`ExportRemade: mon "d" has an address at which another daemon lives, so that its export is made anew: ServiceExport rook-ceph/rook-ceph-mon-d`,
	}, told)
	l.answers[monD] = "242.0.0.8"
	l.settle()
	l.report(monD, "True", "Valid")
	l.settle()
	require.Equal(t, "242.0.0.8", l.export(monD).GlobalIP.String())
}

func TestAnExportIsNotMadeAnewForADaemonThatLivesOrForOneThatOnlyHasTheAddress(t *testing.T) {
	for name, c := range map[string]struct {
		daemon  string
		prepare func(l *loop)
	}{
		"an OSD that lives": {osd0, func(l *loop) {
			living := deployment("rook-ceph-mon-b", "242.0.0.7")
			living.Namespace = "other"
			l.create(living, deployment(osd0, ""))
		}},
		"a mon that is unborn, while only another's export has the address": {monD, func(l *loop) {
			other := newExport(serviceExport, rook.Daemon{Type: rook.Mon, ID: "b", Namespace: "other"})
			other.SetAnnotations(rook.Export{GlobalIP: addr("242.0.0.7")}.Annotations())
			l.create(other, monService(monD, "10.96.0.4"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t, append(elsewhere(), enabledNamespace(), cephClusterObject(nil))...)
			c.prepare(l)
			l.answers = map[string]string{c.daemon: "242.0.0.7"}
			l.settle()
			l.createdAt(c.daemon, noon.Add(-time.Hour))
			l.report(c.daemon, "True", "Valid")
			l.settle()
			require.Equal(t, "used_by_another_daemon", string(l.export(c.daemon).Refused))
		})
	}
}
