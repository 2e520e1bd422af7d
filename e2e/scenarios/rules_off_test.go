package scenarios_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// goesBy waits until the API server goes by the changed webhook configuration: whether it lets through a mon endpoint that our rules
// would not.
func (s *story) goesBy(letsThrough bool) {
	s.t.Helper()
	s.eventually("the API server goes by the changed webhook configuration", func() bool {
		probe := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: rookstandin.EndpointsConfigMap},
			Data:       map[string]string{"data": "z=10.96.255.254:6789"},
		}
		err := s.World.Plane.Client.Create(s.t.Context(), probe, client.DryRunAll)
		return letsThrough == (err == nil)
	})
}

func TestWithTheEndpointRulesOffRookIsStuckUntilTheyAreOnAgain(t *testing.T) {
	s := apart.newStory(t, alone, true)
	s.createCephCluster()
	heal := change(s, "", "rook-clusterset", s.admission(), func(c *admissionregistrationv1.MutatingWebhookConfiguration) {
		c.Webhooks = slices.DeleteFunc(c.Webhooks, func(w admissionregistrationv1.MutatingWebhook) bool {
			return w.Name != "deployments.rook-clusterset.io"
		})
		require.Len(t, c.Webhooks, 1)
	})
	// The other stories need them, however this one ends.
	defer heal()
	s.goesBy(true)
	stop, awaits, resume := s.haltAt(after("rook-ceph-mon-a", rookstandin.Wrote, "Service"))
	s.startOperator(stop, func(o *rookstandin.Options) { o.Timing.QuorumTries = 5 })
	awaits()
	s.eventually("the address of the first mon is known before Rook lists its ClusterIP", func() bool {
		return s.noted("rook-ceph-mon-a", "global-ip") != ""
	})
	resume()
	s.eventually("Rook gives up waiting for quorum", func() bool { return s.Operator.Journal().Count(rookstandin.QuorumGivenUp) >= 2 })
	require.Zero(t, s.Operator.Reconciled())
	require.False(t, s.Operator.Reachable())
	require.Empty(t, s.Recorder.Mons(), "better no mon than one whose list tells another address")

	heal()
	s.goesBy(false)
	s.comesUp()
	s.everyDaemonIsGlobal()
}
