package scenarios_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// setWebhooks changes the webhook configuration and waits until the API server goes by it: whether it lets through a
// mon endpoint that our rules would not.
func (s *story) setWebhooks(webhooks []admissionregistrationv1.MutatingWebhook, letsThrough bool) {
	s.t.Helper()
	c := s.World.Plane.Client
	configuration := &admissionregistrationv1.MutatingWebhookConfiguration{}
	s.eventually("the webhook configuration is changed", func() bool {
		if c.Get(s.t.Context(), client.ObjectKey{Name: "rook-clusterset"}, configuration) != nil {
			return false
		}
		configuration.Webhooks = webhooks
		return c.Update(s.t.Context(), configuration) == nil
	})
	s.eventually("the API server goes by the changed webhook configuration", func() bool {
		probe := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: rookstandin.EndpointsConfigMap},
			Data:       map[string]string{"data": "z=10.96.255.254:6789"},
		}
		err := client.NewDryRunClient(c).Create(s.t.Context(), probe)
		return letsThrough == (err == nil)
	})
}

func TestWithTheEndpointRulesOffRookIsStuckUntilTheyAreOnAgain(t *testing.T) {
	s := apart.newStory(t, alone, true)
	configuration := s.admission()
	all := slices.Clone(configuration.Webhooks)
	deployments := slices.IndexFunc(all, func(w admissionregistrationv1.MutatingWebhook) bool {
		return w.Name == "deployments.rook-clusterset.io"
	})
	require.GreaterOrEqual(t, deployments, 0)

	s.createCephCluster()
	s.setWebhooks(all[deployments:deployments+1], true)
	t.Cleanup(func() {
		if t.Failed() {
			// The other stories need them.
			ctx := context.WithoutCancel(t.Context())
			restored := &admissionregistrationv1.MutatingWebhookConfiguration{}
			if err := s.World.Plane.Client.Get(ctx, client.ObjectKeyFromObject(configuration), restored); err == nil {
				restored.Webhooks = all
				_ = s.World.Plane.Client.Update(ctx, restored)
			}
		}
	})
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

	s.setWebhooks(all, false)
	s.comesUp()
	s.everyDaemonIsGlobal()
}
