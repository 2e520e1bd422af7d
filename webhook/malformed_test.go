package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// digits is a number that no machine word holds.
const digits = "12345678901234567890123456789012345678901234567890123456"

// malformed is a request that nobody should send, and what it gets.
type malformed struct {
	name string
	// from is the good request that edit spoils, or else what posts instead of it.
	from string
	edit func(review map[string]any)
	raw  string
	// wanted is the status, unless it is 200, and otherwise what admission did, with its reason.
	wanted string
}

// at sets what is at the path, whose numbers count in lists; nil for removed.
func at(path string, value any) func(map[string]any) {
	return func(review map[string]any) {
		steps := strings.Split(path, ".")
		var here any = review
		for _, step := range steps[:len(steps)-1] {
			if i, err := strconv.Atoi(step); err == nil {
				here = here.([]any)[i]
			} else {
				here = here.(map[string]any)[step]
			}
		}
		last := steps[len(steps)-1]
		switch in := here.(type) {
		case []any:
			i, _ := strconv.Atoi(last)
			in[i] = value
		case map[string]any:
			in[last] = value
		}
	}
}

func without(path, key string) func(map[string]any) {
	return func(review map[string]any) {
		var here any = review
		for step := range strings.SplitSeq(path, ".") {
			here = here.(map[string]any)[step]
		}
		delete(here.(map[string]any), key)
	}
}

func all(edits ...func(map[string]any)) func(map[string]any) {
	return func(review map[string]any) {
		for _, edit := range edits {
			edit(review)
		}
	}
}

// named makes it the Deployment of another name, in all places.
func named(name string) func(map[string]any) {
	return all(at("request.name", name), at("request.object.metadata.name", name))
}

// goodRequests are what the rows spoil: each gets an answer that changes something.
func goodRequests(t testing.TB) map[string]struct {
	path string
	req  admission.Request
} {
	t.Helper()
	listed := monEndpointsOf("a=10.96.0.1:6789")
	type good = struct {
		path string
		req  admission.Request
	}
	return map[string]good{
		"osd":        {DeploymentPath, creation(t, osd("3"))},
		"osd again":  {DeploymentPath, update(t, osd("3"), osdAt("3", "242.1.255.9"))},
		"mon":        {DeploymentPath, creation(t, mon("b", "10.96.0.2"))},
		"endpoints":  {MonEndpointsPath, update(t, listed, monEndpointsOf("a=242.1.255.1:6789"))},
		"secret":     {CephConfigPath, creation(t, cephConfig("[v2:10.96.0.1:3300,v1:10.96.0.1:6789]"))},
		"slice":      {ActiveMonsPath, creation(t, activeMons(rook.ActiveMonsIPv4Name, "10.96.0.1"))},
		"csi":        {CSIConfigPath, creation(t, csiConfig(`"10.96.0.1:3300"`))},
		"connection": {CephConnectionPath, creation(t, cephConnection("10.96.0.1:3300"))},
		"service":    {MonServicePath, creation(t, monService("a", "242.1.255.1"))},
	}
}

// malformedWorld is one in which all of the good requests are served.
func malformedWorld() *world {
	w := newWorld()
	w.exports["rook-ceph-osd-3"] = ready("242.1.255.9")
	w.exports["rook-ceph-mon-b"] = ready("242.1.255.2")
	w.mons = map[string]rook.DaemonFacts{"a": born("242.1.255.1", "10.96.0.1"), "b": unborn(ready("242.1.255.2"), "10.96.0.2")}
	w.endpoints = monEndpointsOf("a=242.1.255.1:6789,b=242.1.255.2:6789")
	return w
}

// reviewOf returns the body of a request as text and as what can be edited.
func reviewOf(t testing.TB, req admission.Request) map[string]any {
	t.Helper()
	text, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"}, Request: &req.AdmissionRequest,
	})
	require.NoError(t, err)
	var review map[string]any
	require.NoError(t, json.Unmarshal(text, &review))
	return review
}

// served is a stage behind the limits, as a stranger reaches it.
func served(t testing.TB, w *world) (handlers map[string]http.Handler, s *stage) {
	t.Helper()
	s = newStage(t, w, Options{Hold: shortHold, MaxHeld: 4})
	bounds := newLimits(s.metrics)
	handlers = map[string]http.Handler{}
	for path, hook := range s.hooks {
		handlers[path] = bounds.guard("any", withDeadline(hook))
	}
	return handlers, s
}

// whatItGets posts the body and says what came back, and fails where it is no answer of ours.
func whatItGets(t testing.TB, handler http.Handler, path, body string) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	handler.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK {
		return strconv.Itoa(recorder.Code)
	}
	var review admissionv1.AdmissionReview
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &review))
	require.NotNil(t, review.Response)
	response := review.Response
	code := response.AuditAnnotations["reason"]
	switch {
	case response.Allowed && len(response.Patch) > 0:
		return "patched " + code
	case response.Allowed:
		return "allowed " + code
	case code == "":
		return fmt.Sprintf("refused with %d", response.Result.Code)
	default:
		return "refused " + code
	}
}

func TestAGoodRequestIsServed(t *testing.T) {
	for name, good := range goodRequests(t) {
		body, err := json.Marshal(reviewOf(t, good.req))
		require.NoError(t, err)
		handlers, _ := served(t, malformedWorld())
		require.Contains(t, whatItGets(t, handlers[good.path], good.path, string(body)), "patched ", name)
	}
}

func TestWhatIsMalformedGetsAnAnswerAndNoHarmIsDone(t *testing.T) {
	rows := malformedInputs()
	require.GreaterOrEqual(t, len(rows), 66)
	names := map[string]bool{}
	for _, tc := range rows {
		require.False(t, names[tc.name], "two rows are named %q", tc.name)
		names[tc.name] = true
		t.Run(tc.name, func(t *testing.T) {
			good, ok := goodRequests(t)[tc.from]
			require.True(t, ok, tc.from)
			body := tc.raw
			if tc.edit != nil {
				review := reviewOf(t, good.req)
				tc.edit(review)
				text, err := json.Marshal(review)
				require.NoError(t, err)
				body = string(text)
			}
			w := malformedWorld()
			handlers, s := served(t, w)
			require.Equal(t, tc.wanted, whatItGets(t, handlers[good.path], good.path, body))
			require.Empty(t, w.stored, "nothing is stored because of it")
			require.NotContains(t, s.log.String(), "Recovered from a panic")
		})
	}
}

// FuzzReview posts any body to any path, as a stranger can.
func FuzzReview(f *testing.F) {
	for _, good := range goodRequests(f) {
		body, err := json.Marshal(reviewOf(f, good.req))
		require.NoError(f, err)
		f.Add(good.path, string(body))
	}
	for _, tc := range malformedInputs() {
		if tc.edit == nil && len(tc.raw) < 1024 {
			f.Add(DeploymentPath, tc.raw)
		}
	}
	f.Fuzz(func(t *testing.T, path, body string) {
		handlers, s := served(t, malformedWorld())
		handler, ok := handlers[path]
		if !ok {
			t.Skip()
		}
		whatItGets(t, handler, path, body)
		require.NotContains(t, s.log.String(), "Recovered from a panic")
	})
}
