package rookstandin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// admission changes or refuses what the operator writes, as a webhook would. It is called with the stored state beside
// for an update, and with nil for a create.
type admission func(c client.WithWatch, o client.Object) error

const clusterUID = "8d4a6ee2-3a6b-4a2c-9d0e-000000000001"

// site is a fake cluster for one operator.
type site struct {
	client   client.WithWatch
	admit    atomic.Pointer[admission]
	services atomic.Int32
}

func (s *site) setAdmission(a admission) { s.admit.Store(&a) }

func newSite(t testing.TB, a admission) *site {
	t.Helper()
	s := &site{}
	s.setAdmission(a)
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	// It knows nothing of field managers, which take most of the time of the other.
	tracker := clienttesting.NewObjectTracker(scheme, serializer.NewCodecFactory(scheme).UniversalDecoder())
	s.client = fake.NewClientBuilder().WithScheme(scheme).WithObjectTracker(tracker).
		WithStatusSubresource(NewCephCluster("", ""), &appsv1.Deployment{}, &corev1.Pod{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
				if err := s.call(c, o); err != nil {
					return err
				}
				if service, ok := o.(*corev1.Service); ok {
					s.allocate(ctx, c, service)
				}
				return c.Create(ctx, o, options...)
			},
			Update: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.UpdateOption) error {
				if err := s.call(c, o); err != nil {
					return err
				}
				if slice, ok := o.(*discoveryv1.EndpointSlice); ok {
					// The API server takes an update without a version, the fake one does not.
					stored := &discoveryv1.EndpointSlice{}
					if err := c.Get(ctx, client.ObjectKeyFromObject(o), stored); err != nil {
						return err
					}
					slice.ResourceVersion = stored.ResourceVersion
				}
				if service, ok := o.(*corev1.Service); ok {
					// The API server fills in again what an update leaves out.
					service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
				}
				return c.Update(ctx, o, options...)
			},
		}).Build()
	return s
}

func (s *site) call(c client.WithWatch, o client.Object) error {
	a := *s.admit.Load()
	if a == nil {
		return nil
	}
	err := a(c, o)
	if _, told := err.(apierrors.APIStatus); err == nil || told {
		return err
	}
	return apierrors.NewForbidden(schema.GroupResource{Resource: "objects"}, o.GetName(), err)
}

// allocate gives a Service its ClusterIP as the API server does; the nth Service has 10.96.0.n.
func (s *site) allocate(ctx context.Context, c client.Client, service *corev1.Service) {
	if c.Get(ctx, client.ObjectKeyFromObject(service), &corev1.Service{}) == nil || service.Spec.ClusterIP != "" {
		return
	}
	service.Spec.ClusterIP = fmt.Sprintf("10.96.0.%d", s.services.Add(1))
	service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
}

func stored[T any, P interface {
	*T
	client.Object
}](t *testing.T, s *site, name string) P {
	t.Helper()
	o := P(new(T))
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: name}, o))
	return o
}

func (s *site) deployment(t *testing.T, name string) *appsv1.Deployment {
	return stored[appsv1.Deployment](t, s, name)
}

func (s *site) endpoints(t *testing.T) *corev1.ConfigMap {
	return stored[corev1.ConfigMap](t, s, EndpointsConfigMap)
}

func (s *site) cluster(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	cluster := NewCephCluster("rook-ceph", "my-cluster")
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKeyFromObject(cluster), cluster))
	return cluster
}

func (s *site) createCluster(t testing.TB, spec ...func(map[string]any)) {
	t.Helper()
	cluster := NewCephCluster("rook-ceph", "my-cluster", spec...)
	cluster.SetUID(clusterUID)
	cluster.SetGeneration(1)
	require.NoError(t, s.client.Create(t.Context(), cluster))
}

func testTiming() Timing {
	return Timing{
		QuorumTries: 20, QuorumInterval: 5 * time.Millisecond, CommandTimeout: 2 * time.Millisecond,
		CanaryInterval: time.Millisecond, OKToStopTries: 2, OKToStopInterval: time.Millisecond,
		UpdateInterval: time.Millisecond, UpdateTimeout: time.Second, BackoffMax: 20 * time.Millisecond,
		HealthInterval: 5 * time.Millisecond, MonOutTimeout: 20 * time.Millisecond,
		LookupTries: 3, LookupInterval: time.Millisecond, PrepareJob: time.Millisecond,
	}
}

func (s *site) start(t *testing.T, edit func(*Options), spec ...func(map[string]any)) *Operator {
	t.Helper()
	options := Options{Client: s.client, AssumePods: s.client, Timing: testTiming()}
	if edit != nil {
		edit(&options)
	}
	s.createCluster(t, spec...)
	operator, err := Start(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() {
		operator.Wait()
		if t.Failed() {
			entries := operator.Journal().Entries()
			for _, e := range entries[max(0, len(entries)-40):] {
				t.Log(e)
			}
		}
	})
	return operator
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, time.Minute, 2*time.Millisecond, what)
}

// globalOf is what a clusterset would give to the nth Service.
func globalOf(clusterIP string) string { return strings.Replace(clusterIP, "10.96.", "242.0.", 1) }

func refuseTheFirstMon(_ client.WithWatch, o client.Object) error {
	if d, ok := o.(*appsv1.Deployment); ok && d.Name == "rook-ceph-mon-a" {
		return errors.New("its export is not Valid")
	}
	return nil
}

func TestARefusedMonDeploymentIsNoHardError(t *testing.T) {
	s := newSite(t, refuseTheFirstMon)
	operator := s.start(t, nil)
	eventually(t, "it gives up", func() bool { return operator.Journal().Count(ReconcileFailed) > 0 })
	var events []Event
	for _, e := range operator.Journal().Entries() {
		if e.Event == Refused || e.Event == Continued || e.Event == Waiting || e.Event == QuorumGivenUp || e.Event == ReconcileFailed {
			events = append(events, e.Event)
		}
	}
	require.Equal(t, []Event{Refused, Continued, Waiting, QuorumGivenUp, ReconcileFailed}, events[:5])
	require.Contains(t, operator.Journal().Of(Refused)[0].Message, "its export is not Valid")
	require.Equal(t, "-1", s.endpoints(t).Data["maxMonId"])

	s.setAdmission(nil)
	eventually(t, "it recovers", func() bool { return operator.Reconciled() > 0 })
	require.Equal(t, "2", s.endpoints(t).Data["maxMonId"])
}

func TestAReconcileBeginsWhileTheMonsAreWorkedOn(t *testing.T) {
	s := newSite(t, nil)
	operator := s.start(t, nil)
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	operator.orchestration.Lock()
	cm := s.endpoints(t)
	cm.Data[shapes.EndpointsKey] = "a=10.96.0.1:6789,b=242.0.0.2:6789"
	require.NoError(t, s.client.Update(t.Context(), cm))
	operator.Reconcile()
	stored := netip.MustParseAddrPort("242.0.0.2:6789")
	eventually(t, "it dials what is stored", func() bool { return slices.Contains(operator.memory.access().Dial, stored) })
	require.Equal(t, "Progressing", textAt(s.cluster(t).Object, "status", "phase"))
	require.Equal(t, "10.96.0.2:6789", operator.Memory()["b"].String(), "who works on the mons knows nothing of it")
	operator.orchestration.Unlock()
	eventually(t, "it loads them", func() bool { return operator.Memory()["b"] == stored })
}

func TestTheTokenForPeersIsSortedAsText(t *testing.T) {
	s := newSite(t, nil)
	operator := s.start(t, nil, func(spec map[string]any) { spec["mon"] = map[string]any{"count": int64(11)} })
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	secret := stored[corev1.Secret](t, s, "cluster-peer-token-my-cluster")
	require.Contains(t, decoded(t, string(secret.Data["token"])), `"mon_host":"10.96.0.10:6789,10.96.0.11:6789,10.96.0.1:6789,10.96.0.2:6789,`)
}

func TestOfTooManyMonsTheSecondOnANodeGoes(t *testing.T) {
	for name, c := range map[string]struct {
		nodes []string
		goes  string
	}{
		"that of a shared node": {[]string{"n1", "n2", "n2", "n3"}, "c"},
		"any, where none is":    {[]string{"n1", "n2", "n3", "n4"}, "d"},
	} {
		t.Run(name, func(t *testing.T) {
			o := &Operator{memory: newMemory()}
			for i, node := range c.nodes {
				o.memory.set(shapes.MonName(i), shapes.Mon{})
				o.memory.mapping[shapes.MonName(i)] = &nodeInfo{Name: node}
			}
			require.Equal(t, c.goes, o.extraMon())
		})
	}
}

func TestAFailoverThatIsRefusedIsReverted(t *testing.T) {
	for name, c := range map[string]struct {
		release Release
		refused client.Object
	}{
		"at the Deployment":                       {Release{Minor: 20, Patch: 6}, &appsv1.Deployment{}},
		"at the Deployment, by an older release":  {Release{Minor: 20, Patch: 4}, &appsv1.Deployment{}},
		"at the Service, before anything is made": {Release{Minor: 19, Patch: 10}, &corev1.Service{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			operator := s.start(t, func(o *Options) { o.Release = c.release; o.Timing.MonOutTimeout = time.Hour })
			eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
			s.setAdmission(func(_ client.WithWatch, o client.Object) error {
				if o.GetName() == "rook-ceph-mon-d" && reflect.TypeOf(o) == reflect.TypeOf(c.refused) {
					return errors.New("not now")
				}
				return nil
			})
			require.Error(t, operator.FailOver(t.Context(), "b"))
			require.Equal(t, 1, operator.Journal().Count(FailoverReverted))
			require.Equal(t, int32(1), *s.deployment(t, "rook-ceph-mon-b").Spec.Replicas)
			require.NotContains(t, operator.Memory(), "d")
			require.NotContains(t, s.endpoints(t).Data["data"], "d=")
			require.Equal(t, "2", s.endpoints(t).Data["maxMonId"])
		})
	}
}

func TestASpecChangeAbortsTheWaits(t *testing.T) {
	s := newSite(t, refuseTheFirstMon)
	operator := s.start(t, func(o *Options) { o.Timing.QuorumTries = 1_000_000 })
	eventually(t, "it waits", func() bool { return operator.Journal().Count(Waiting) > 0 })
	s.setAdmission(nil)
	cluster := s.cluster(t)
	cluster.SetGeneration(2)
	require.NoError(t, s.client.Update(t.Context(), cluster))
	eventually(t, "it begins anew", func() bool { return operator.Journal().Count(ReconcileStarted) > 1 })
	require.Zero(t, operator.Journal().Count(ReconcileFailed))
}
