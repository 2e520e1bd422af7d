package exporter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// exported returns how many OSDs have an export.
func (l *loop) exported(osds int) int {
	l.t.Helper()
	n := 0
	for i := range osds {
		if l.export(fmt.Sprintf("rook-ceph-osd-%d", i)).Exists {
			n++
		}
	}
	return n
}

func TestNoMoreThanAFewExportsOfANamespaceWaitForAnAddress(t *testing.T) {
	const osds = awaitingAtOnce + 4
	begin := func(t *testing.T) *loop {
		l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
		for i := range osds {
			l.create(deployment(fmt.Sprintf("rook-ceph-osd-%d", i), ""))
		}
		l.settle()
		require.Equal(t, awaitingAtOnce, l.exported(osds))
		return l
	}

	t.Run("of those that wait for their turn nothing is made, not even the Service", func(t *testing.T) {
		l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
		for i := range osds {
			l.create(deployment(fmt.Sprintf("rook-ceph-osd-%d", i), ""))
		}
		_, writes, _ := l.turn()
		require.Equal(t, awaitingAtOnce, strings.Count(strings.Join(writes, "\n"), "apply Service "))
	})
	t.Run("a mon waits for no OSD", func(t *testing.T) {
		l := begin(t)
		l.create(monService(monA, "10.96.0.1"))
		l.turn()
		require.True(t, l.export(monA).Exists)
	})
	t.Run("one that has its address lets the next one be made at once", func(t *testing.T) {
		l := begin(t)
		l.report("rook-ceph-osd-0", "True", "")
		l.turn()
		require.Equal(t, awaitingAtOnce+1, l.exported(osds))
		l.turn()
		require.Equal(t, awaitingAtOnce+1, l.exported(osds), "the same address makes room but once")
	})
	t.Run("those that never get one hold the others back for a while", func(t *testing.T) {
		l := begin(t)
		l.clock = l.clock.Add(awaitingFor - time.Second)
		l.turn()
		require.Equal(t, awaitingAtOnce, l.exported(osds))
		l.clock = l.clock.Add(time.Second)
		again, _, _ := l.turn()
		require.Equal(t, osds, l.exported(osds))
		require.LessOrEqual(t, again, createdPause)
	})
	t.Run("they ask again by themselves", func(t *testing.T) {
		l := begin(t)
		again, _, _ := l.turn()
		require.LessOrEqual(t, again, awaitingFor)
	})
	t.Run("whoever leads anew begins with none", func(t *testing.T) {
		l := begin(t)
		leader{reconciler: l.reconciler}.begin()
		l.turn()
		require.Equal(t, osds, l.exported(osds))
	})
}
