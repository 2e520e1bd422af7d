package rookstandin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/recorder"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// admission changes or refuses what the operator writes, as a webhook would. It is called with the stored state beside
// for an update, and with nil for a create.
type admission func(c client.WithWatch, o client.Object) error

const clusterUID = "8d4a6ee2-3a6b-4a2c-9d0e-000000000001"

// site is a fake cluster for one operator.
type site struct {
	client   client.WithWatch
	recorder *recorder.Recorder
	mu       sync.Mutex
	admit    admission
	services int
}

func (s *site) setAdmission(a admission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.admit = a
}

func (s *site) admission() admission {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.admit
}

func newSite(t testing.TB, a admission) *site {
	t.Helper()
	s := &site{admit: a}
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	cluster := &unstructured.Unstructured{}
	cluster.SetGroupVersionKind(CephClusterKind)
	s.client = fake.NewClientBuilder().WithScheme(scheme).
		WithStatusSubresource(cluster, &appsv1.Deployment{}, &corev1.Pod{}).
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
	var err error
	s.recorder, err = recorder.Start(t.Context(), s.client, "rook-ceph", "rook-ceph")
	require.NoError(t, err)
	return s
}

func (s *site) call(c client.WithWatch, o client.Object) error {
	a := s.admission()
	if a == nil {
		return nil
	}
	err := a(c, o)
	if _, told := err.(apierrors.APIStatus); told {
		return err
	}
	if err != nil {
		return apierrors.NewForbidden(schema.GroupResource{Resource: "objects"}, o.GetName(), err)
	}
	return nil
}

// allocate gives a Service its ClusterIP as the API server does; the nth Service has 10.96.0.n.
func (s *site) allocate(ctx context.Context, c client.Client, service *corev1.Service) {
	if c.Get(ctx, client.ObjectKeyFromObject(service), &corev1.Service{}) == nil || service.Spec.ClusterIP != "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services++
	service.Spec.ClusterIP = fmt.Sprintf("10.96.0.%d", s.services)
	service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
}

func (s *site) deployment(t *testing.T, name string) *appsv1.Deployment {
	t.Helper()
	d := &appsv1.Deployment{}
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: name}, d))
	return d
}

func (s *site) endpoints(t *testing.T) map[string]string {
	t.Helper()
	cm := &corev1.ConfigMap{}
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: EndpointsConfigMap}, cm))
	return cm.Data
}

func testTiming() Timing {
	return Timing{
		QuorumTries: 20, QuorumInterval: 5 * time.Millisecond, CommandTimeout: 2 * time.Millisecond,
		CanaryInterval: time.Millisecond, OKToStopTries: 2, OKToStopInterval: time.Millisecond,
		UpdateInterval: time.Millisecond, UpdateTimeout: time.Second, BackoffMax: 20 * time.Millisecond,
		HealthInterval: 5 * time.Millisecond, MonOutTimeout: 20 * time.Millisecond,
		LookupTries: 3, LookupInterval: time.Millisecond, PrepareJob: time.Millisecond, OSDUpdatePause: time.Millisecond,
	}
}

func (s *site) start(t *testing.T, edit func(*Options), spec ...func(map[string]any)) *Operator {
	t.Helper()
	options := Options{Client: s.client, Kubelet: Assumed{Client: s.client}, Timing: testTiming()}
	if edit != nil {
		edit(&options)
	}
	cluster := NewCephCluster("rook-ceph", "my-cluster", spec...)
	cluster.SetUID(clusterUID)
	cluster.SetGeneration(1)
	require.NoError(t, s.client.Create(t.Context(), cluster))
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
	require.Eventually(t, holds, 10*time.Second, 2*time.Millisecond, what)
}

func TestANewClusterComesUpAtItsClusterIPs(t *testing.T) {
	s := newSite(t, nil)
	operator := s.start(t, nil)
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })

	require.Empty(t, operator.Journal().Refusals())
	require.True(t, operator.Reachable())
	require.Equal(t, map[string]netip.AddrPort{
		"a": netip.MustParseAddrPort("10.96.0.1:6789"),
		"b": netip.MustParseAddrPort("10.96.0.2:6789"),
		"c": netip.MustParseAddrPort("10.96.0.3:6789"),
	}, operator.Memory())
	for id, endpoint := range operator.Memory() {
		advertised, ok := operator.Ceph().Advertised(id)
		require.True(t, ok)
		require.Equal(t, endpoint.Addr(), advertised)
	}
	require.Eventually(t, func() bool { return len(operator.Ceph().OSDMap()) == 3 }, time.Second, time.Millisecond)
	require.Equal(t, "2", s.endpoints(t)["maxMonId"])
	require.ElementsMatch(t, []string{"a=10.96.0.1:6789", "b=10.96.0.2:6789", "c=10.96.0.3:6789"}, strings.Split(s.endpoints(t)["data"], ","))

	cluster := NewCephCluster("", "")
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "my-cluster"}, cluster))
	phase, _, _ := unstructured.NestedString(cluster.Object, "status", "phase")
	version, _, _ := unstructured.NestedString(cluster.Object, "status", "version", "version")
	require.Equal(t, []string{"Ready", "20.2.4-0"}, []string{phase, version})
}

// globalOf is what a clusterset would give to the nth Service.
func globalOf(clusterIP string) string { return strings.Replace(clusterIP, "10.96.", "242.0.", 1) }

// rewriteDeployments plays a webhook that rewrites the arguments of mons and nothing else.
func rewriteDeployments(_ client.WithWatch, o client.Object) error {
	d, ok := o.(*appsv1.Deployment)
	if !ok || d.Labels["app"] != shapes.MonApp || d.Labels[shapes.CanaryLabel] != "" {
		return nil
	}
	for _, containers := range [][]corev1.Container{d.Spec.Template.Spec.InitContainers, d.Spec.Template.Spec.Containers} {
		for i := range containers {
			for j, arg := range containers[i].Args {
				if strings.HasPrefix(arg, "--public-addr=") {
					containers[i].Args[j] = globalOf(arg)
				}
			}
		}
	}
	return nil
}

// rewriteSecretToo corrects mon_host beside, so that mons are born with their global IPs.
func rewriteSecretToo(c client.WithWatch, o client.Object) error {
	if secret, ok := o.(*corev1.Secret); ok && secret.Name == ConfigSecret {
		secret.StringData["mon_host"] = strings.ReplaceAll(secret.StringData["mon_host"], "10.96.", "242.0.")
	}
	return rewriteDeployments(c, o)
}

// rewriteAll corrects everything beside; the endpoint of the first mon it stores and refuses.
func rewriteAll(c client.WithWatch, o client.Object) error {
	switch o := o.(type) {
	case *discoveryv1.EndpointSlice:
		for i, address := range o.Endpoints[0].Addresses {
			o.Endpoints[0].Addresses[i] = globalOf(address)
		}
	case *unstructured.Unstructured:
		monitors, found, _ := unstructured.NestedStringSlice(o.Object, "spec", "monitors")
		for i := range monitors {
			monitors[i] = globalOf(monitors[i])
		}
		if found {
			return unstructured.SetNestedStringSlice(o.Object, monitors, "spec", "monitors")
		}
	case *corev1.ConfigMap:
		if o.Name != EndpointsConfigMap {
			return nil
		}
		first := strings.Contains(o.Data[shapes.EndpointsKey], "10.96.") && !strings.Contains(o.Data[shapes.EndpointsKey], "242.0.")
		for _, key := range []string{shapes.EndpointsKey, shapes.CSIKey} {
			o.Data[key] = strings.ReplaceAll(o.Data[key], "10.96.", "242.0.")
		}
		if first {
			corrected := &corev1.ConfigMap{}
			if err := c.Get(context.Background(), client.ObjectKeyFromObject(o), corrected); err != nil {
				return err
			}
			corrected.Data[shapes.EndpointsKey], corrected.Data[shapes.CSIKey] = o.Data[shapes.EndpointsKey], o.Data[shapes.CSIKey]
			if err := c.Update(context.Background(), corrected); err != nil {
				return err
			}
			return errors.New("stored with the global IP of the first mon")
		}
	}
	return rewriteSecretToo(c, o)
}

func TestWithTheEndpointRulesOffTheOperatorIsStuck(t *testing.T) {
	for name, c := range map[string]struct {
		admission  admission
		advertised string
	}{
		"when only Deployments are rewritten, and the mon has no rank":               {rewriteDeployments, ""},
		"when the Secret is too, and the mon is where the operator does not dial it": {rewriteSecretToo, "242.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, c.admission)
			operator := s.start(t, nil)
			eventually(t, "it gives up twice", func() bool { return operator.Journal().Count(ReconcileFailed) >= 2 })

			require.GreaterOrEqual(t, operator.Journal().Count(QuorumGivenUp), 2)
			require.Zero(t, operator.Reconciled())
			require.False(t, operator.Reachable())
			advertised, _ := operator.Ceph().Advertised("a")
			if c.advertised == "" {
				require.False(t, advertised.IsValid())
			} else {
				require.Equal(t, c.advertised, advertised.String())
			}
		})
	}
}

func TestRefusingTheFirstEndpointOnceBringsTheClusterUp(t *testing.T) {
	s := newSite(t, rewriteAll)
	operator := s.start(t, nil)
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })

	require.Equal(t, map[string]int{"ConfigMap": 1}, operator.Journal().Refusals())
	require.Zero(t, operator.Journal().Count(QuorumGivenUp))
	require.Equal(t, "242.0.0.1:6789", operator.Memory()["a"].String(), "reloaded")
	require.Equal(t, "10.96.0.2:6789", operator.Memory()["b"].String(), "not reloaded since b was born")
	for id, global := range map[string]string{"a": "242.0.0.1", "b": "242.0.0.2", "c": "242.0.0.3"} {
		advertised, _ := operator.Ceph().Advertised(id)
		require.Equal(t, global, advertised.String())
	}
	require.Empty(t, s.recorder.ClusterIPsAfterBirth())

	t.Run("and the deletion of an owned ConfigMap makes it reload", func(t *testing.T) {
		before := operator.Reconciled()
		require.NoError(t, makeOwned(t.Context(), s.client))
		eventually(t, "it reconciles again", func() bool { return operator.Reconciled() > before })
		require.Equal(t, "242.0.0.2:6789", operator.Memory()["b"].String())
		require.Equal(t, "242.0.0.3:6789", operator.Memory()["c"].String())
	})
}

func TestTheRecorderFindsWhatTheWebhookMissed(t *testing.T) {
	s := newSite(t, nil)
	operator := s.start(t, nil)
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	eventually(t, "the recorder has seen it", func() bool { return len(s.recorder.Mons()) == 3 })
	lines := strings.Join(s.recorder.ClusterIPsAfterBirth(), "\n")
	for _, kind := range []string{"ConfigMap", "Secret", "EndpointSlice", "CephConnection", "Deployment"} {
		require.Contains(t, lines, kind+" rook-ceph/")
	}
}

func TestARefusedMonDeploymentIsNoHardError(t *testing.T) {
	s := newSite(t, func(_ client.WithWatch, o client.Object) error {
		if d, ok := o.(*appsv1.Deployment); ok && d.Name == "rook-ceph-mon-a" {
			return errors.New("its export is not Valid")
		}
		return nil
	})
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
	require.Equal(t, "-1", s.endpoints(t)["maxMonId"])

	s.setAdmission(nil)
	eventually(t, "it recovers", func() bool { return operator.Reconciled() > 0 })
	require.Equal(t, "2", s.endpoints(t)["maxMonId"])
}

func TestARefusedOSDKeepsNoOtherBack(t *testing.T) {
	s := newSite(t, func(_ client.WithWatch, o client.Object) error {
		if o.GetName() == "rook-ceph-osd-1" {
			return errors.New("its export is not Valid")
		}
		return nil
	})
	operator := s.start(t, nil)
	eventually(t, "the reconcile fails", func() bool { return operator.Journal().Count(ReconcileFailed) > 0 })
	require.Contains(t, operator.Journal().Of(ReconcileFailed)[0].Message, "1 failures encountered while running osds")
	s.deployment(t, "rook-ceph-osd-0")
	s.deployment(t, "rook-ceph-osd-2")
	s.setAdmission(nil)
	eventually(t, "it is retried", func() bool { return operator.Reconciled() > 0 })
	s.deployment(t, "rook-ceph-osd-1")
}

func TestASecondReconcileWritesOnlyWhatDiffers(t *testing.T) {
	s := newSite(t, func(_ client.WithWatch, o client.Object) error {
		if d, ok := o.(*appsv1.Deployment); ok && d.Name == "rook-ceph-osd-1" {
			osd := &d.Spec.Template.Spec.Containers[0]
			osd.Args = append(osd.Args, "--public-addr=242.0.0.77")
			d.Annotations["somebody"] = "else"
		}
		return nil
	})
	operator := s.start(t, nil)
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	done := len(operator.Journal().Entries())
	operator.Reconcile()
	eventually(t, "a second succeeds", func() bool { return operator.Reconciled() > 1 })
	var written []string
	for _, e := range operator.Journal().Entries()[done:] {
		if e.Event == Wrote && e.Kind == "Deployment" {
			written = append(written, e.Message+" "+e.Object)
		}
	}
	require.Equal(t, []string{"update rook-ceph/rook-ceph-osd-1"}, written)
	require.Contains(t, s.deployment(t, "rook-ceph-osd-1").Spec.Template.Spec.Containers[0].Args, "--public-addr=242.0.0.77")
}

func TestFailover(t *testing.T) {
	s := newSite(t, nil)
	operator := s.start(t, nil)
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	operator.Ceph().Kill("b")
	eventually(t, "the mon is replaced", func() bool { return operator.Journal().Count(MonRemoved) > 0 })
	eventually(t, "and reconciled", func() bool { return operator.Reconciled() > 1 })

	require.Equal(t, map[string]netip.AddrPort{
		"a": netip.MustParseAddrPort("10.96.0.1:6789"),
		"c": netip.MustParseAddrPort("10.96.0.3:6789"),
		"d": netip.MustParseAddrPort("10.96.0.4:6789"),
	}, operator.Memory())
	status, err := operator.quorumStatus(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c", "d"}, status.Members)
	err = s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "rook-ceph-mon-b"}, &appsv1.Deployment{})
	require.True(t, apierrors.IsNotFound(err))
}

func TestAReconcileBeginsWhileTheMonsAreWorkedOn(t *testing.T) {
	s := newSite(t, nil)
	operator := s.start(t, nil)
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	operator.orchestration.Lock()
	cm := &corev1.ConfigMap{}
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: EndpointsConfigMap}, cm))
	cm.Data[shapes.EndpointsKey] = "a=10.96.0.1:6789,b=242.0.0.2:6789"
	require.NoError(t, s.client.Update(t.Context(), cm))
	operator.Reconcile()
	stored := netip.MustParseAddrPort("242.0.0.2:6789")
	eventually(t, "it dials what is stored", func() bool { return slices.Contains(operator.memory.dial(), stored) })
	cluster := NewCephCluster("", "")
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "my-cluster"}, cluster))
	phase, _, _ := unstructured.NestedString(cluster.Object, "status", "phase")
	require.Equal(t, "Progressing", phase)
	require.Equal(t, "10.96.0.2:6789", operator.Memory()["b"].String(), "who works on the mons knows nothing of it")
	operator.orchestration.Unlock()
	eventually(t, "it loads them", func() bool { return operator.Memory()["b"] == stored })
}

func TestTheTokenForPeersIsSortedAsText(t *testing.T) {
	s := newSite(t, nil)
	operator := s.start(t, nil, func(spec map[string]any) { spec["mon"] = map[string]any{"count": int64(11)} })
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	secret := &corev1.Secret{}
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "cluster-peer-token-my-cluster"}, secret))
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
		release  Release
		refused  string
		reverted int
	}{
		"at the Deployment":                       {Release{Minor: 20, Patch: 6}, "rook-ceph-mon-d", 1},
		"at the Deployment, by an older release":  {Release{Minor: 20, Patch: 4}, "rook-ceph-mon-d", 1},
		"at the Service, before anything is made": {Release{Minor: 19, Patch: 10}, "service", 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			operator := s.start(t, func(o *Options) { o.Release = c.release; o.Timing.MonOutTimeout = time.Hour })
			eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
			s.setAdmission(func(_ client.WithWatch, o client.Object) error {
				_, service := o.(*corev1.Service)
				_, deployment := o.(*appsv1.Deployment)
				if o.GetName() == "rook-ceph-mon-d" && (service && c.refused == "service" || deployment && c.refused != "service") {
					return errors.New("not now")
				}
				return nil
			})
			require.Error(t, operator.FailOver(t.Context(), "b"))
			require.Equal(t, c.reverted, operator.Journal().Count(FailoverReverted))
			require.Equal(t, int32(1), *s.deployment(t, "rook-ceph-mon-b").Spec.Replicas)
			require.NotContains(t, operator.Memory(), "d")
			require.NotContains(t, s.endpoints(t)["data"], "d=")
			require.Equal(t, "2", s.endpoints(t)["maxMonId"])
		})
	}
}

func TestASpecChangeAbortsTheWaits(t *testing.T) {
	s := newSite(t, rewriteDeployments)
	operator := s.start(t, func(o *Options) { o.Timing.QuorumTries = 1_000_000 })
	eventually(t, "it waits", func() bool { return operator.Journal().Count(Waiting) > 0 })
	s.setAdmission(nil)
	cluster := NewCephCluster("", "")
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "my-cluster"}, cluster))
	cluster.SetGeneration(2)
	require.NoError(t, s.client.Update(t.Context(), cluster))
	eventually(t, "it begins anew", func() bool { return operator.Journal().Count(ReconcileStarted) > 1 })
	require.Zero(t, operator.Journal().Count(ReconcileFailed))
}

func TestARestartedOperatorRemembersWhatIsStored(t *testing.T) {
	s := newSite(t, nil)
	first := s.start(t, nil)
	eventually(t, "a reconcile succeeds", func() bool { return first.Reconciled() > 0 })
	second, err := Start(t.Context(), Options{
		Client: s.client, Kubelet: Assumed{Client: s.client}, Timing: testTiming(), Ceph: first.Ceph(),
	})
	require.NoError(t, err)
	t.Cleanup(second.Wait)
	eventually(t, "a reconcile succeeds", func() bool { return second.Reconciled() > 0 })
	require.Equal(t, first.Memory(), second.Memory())
	require.Zero(t, second.Journal().Count(QuorumGivenUp))
}

func TestHostNetwork(t *testing.T) {
	s := newSite(t, nil)
	operator := s.start(t, nil, func(spec map[string]any) { spec["network"] = map[string]any{"provider": "host"} })
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	require.Equal(t, "192.168.0.1:6789", operator.Memory()["a"].String())
	pod := s.deployment(t, "rook-ceph-mon-a").Spec.Template.Spec
	require.True(t, pod.HostNetwork)
	require.NotContains(t, strings.Join(pod.Containers[0].Args, " "), "--public-bind-addr")
	require.NotContains(t, strings.Join(s.deployment(t, "rook-ceph-osd-0").Spec.Template.Spec.Containers[0].Args, " "), "--ms-learn-addr-from-peer")
	list := &corev1.ServiceList{}
	require.NoError(t, s.client.List(t.Context(), list))
	require.Empty(t, list.Items)
}

func TestNativeMultiCluster(t *testing.T) {
	native := func(spec map[string]any) {
		spec["network"] = map[string]any{"multiClusterService": map[string]any{"enabled": true, "clusterID": "east"}}
	}
	s := newSite(t, nil)
	operator := s.start(t, func(o *Options) {
		o.Lookup = func(_ context.Context, name string) (netip.Addr, error) {
			service, _, _ := strings.Cut(strings.TrimPrefix(name, "east."), ".")
			return netip.AddrFrom4([4]byte{242, 0, 0, service[len(service)-1]}), nil
		}
	}, native)
	eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
	require.Equal(t, "242.0.0.97:6789", operator.Memory()["a"].String())
	args := s.deployment(t, "rook-ceph-osd-0").Spec.Template.Spec.Containers[0].Args
	require.Equal(t, []string{"--public-addr=242.0.0.48", "--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)"}, args[len(args)-3:])
	export := &unstructured.Unstructured{}
	export.SetGroupVersionKind(schema.GroupVersionKind{Group: "multicluster.x-k8s.io", Version: "v1alpha1", Kind: "ServiceExport"})
	require.NoError(t, s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-ceph", Name: "rook-ceph-mon-c"}, export))
}

func TestWhereTheCSIDriversFindTheMons(t *testing.T) {
	for name, c := range map[string]struct {
		release    Release
		connection bool
	}{
		"1.11: a ConfigMap":              {Release{Minor: 11, Patch: 11}, false},
		"1.17: a ConfigMap":              {Release{Minor: 17, Patch: 9}, false},
		"1.19: a CephConnection":         {Release{Minor: 19, Patch: 10}, true},
		"1.20, always: a CephConnection": {Release{Minor: 20, Patch: 6}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			require.NoError(t, s.client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "rook-system"}}))
			operator := s.start(t, func(o *Options) {
				o.Release, o.OperatorNamespace = c.release, "rook-system"
			}, func(spec map[string]any) {
				spec["network"] = map[string]any{"connections": map[string]any{"requireMsgr2": true}}
			})
			eventually(t, "a reconcile succeeds", func() bool { return operator.Reconciled() > 0 })
			connection := &unstructured.Unstructured{}
			connection.SetGroupVersionKind(CephConnectionKind)
			err := s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-system", Name: "rook-ceph"}, connection)
			cm := &corev1.ConfigMap{}
			missing := s.client.Get(t.Context(), client.ObjectKey{Namespace: "rook-system", Name: shapes.CSIConfigMap}, cm)
			if c.connection {
				require.NoError(t, err)
				monitors, _, _ := unstructured.NestedStringSlice(connection.Object, "spec", "monitors")
				require.ElementsMatch(t, []string{"10.96.0.1:3300", "10.96.0.2:3300", "10.96.0.3:3300"}, monitors)
				require.NotContains(t, cm.Data[shapes.CSIKey], "10.96")
				return
			}
			require.True(t, apierrors.IsNotFound(err))
			require.NoError(t, missing)
			require.Contains(t, cm.Data[shapes.CSIKey], `"clusterID":"rook-ceph"`)
			require.Contains(t, cm.Data[shapes.CSIKey], `10.96.0.2:3300`)
		})
	}
}
