package webhook

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// The bars of the handler, against one that decodes the Deployment and does nothing with it.
const (
	mostOfNoopTime = 1.15
	benchRounds    = 5
	benchVariable  = "ROOK_CLUSTERSET_BENCH"
)

// contender is a handler as the webhook server calls it, from the body of the call to that of the answer.
type contender struct {
	name    string
	handler http.Handler
	patches bool
}

// defaulter is what a webhook of controller-runtime is usually made of.
type defaulter func(*appsv1.Deployment)

func (f defaulter) Default(_ context.Context, d *appsv1.Deployment) error {
	f(d)
	return nil
}

const (
	ours       = "rook-clusterset"
	noop       = "defaulter that does nothing"
	sameChange = "defaulter that makes the same change"
)

func contenders(t testing.TB, d *appsv1.Deployment, ip netip.Addr) []contender {
	w := newWorld()
	w.cluster.UID = ""
	w.exports[d.Name] = ready(ip.String())
	stage := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
	serve := func(hook *admission.Webhook) http.Handler {
		// Nobody logs: the line that rook-clusterset logs of each decision would be measured against silence.
		return withDeadline(&admission.Webhook{
			Handler: hook.Handler,
			LogConstructor: func(_ logr.Logger, req *admission.Request) logr.Logger {
				return admission.DefaultLogConstructor(logr.Discard(), req)
			},
		})
	}
	change := defaulter(func(d *appsv1.Deployment) { advertise(t, d, ip) })
	return []contender{
		{ours, serve(stage.hooks[DeploymentPath]), true},
		{noop, serve(admission.WithDefaulter(clientgoscheme.Scheme, defaulter(func(*appsv1.Deployment) {}))), false},
		{sameChange, serve(admission.WithDefaulter(clientgoscheme.Scheme, change)), true},
	}
}

var operations = []string{"CREATE", "UPDATE"}

// reviewsOf returns what the API server sends where Rook creates the OSD and where it updates it.
func reviewsOf(t testing.TB, d *appsv1.Deployment, ip netip.Addr) map[string][]byte {
	stored := d.DeepCopy()
	advertise(t, stored, ip)
	reviews := map[string][]byte{}
	for name, req := range map[string]admission.Request{"CREATE": creation(t, d), "UPDATE": update(t, d, stored)} {
		review, err := json.Marshal(admissionv1.AdmissionReview{Request: &req.AdmissionRequest})
		require.NoError(t, err)
		reviews[name] = review
	}
	return reviews
}

func (c contender) benchmark(review []byte) func(*testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			call := httptest.NewRequest(http.MethodPost, DeploymentPath+"?timeout=30s", bytes.NewReader(review))
			call.Header.Set("Content-Type", "application/json")
			answer := httptest.NewRecorder()
			c.handler.ServeHTTP(answer, call)
			if body := answer.Body.String(); !strings.Contains(body, `"allowed":true`) || strings.Contains(body, `"patch":`) != c.patches {
				b.Fatal(body)
			}
		}
	}
}

func benchmarkedOSD(t testing.TB) (*appsv1.Deployment, netip.Addr) {
	ip, d := golden(t, "../rook/testdata/osd-v1.20.6-node.in.yaml")
	return d, netip.MustParseAddr(ip)
}

func BenchmarkDeploymentHandler(b *testing.B) {
	d, ip := benchmarkedOSD(b)
	reviews := reviewsOf(b, d, ip)
	for _, operation := range operations {
		review := reviews[operation]
		for _, c := range contenders(b, d, ip) {
			b.Run(fmt.Sprintf("%s of %d bytes by %s", operation, len(review), c.name), c.benchmark(review))
		}
	}
}

// TestTheHandlerCostsNoMoreThanOneThatDoesNothing is asked for by `make bench`, for the race detector would be measured
// with it. The contenders are run in turns, and the median of each is taken, for the machine may be doing other things.
func TestTheHandlerCostsNoMoreThanOneThatDoesNothing(t *testing.T) {
	if os.Getenv(benchVariable) == "" {
		t.Skip("it is a part of make bench")
	}
	d, ip := benchmarkedOSD(t)
	all := contenders(t, d, ip)
	reviews := reviewsOf(t, d, ip)
	for _, operation := range operations {
		review := reviews[operation]
		results := map[string][]testing.BenchmarkResult{}
		for range benchRounds {
			for _, c := range all {
				results[c.name] = append(results[c.name], testing.Benchmark(c.benchmark(review)))
			}
		}
		medians := map[string]testing.BenchmarkResult{}
		for _, c := range all {
			medians[c.name] = medianOf(results[c.name])
			t.Logf("row: %s|%s|%.3f ms|%d|%.2f", operation, c.name,
				float64(medians[c.name].NsPerOp())/1e6, medians[c.name].AllocsPerOp(),
				float64(medians[c.name].NsPerOp())/float64(medianOf(results[noop]).NsPerOp()))
		}
		// An update has two Deployments to decode, of which a defaulter decodes one.
		if operation == "UPDATE" {
			continue
		}
		require.LessOrEqual(t, float64(medians[ours].NsPerOp()), mostOfNoopTime*float64(medians[noop].NsPerOp()), "ns for one %s", operation)
		require.Less(t, medians[ours].AllocsPerOp(), medians[noop].AllocsPerOp(), "allocations for one %s", operation)
	}
}

func medianOf(results []testing.BenchmarkResult) testing.BenchmarkResult {
	sorted := slices.SortedFunc(slices.Values(results), func(a, b testing.BenchmarkResult) int {
		return cmp.Compare(a.NsPerOp(), b.NsPerOp())
	})
	return sorted[len(sorted)/2]
}

// asked counts the questions to the API server: a view answers all others from its caches.
type asked struct {
	*world
	questions int
}

func (a *asked) LatestMonEndpoints(ctx context.Context, namespace string) (*corev1.ConfigMap, bool, error) {
	a.questions++
	return a.world.LatestMonEndpoints(ctx, namespace)
}

func TestADeploymentWhoseAddressIsKnownIsAnsweredWithoutARequestToTheAPIServer(t *testing.T) {
	for name, tc := range map[string]struct {
		request   func(*testing.T) admission.Request
		questions int
	}{
		"a new OSD":           {func(t *testing.T) admission.Request { return creation(t, osd("3")) }, 0},
		"an update of an OSD": {func(t *testing.T) admission.Request { return update(t, osd("3"), osdAt("3", "242.1.255.9")) }, 0},
		"an update of a mon": {func(t *testing.T) admission.Request {
			return update(t, mon("a", "10.96.0.1"), mon("a", "242.1.255.1"))
		}, 0},
		// Its address is for life, and Rook's list of a moment ago has to agree.
		"a new mon, but for Rook's list": {func(t *testing.T) admission.Request { return creation(t, mon("a", "10.96.0.1")) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.exports["rook-ceph-osd-3"], w.exports["rook-ceph-mon-a"] = ready("242.1.255.9"), ready("242.1.255.1")
			s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
			view := &asked{world: w}
			decider := newDeciders(view, w, w, s.holds)[DeploymentPath]
			response := handler{decider: decider, view: view, metrics: s.metrics}.Handle(t.Context(), tc.request(t))
			require.True(t, response.Allowed)
			require.NotEmpty(t, response.Patch)
			require.Equal(t, tc.questions, view.questions)
			require.Empty(t, w.ensured)
		})
	}
}
