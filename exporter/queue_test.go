package exporter

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
)

func TestAMonAndItsClusterGoBeforeTheOSDsOfOthers(t *testing.T) {
	q := newQueue("test", workqueue.DefaultTypedControllerRateLimiter[target]()).(queue)
	defer q.ShutDown()
	for i := range 200 {
		q.Add(target{Namespace: "tenant", Daemon: fmt.Sprintf("rook-ceph-osd-%d", i)})
	}
	q.AddWithOpts(priorityqueue.AddOpts{Priority: new(handler.LowPriority)}, target{Namespace: "found", Daemon: "rook-ceph-mon-a"})
	mon, cluster := target{Namespace: "rook", Daemon: "rook-ceph-mon-a"}, target{Namespace: "rook"}
	q.Add(mon)
	q.Add(cluster)
	var order []target
	for q.Len() > 0 {
		next, _ := q.Get()
		q.Done(next)
		order = append(order, next)
	}
	require.Len(t, order, 203)
	require.ElementsMatch(t, []target{mon, cluster}, order[:2])
	require.Equal(t, "found", order[202].Namespace, "what is found at the start goes behind what changes")
}
