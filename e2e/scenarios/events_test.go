package scenarios_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestEachChangeIsToldByOneEvent(t *testing.T) {
	s := newCluster(t)
	told := map[string]int{"Exported": 3, "AddressResolved": 6, "ReloadRequested": 1, "PeerTokenRight": 1}
	s.eventually("all is told", func() bool {
		now := s.events()
		return now["AddressResolved"] == 6 && now["PeerTokenRight"] == 1
	})
	require.Equal(t, told, s.events())

	s.reconcileAgain()
	require.Equal(t, told, s.events(), "nothing has changed since")

	list := &corev1.EventList{}
	require.NoError(t, s.World.Plane.Client.List(t.Context(), list, client.InNamespace(s.Namespace)))
	for i := range list.Items {
		if e := &list.Items[i]; e.ReportingController == "rook-clusterset" {
			require.Nil(t, e.Series, "%s: %s", e.Reason, e.Message)
			require.Equal(t, "my-cluster", e.InvolvedObject.Name)
			require.Regexp(t, `^[A-Z][A-Za-z]+$`, e.Reason)
		}
	}
}
