package recorder

import (
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

func labelsOf(kind, id string) map[string]string {
	return map[string]string{"ceph_daemon_type": kind, "ceph_daemon_id": id}
}

func podOf(kind, id, uid string, phase corev1.PodPhase) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{UID: types.UID(uid), Labels: labelsOf(kind, id)},
		Status:     corev1.PodStatus{Phase: phase},
	}
}

func TestTheWitnessTellsOfMoreThanOneDaemonThatIsDown(t *testing.T) {
	w := &Witness{pods: map[string]*corev1.Pod{}, had: map[string]string{}, up: map[string]bool{}}
	runs := func(kind, id, uid string) {
		w.see(t.Context(), watch.Modified, podOf(kind, id, uid, corev1.PodRunning))
	}
	ends := func(kind, id, uid string) { w.see(t.Context(), watch.Deleted, podOf(kind, id, uid, corev1.PodRunning)) }
	for _, id := range []string{"a", "b", "c"} {
		runs("mon", id, "mon-"+id)
	}
	runs("osd", "0", "osd-0")
	canary := podOf("mon", "d", "canary", corev1.PodRunning)
	canary.Labels["mon_canary"] = "true"
	w.see(t.Context(), watch.Added, canary)

	ends("mon", "a", "mon-a")
	w.see(t.Context(), watch.Added, podOf("mon", "d", "mon-d", corev1.PodPending))
	runs("mon", "d", "mon-d")
	require.Empty(t, w.Broken(), "one is down, and another that never ran has come")
	going := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Labels: labelsOf("mon", "a"), DeletionTimestamp: &metav1.Time{}}}
	w.see(t.Context(), watch.Modified, going)
	require.Equal(t, []string{"mon b", "mon c", "mon d", "osd 0"}, w.Up())

	leaving := podOf("osd", "0", "osd-0", corev1.PodRunning)
	leaving.DeletionTimestamp = &metav1.Time{}
	w.see(t.Context(), watch.Modified, leaving)
	require.Empty(t, w.Broken())
	ends("mon", "b", "mon-b")
	require.Equal(t, []string{"mon b and osd 0 are down at once"}, w.Broken())
	runs("osd", "0", "osd-0-again")
	require.Equal(t, map[string]int{"mon a": 1, "mon b": 1, "mon c": 1, "mon d": 1, "osd 0": 2}, w.Had())
}
