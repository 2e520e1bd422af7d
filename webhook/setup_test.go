package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache/informertest"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

// kindsLater lets a test say when a kind appears.
type kindsLater struct {
	mu         sync.Mutex
	subscriber func(schema.GroupVersionKind)
}

func (k *kindsLater) Subscribe(f func(schema.GroupVersionKind)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.subscriber = f
}

// serverUnderTest is a manager that runs nothing but admission.
type serverUnderTest struct {
	*world
	kinds     *kindsLater
	informers *informertest.FakeInformers
	url       string
	client    *http.Client
	stop      context.CancelFunc
	stopped   chan error
}

func startServer(t *testing.T, opts Options) *serverUnderTest {
	t.Helper()
	s := &serverUnderTest{
		world: newWorld(), kinds: &kindsLater{}, informers: &informertest.FakeInformers{}, stopped: make(chan error, 1),
		// Each call on a connection of its own: one that the server closes is no failure of the next.
		client: &http.Client{Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
			DisableKeepAlives: true,
		}},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address, _ := listener.Addr().(*net.TCPAddr)
	require.NoError(t, listener.Close())
	certificate := httptest.NewTLSServer(http.NotFoundHandler())
	certificate.Close()

	mgr, err := ctrl.NewManager(&rest.Config{Host: "http://127.0.0.1:1"}, ctrl.Options{
		Logger:         logr.Discard(),
		Metrics:        server.Options{BindAddress: "0"},
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return meta.NewDefaultRESTMapper(nil), nil },
		NewCache:       func(*rest.Config, cache.Options) (cache.Cache, error) { return s.informers, nil },
		WebhookServer: crwebhook.NewServer(crwebhook.Options{
			Host: "127.0.0.1", Port: address.Port,
			TLSOpts: []func(*tls.Config){func(c *tls.Config) {
				c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate.TLS.Certificates[0], nil }
			}},
		}),
	})
	require.NoError(t, err)
	require.NoError(t, Setup(mgr, s.world, s.world, s.world, s.kinds.Subscribe, opts))
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	go func() { s.stopped <- mgr.Start(ctx) }()
	s.url = "https://" + address.String()
	require.Eventually(t, func() bool {
		return mgr.GetWebhookServer().StartedChecker()(nil) == nil
	}, 10*time.Second, 10*time.Millisecond)
	return s
}

// call asks over HTTPS as the API server does.
func (s *serverUnderTest) call(t *testing.T, path string, request *admissionv1.AdmissionRequest) (*admissionv1.AdmissionResponse, error) {
	t.Helper()
	body, err := json.Marshal(admissionv1.AdmissionReview{Request: request})
	require.NoError(t, err)
	call, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path+"?timeout=30s", bytes.NewReader(body))
	require.NoError(t, err)
	call.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(call)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	review := &admissionv1.AdmissionReview{}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(review))
	return review.Response, nil
}

func (s *serverUnderTest) hold(t *testing.T, deployment *appsv1.Deployment) <-chan *admissionv1.AdmissionResponse {
	t.Helper()
	answer := make(chan *admissionv1.AdmissionResponse, 1)
	request := creation(t, deployment)
	go func() {
		response, err := s.call(t, DeploymentPath, &request.AdmissionRequest)
		if err == nil {
			answer <- response
		}
		close(answer)
	}()
	require.Eventually(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.ensured) > 0
	}, 10*time.Second, time.Millisecond)
	return answer
}

func TestAStoppingManagerAnswersWhatItHoldsAndGoesOnListening(t *testing.T) {
	const delay = time.Second
	s := startServer(t, Options{Hold: longHold, MaxHeld: 10, ShutdownDelay: delay})
	held := s.hold(t, osd("3"))

	s.stop()
	stopping := time.Now()
	response := <-held
	took := time.Since(stopping)
	t.Logf("the held request was answered %s after the manager was asked to stop", took)
	require.Less(t, took, delay/2)
	require.NotNil(t, response)
	require.False(t, response.Allowed)
	require.Equal(t, string(reason.ShuttingDown), response.AuditAnnotations["reason"])
	require.Equal(t, int32(http.StatusServiceUnavailable), response.Result.Code)

	// A call that an API server still sends here is answered from the caches as ever.
	s.change(func(w *world) { w.exports["rook-ceph-osd-4"] = ready("242.1.255.9") })
	late := creation(t, osd("4"))
	response, err := s.call(t, DeploymentPath, &late.AdmissionRequest)
	require.NoError(t, err)
	require.Equal(t, string(reason.Rewritten), response.AuditAnnotations["reason"])

	require.NoError(t, <-s.stopped)
	require.GreaterOrEqual(t, time.Since(stopping), delay)
	_, err = s.call(t, DeploymentPath, &late.AdmissionRequest)
	require.Error(t, err)
}

func TestAnInformerThatAppearsLaterEndsHolds(t *testing.T) {
	const submariner = "submariner-operator"
	own := func(o metav1.Object) (types.NamespacedName, bool) {
		return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}, true
	}
	labelled := func(o metav1.Object) (types.NamespacedName, bool) {
		service := types.NamespacedName{Namespace: o.GetLabels()["namespace"]}
		return service, service.Namespace != ""
	}
	reads := []kinds.Kind{
		{GroupKind: schema.GroupKind{Group: "submariner.io", Kind: "GlobalIngressIP"}, About: own},
		{GroupKind: schema.GroupKind{Group: "multicluster.x-k8s.io", Kind: "ServiceImport"}, About: labelled},
		{GroupKind: schema.GroupKind{Group: "submariner.io", Kind: "Cluster"}},
	}
	for name, c := range map[string]struct {
		gvk       schema.GroupVersionKind
		namespace string
		labels    map[string]string
		not       bool
	}{
		"the export of the daemon":  {gvk: schema.GroupVersionKind{Group: "multicluster.x-k8s.io", Version: "v1beta1", Kind: "ServiceExport"}, namespace: rookNamespace},
		"that of another namespace": {gvk: schema.GroupVersionKind{Group: "multicluster.x-k8s.io", Version: "v1beta1", Kind: "ServiceExport"}, namespace: submariner, not: true},
		"what speaks against the address reaches the cache after its export": {gvk: schema.GroupVersionKind{Group: "submariner.io", Version: "v1", Kind: "GlobalIngressIP"}, namespace: rookNamespace},
		"what tells of a Service from another namespace": {
			gvk: schema.GroupVersionKind{Group: "multicluster.x-k8s.io", Version: "v1beta1", Kind: "ServiceImport"}, namespace: submariner, labels: map[string]string{"namespace": rookNamespace},
		},
		"what can concern any Service": {gvk: schema.GroupVersionKind{Group: "multicluster.x-k8s.io", Version: "v1beta1", Kind: "ServiceImport"}, namespace: submariner},
		"what concerns all":            {gvk: schema.GroupVersionKind{Group: "submariner.io", Version: "v1", Kind: "Cluster"}, namespace: submariner},
		"what is not read":             {gvk: schema.GroupVersionKind{Group: "submariner.io", Version: "v1", Kind: "Gateway"}, namespace: rookNamespace, not: true},
	} {
		t.Run(name, func(t *testing.T) { endsAHold(t, reads, c.gvk, c.namespace, c.labels, c.not) })
	}
}

// endsAHold asserts that an object of the kind, which appears later, ends a hold, or that it does not.
func endsAHold(t *testing.T, reads []kinds.Kind, gvk schema.GroupVersionKind, namespace string, labels map[string]string, not bool) {
	t.Helper()
	s := startServer(t, Options{Hold: longHold, MaxHeld: 10, ShutdownDelay: -1, Reads: reads})
	defer func() {
		s.stop()
		require.NoError(t, <-s.stopped)
	}()
	held := s.hold(t, osd("3"))

	s.kinds.subscriber(gvk)
	watched := []schema.GroupVersionKind{appsv1.SchemeGroupVersion.WithKind("Deployment"), corev1.SchemeGroupVersion.WithKind("Service")}
	if isRead := gvk.Kind != "Gateway"; isRead {
		watched = append(watched, gvk)
	}
	require.ElementsMatch(t, watched, slices.Collect(maps.Keys(s.informers.InformersByGVK)), "nothing else is watched for it")
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(gvk)
	object.SetNamespace(namespace)
	object.SetLabels(labels)
	informer, err := s.informers.FakeInformerFor(t.Context(), object)
	require.NoError(t, err)

	s.change(func(w *world) { w.exports["rook-ceph-osd-3"] = ready("242.1.255.9") })
	changed := time.Now()
	informer.Add(object)
	if not {
		select {
		case response := <-held:
			t.Fatalf("it ended the hold: %v", response)
		case <-time.After(100 * time.Millisecond):
			return
		}
	}
	response := <-held
	t.Logf("the held request was answered over HTTPS %s after the change", time.Since(changed))
	require.Less(t, time.Since(changed), 100*time.Millisecond)
	require.Equal(t, string(reason.Rewritten), response.AuditAnnotations["reason"])
}

func TestAClientThatGoesAwayFreesItsPlace(t *testing.T) {
	s := startServer(t, Options{Hold: longHold, MaxHeld: 1, ShutdownDelay: -1})
	defer func() {
		s.stop()
		require.NoError(t, <-s.stopped)
	}()
	impatient := s.client
	s.client = &http.Client{Transport: impatient.Transport, Timeout: 200 * time.Millisecond}
	require.Nil(t, <-s.hold(t, osd("3")))
	s.client = impatient
	shared, err := newMetrics(crmetrics.Registry)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return testutil.ToFloat64(shared.held) == 0 }, 10*time.Second, time.Millisecond)

	s.change(func(w *world) { w.ensured = nil })
	held := s.hold(t, osd("3"))
	s.change(func(w *world) { w.exports["rook-ceph-osd-3"] = ready("242.1.255.9") })
	deployments, err := s.informers.FakeInformerFor(t.Context(), &appsv1.Deployment{})
	require.NoError(t, err)
	deployments.Update(osd("3"), osd("3"))
	require.Equal(t, string(reason.Rewritten), (<-held).AuditAnnotations["reason"])
}

func TestHoldsEndOnEveryReplicaAndBeforeTheLeaderStops(t *testing.T) {
	require.False(t, drain{}.NeedLeaderElection())
	for given, wanted := range map[time.Duration]time.Duration{0: DefaultShutdownDelay, -1: 0, time.Minute: time.Minute} {
		require.Equal(t, wanted, Options{ShutdownDelay: given}.shutdownDelay())
	}
}

func TestSetupFailsWhereThereIsNothingToListenTo(t *testing.T) {
	mgr, err := ctrl.NewManager(&rest.Config{Host: "http://127.0.0.1:1"}, ctrl.Options{
		Logger:         logr.Discard(),
		Metrics:        server.Options{BindAddress: "0"},
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return meta.NewDefaultRESTMapper(nil), nil },
		NewCache: func(*rest.Config, cache.Options) (cache.Cache, error) {
			return &informertest.FakeInformers{Error: errCacheNotReady}, nil
		},
	})
	require.NoError(t, err)
	err = Setup(mgr, newWorld(), newWorld(), newWorld(), (&kindsLater{}).Subscribe, Options{})
	require.ErrorIs(t, err, errCacheNotReady)
	require.ErrorContains(t, err, "listen to changes of *v1.Deployment")
}
