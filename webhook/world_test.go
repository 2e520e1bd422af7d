package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

const (
	rookNamespace     = "rook-ceph"
	operatorNamespace = "rook-operator"
)

var errCacheNotReady = errors.New("the cache is not started, can not read objects")

// world is what admission sees of a cluster, and what it does to it. A test may change it while requests are held.
type world struct {
	mu          sync.Mutex
	enabled     map[string]bool
	cluster     *rook.Cluster
	deployments map[string]*appsv1.Deployment
	exports     map[string]rook.Export
	mons        map[string]rook.DaemonFacts
	// monsElsewhere are those of another CephCluster, in the namespace of the operator.
	monsElsewhere map[string]rook.DaemonFacts
	// latest are the mons of which the API server says something else than mons has.
	latest map[string]rook.DaemonFacts
	// claims are those of daemons to addresses.
	claims map[netip.Addr][]rook.Claim
	// globalCIDR is the range of global IPs; it is invalid where it is not known.
	globalCIDR netip.Prefix
	// allowsClusterIP says that the networks of the clusters do not overlap.
	allowsClusterIP bool
	// endpoints are the mon endpoints as the caches have them, and liveEndpoints as the API server has, where that differs.
	endpoints     *corev1.ConfigMap
	liveEndpoints *corev1.ConfigMap
	// remembered is what is known of the memory of Rook's operator, and unrememberable what hinders to know it.
	remembered     rook.Remembered
	unrememberable error
	// unreachable says that the API server does not answer.
	unreachable bool
	// unreadable and panicking make the view fail, namespaceUnreadable its first look, latestUnreadable what is asked of the API
	// server itself, and unwritable the ensurer.
	unreadable          error
	latestUnreadable    error
	namespaceUnreadable error
	panicking           any
	unwritable          error

	// operator is the namespace of Rook's operator, empty while it is not known.
	operator string
	// unexpected says that nothing in the cluster announces the daemons that are asked for.
	unexpected bool

	// patient is how long the API server was given each time that it was asked of a birth.
	patient []time.Duration

	ensured []string
	// ensuring is how long each of them takes.
	ensuring time.Duration
	stored   []*corev1.ConfigMap
}

func newWorld() *world {
	return &world{
		enabled:     map[string]bool{rookNamespace: true, operatorNamespace: true},
		cluster:     &rook.Cluster{Namespace: rookNamespace, Name: rookNamespace, UID: "cluster-uid", CephVersion: "18.2.7-0", Phase: "Ready", RookVersion: "v1.17.9"},
		deployments: map[string]*appsv1.Deployment{},
		exports:     map[string]rook.Export{},
		mons:        map[string]rook.DaemonFacts{},
	}
}

// change changes the world as an informer would: what is read after it is the new.
func (w *world) change(f func(*world)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w)
}

func (w *world) read(ctx context.Context) (func(), error) {
	w.mu.Lock()
	if w.panicking != nil {
		w.mu.Unlock()
		panic(w.panicking)
	}
	return w.mu.Unlock, errors.Join(ctx.Err(), w.unreadable)
}

func (w *world) Enabled(_ context.Context, namespace string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.enabled[namespace], w.namespaceUnreadable
}

func (w *world) EnabledNamespaces(ctx context.Context) ([]string, error) {
	done, err := w.read(ctx)
	defer done()
	return []string{operatorNamespace, rookNamespace}, err
}

func (w *world) Cluster(ctx context.Context, namespace string) (*rook.Cluster, error) {
	done, err := w.read(ctx)
	defer done()
	if namespace != rookNamespace {
		return nil, err
	}
	return w.cluster, err
}

func (w *world) Deployment(ctx context.Context, _, name string) (*appsv1.Deployment, error) {
	done, err := w.read(ctx)
	defer done()
	return w.deployments[name], err
}

func (w *world) LatestMonEndpoints(ctx context.Context, namespace string) (*corev1.ConfigMap, bool, error) {
	done, err := w.read(ctx)
	defer done()
	switch {
	case namespace != rookNamespace:
		return nil, true, err
	case w.liveEndpoints != nil && !w.unreachable:
		return w.liveEndpoints, true, err
	}
	return w.endpoints, !w.unreachable, err
}

func (w *world) Remembered(ctx context.Context, namespace string) (rook.Remembered, error) {
	done, err := w.read(ctx)
	defer done()
	if namespace != rookNamespace {
		return rook.Remembered{}, err
	}
	return w.remembered, errors.Join(err, w.unrememberable)
}

func (w *world) NoteRemembered(_ context.Context, _ string, _, after rook.Remembered) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unwritable == nil {
		w.remembered = after
	}
	return w.unwritable
}

func (w *world) Export(ctx context.Context, _, name string) (rook.Export, error) {
	done, err := w.read(ctx)
	defer done()
	return w.exports[name], err
}

func (w *world) Exports(ctx context.Context, _ string) (map[string]rook.Export, error) {
	done, err := w.read(ctx)
	defer done()
	return maps.Clone(w.exports), err
}

func (w *world) Mons(ctx context.Context, namespace string) (map[string]rook.DaemonFacts, error) {
	done, err := w.read(ctx)
	defer done()
	if namespace != rookNamespace {
		return w.monsElsewhere, err
	}
	return maps.Clone(w.mons), err
}

func (w *world) LatestDaemon(ctx context.Context, daemon rook.Daemon) (rook.DaemonFacts, error) {
	done, err := w.read(ctx)
	defer done()
	w.patience(ctx)
	err = errors.Join(err, w.latestUnreadable)
	if latest, ok := w.latest[daemon.ID]; ok {
		return latest, err
	}
	if m, ok := w.mons[daemon.ID]; ok {
		return m, err
	}
	return rook.DaemonFacts{Export: w.exports[daemon.Name()], Deployed: w.deployments[daemon.Name()] != nil}, err
}

// patience notes how long the API server may take.
func (w *world) patience(ctx context.Context) {
	if deadline, ok := ctx.Deadline(); ok {
		w.patient = append(w.patient, time.Until(deadline))
	}
}

func (w *world) IsGlobal(_ context.Context, address netip.Addr) bool {
	return w.globalCIDR.IsValid() && w.globalCIDR.Contains(address)
}

func (w *world) AllowsClusterIP() bool { return w.allowsClusterIP }

func (w *world) Claims(ctx context.Context, address netip.Addr) ([]rook.Claim, error) {
	done, err := w.read(ctx)
	defer done()
	return w.claims[address], err
}

func (w *world) EnsureExport(_ context.Context, daemon rook.Daemon, _ rook.Cluster) error {
	w.mu.Lock()
	w.ensured = append(w.ensured, daemon.Name())
	takes, err := w.ensuring, w.unwritable
	w.mu.Unlock()
	time.Sleep(takes)
	return err
}

// exported returns the daemons that were exported so far, while others are.
func (w *world) exported() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.ensured)
}

func (w *world) StoreEndpoints(ctx context.Context, cluster rook.Cluster, mons map[string]rook.DaemonFacts) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.patience(ctx)
	if first := rook.FirstEndpoints(w.endpoints, cluster, mons); first != nil {
		w.stored = append(w.stored, first)
	}
	return w.unwritable
}

func (w *world) OperatorNamespace(context.Context, string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.operator, nil
}

func (w *world) Expected(_ context.Context, daemon rook.Daemon, _ rook.Cluster) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.unexpected, nil
}

// stage is the whole of admission over a world.
type stage struct {
	*world
	changes *signals
	holds   *holds
	metrics *metrics
	log     *bytes.Buffer
	hooks   map[string]*admission.Webhook
}

func newStage(t testing.TB, w *world, opts Options) *stage {
	t.Helper()
	m, err := newMetrics(prometheus.NewRegistry())
	require.NoError(t, err)
	changes := newSignals()
	waiting := newHolds(opts, changes, m)
	s := &stage{world: w, changes: changes, holds: waiting, metrics: m, log: &bytes.Buffer{}, hooks: map[string]*admission.Webhook{}}
	for path, d := range newDeciders(w, w, w, waiting) {
		s.hooks[path] = &admission.Webhook{
			Handler: handler{decider: d, view: w, metrics: m},
			LogConstructor: func(base logr.Logger, req *admission.Request) logr.Logger {
				return admission.DefaultLogConstructor(s.logger(), req)
			},
		}
	}
	return s
}

func (s *stage) logger() logr.Logger {
	return funcr.New(func(_, args string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.log.WriteString(args + "\n")
	}, funcr.Options{Verbosity: 1})
}

func (s *stage) handle(ctx context.Context, path string, req admission.Request) admission.Response {
	return s.hooks[path].Handle(logf.IntoContext(ctx, logr.Discard()), req)
}

// reasonOf returns the reason that every answer carries.
func reasonOf(response admission.Response) reason.Code {
	return reason.Code(response.AuditAnnotations["reason"])
}

func creation(t testing.TB, object client.Object) admission.Request {
	t.Helper()
	return requestOf(t, admissionv1.Create, object, nil)
}

func update(t testing.TB, object, old client.Object) admission.Request {
	t.Helper()
	return requestOf(t, admissionv1.Update, object, old)
}

// byHand is a request of somebody who is not Rook.
func byHand(req admission.Request) admission.Request {
	req.UserInfo.Username = "kubernetes-admin"
	return req
}

func dryRun(req admission.Request) admission.Request {
	req.DryRun = new(true)
	return req
}

func requestOf(t testing.TB, operation admissionv1.Operation, object, old client.Object) admission.Request {
	t.Helper()
	gvk := object.GetObjectKind().GroupVersionKind()
	req := admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		UID:       "request",
		Kind:      metav1.GroupVersionKind(gvk),
		Operation: operation,
		Namespace: object.GetNamespace(),
		Name:      object.GetName(),
		Object:    rawOf(t, object),
		UserInfo:  authenticationv1.UserInfo{Username: "system:serviceaccount:" + operatorNamespace + ":rook-ceph-system"},
	}}
	if old != nil {
		req.OldObject = rawOf(t, old)
	}
	return req
}

func rawOf(t testing.TB, object client.Object) runtime.RawExtension {
	t.Helper()
	raw, err := json.Marshal(object)
	require.NoError(t, err)
	return runtime.RawExtension{Raw: raw}
}

// patchedRaw returns the object of the request as the API server would store it.
func patchedRaw(t testing.TB, req admission.Request, response admission.Response) []byte {
	t.Helper()
	require.True(t, response.Allowed, "%+v", response.Result)
	if len(response.Patch) == 0 {
		return req.Object.Raw
	}
	patch, err := jsonpatch.DecodePatch(response.Patch)
	require.NoError(t, err)
	patched, err := patch.ApplyWithOptions(req.Object.Raw, jsonpatch.NewApplyOptions())
	require.NoError(t, err)
	return patched
}

func patchedObject[T any](t testing.TB, req admission.Request, response admission.Response) *T {
	t.Helper()
	object := new(T)
	require.NoError(t, json.Unmarshal(patchedRaw(t, req, response), object))
	return object
}

// ready is an export that has its address.
func ready(ip string) rook.Export {
	return rook.Export{Exists: true, Ours: true, Identity: rook.IdentityClusterset, GlobalIP: netip.MustParseAddr(ip), Valid: metav1.ConditionTrue}
}

// waiting is an export that has none yet.
func waiting() rook.Export {
	return rook.Export{
		Exists: true, Ours: true, Identity: rook.IdentityClusterset, Valid: metav1.ConditionFalse,
		ValidReason: "AwaitingExport", ValidMessage: "awaiting aggregation on the broker",
	}
}

const (
	longHold  = time.Minute
	shortHold = 50 * time.Millisecond
)

func counted(t *testing.T, s *stage, object, action string, code reason.Code) float64 {
	t.Helper()
	return testutil.ToFloat64(s.metrics.admissions.WithLabelValues(object, action, string(code)))
}

// requireSamePatch compares patches whose operations do not depend on each other.
func requireSamePatch(t testing.TB, wanted string, got []byte) {
	t.Helper()
	var wantedOperations, operations []any
	require.NoError(t, json.Unmarshal([]byte(wanted), &wantedOperations))
	require.NoError(t, json.Unmarshal(got, &operations))
	require.ElementsMatch(t, wantedOperations, operations)
}
