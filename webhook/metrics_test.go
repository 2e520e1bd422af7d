package webhook

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Whoever may annotate an export could let the memory of every replica grow without an end.
func TestReasonsThatSomebodyMadeUpAreNoSeriesOfAMetric(t *testing.T) {
	w := newWorld()
	s := newStage(t, w, Options{})
	for i := range 20 {
		w.exports["rook-ceph-mon-a"] = rook.ReadExport(&metav1.ObjectMeta{
			Labels:      rook.Marks(),
			Annotations: map[string]string{rook.RefusedAnnotation: fmt.Sprintf("made_up_%d: by hand", i)},
		}, nil)
		response := s.handle(t.Context(), DeploymentPath, dryRun(creation(t, mon("a", "10.96.0.1"))))
		require.False(t, response.Allowed)
		require.True(t, reasonOf(response).Known(), reasonOf(response))
	}
	require.Equal(t, 1, testutil.CollectAndCount(s.metrics.admissions))
}
