package view_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

func TestWhatRookRemembersIsWhatWasReadLastWhereTheAPIServerDoesNotAnswer(t *testing.T) {
	written := rook.Remembered{Operator: "rook-system"}
	written.Mons, _ = rook.ParseEndpoints("b=10.96.0.2:6789")
	noted := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: rook.RememberedName}, Data: written.Data()}
	silent := false
	live := interceptor.NewClient(store(t, noted), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if silent {
				return errors.New("no answer")
			}
			return c.Get(ctx, key, o, opts...)
		},
	})
	v := view.New(view.Readers{Cached: store(t), Live: live}, everything())
	silent = true
	_, err := v.Remembered(t.Context(), namespace)
	require.ErrorContains(t, err, "read what Rook remembers")
	silent = false
	found, err := v.Remembered(t.Context(), namespace)
	require.NoError(t, err)
	require.Equal(t, written.Mons, found.Mons)
	silent = true
	again, err := v.Remembered(t.Context(), namespace)
	require.NoError(t, err)
	require.Equal(t, found, again)
	_, err = v.Remembered(t.Context(), "other")
	require.Error(t, err, "of another namespace nothing was read")
}

func TestTheOperatorIsKnownByItsDeployment(t *testing.T) {
	of := func(ready int32) *appsv1.Deployment {
		return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-system", Name: "rook-ceph-operator"}, Status: appsv1.DeploymentStatus{ReadyReplicas: ready}}
	}
	for name, c := range map[string]struct {
		stored []client.Object
		want   rook.Operator
	}{
		"it runs":                  {[]client.Object{of(1)}, rook.Operator{Known: true, Running: true}},
		"it is scaled to 0":        {[]client.Object{of(0)}, rook.Operator{Known: true}},
		"it is run in another way": {nil, rook.Operator{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := viewOf(t, c.stored...).Operator(t.Context(), "rook-system")
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestAMonThatIsScaledToNoneIsKnownAsStopped(t *testing.T) {
	stopped := deployment("rook-ceph-mon-a", "242.0.0.1")
	stopped.Spec.Replicas = new(int32(0))
	mons, err := viewOf(t, stopped, deployment("rook-ceph-mon-b", "242.0.0.2")).Mons(t.Context(), namespace)
	require.NoError(t, err)
	require.True(t, mons["a"].Stopped)
	require.False(t, mons["b"].Stopped)
}

func TestAMonThatRookDoesNotRunHasNoRow(t *testing.T) {
	listed := endpoints("a=242.0.0.1:6789,x=192.0.2.1:6789,ext-mon-1=192.0.2.2:6789")
	listed.Data[rook.EndpointsExternalMons] = "x"
	s, err := viewOf(t, listed).Snapshot(t.Context(), namespace)
	require.NoError(t, err)
	require.Len(t, s.Daemons, 1)
	require.Equal(t, "a", s.Daemons[0].Daemon.ID)
}
