package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// gate is a server whose handler answers what the limits let through.
type gate struct {
	*httptest.Server
	metrics *metrics
	limits  *limits
}

const shortBodyTime = time.Second

func newGate(t *testing.T, http2 bool, next http.HandlerFunc) *gate {
	t.Helper()
	m, err := newMetrics(prometheus.NewRegistry())
	require.NoError(t, err)
	g := &gate{metrics: m, limits: newLimits(m)}
	g.limits.bodyTime = shortBodyTime
	g.Server = httptest.NewUnstartedServer(g.limits.guard("deployment", next))
	g.EnableHTTP2 = http2
	g.StartTLS()
	t.Cleanup(g.Close)
	return g
}

// post sends a body whose length is told unless it is negative, and returns the status and what was said.
func (g *gate) post(t *testing.T, contentType string, body io.Reader, length int64) (int, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL, body)
	require.NoError(t, err)
	req.ContentLength = length
	req.Header.Set("Content-Type", contentType)
	answer, err := g.Client().Do(req)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(said), err
}

func (g *gate) rejected(code reason.Code) int {
	return int(testutil.ToFloat64(g.metrics.admissions.WithLabelValues("deployment", "rejected", string(code))))
}

// readAll is a handler that reads the body, as the library does.
func readAll(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "read %d", len(body))
}

func bothProtocols(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Helper()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			// They wait more than they do.
			t.Parallel()
			test(t, http2)
		})
	}
}

func jsonOf(size int) []byte {
	return append([]byte(`{"x":"`), bytes.Repeat([]byte("y"), size-6)...)
}

func TestWhatIsNoReviewIsTurnedAwayBeforeItIsRead(t *testing.T) {
	const asJSON = "application/json"
	for name, tc := range map[string]struct {
		contentType string
		body        []byte
		length      int64
		status      int
		code        reason.Code
	}{
		"a review is read":                      {asJSON, jsonOf(4096), 4096, http.StatusOK, ""},
		"the largest review is read":            {asJSON, jsonOf(maxBody), maxBody, http.StatusOK, ""},
		"a body that tells that it is too long": {asJSON, jsonOf(maxBody + 1), maxBody + 1, http.StatusRequestEntityTooLarge, reason.BodyTooLarge},
		"a body that is too long in the end":    {asJSON, jsonOf(maxBody + 1), -1, http.StatusRequestEntityTooLarge, reason.BodyTooLarge},
		"YAML that says it is JSON":             {asJSON, []byte("a: &a [x,x]\nb: [*a,*a]\n"), 23, http.StatusBadRequest, reason.BodyNotJSON},
		"protobuf that says it is JSON":         {asJSON, []byte("k8s\x00\n\x0c"), 6, http.StatusBadRequest, reason.BodyNotJSON},
		"a list":                                {asJSON, []byte(`[{}]`), 4, http.StatusBadRequest, reason.BodyNotJSON},
		"nothing":                               {asJSON, nil, 0, http.StatusBadRequest, reason.BodyNotJSON},
		"YAML that says so":                     {"application/yaml", []byte("a: b"), 4, http.StatusUnsupportedMediaType, reason.BodyNotJSON},
	} {
		t.Run(name, func(t *testing.T) {
			bothProtocols(t, func(t *testing.T, http2 bool) {
				g := newGate(t, http2, readAll)
				status, said, err := g.post(t, tc.contentType, bytes.NewReader(tc.body), tc.length)
				if err != nil && status == 0 {
					// The server may close a connection whose body it does not want before the client has sent it.
					require.Equal(t, http.StatusRequestEntityTooLarge, tc.status, err)
				} else {
					require.Equal(t, tc.status, status, said)
					require.Contains(t, said, string(tc.code))
				}
				if tc.code != "" {
					require.Equal(t, 1, g.rejected(tc.code))
				}
			})
		})
	}
}

// stalled is a body that begins and then says nothing until it is closed.
func stalled(t *testing.T, beginning string) io.Reader {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	go func() { _, _ = io.WriteString(w, beginning) }()
	return r
}

func TestABodyThatDoesNotArriveEnds(t *testing.T) {
	t.Parallel()
	for name, beginning := range map[string]string{"that never begins": "", "that stops midway": `{"kind":`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothProtocols(t, func(t *testing.T, http2 bool) {
				g := newGate(t, http2, readAll)
				began := time.Now()
				status, said, err := g.post(t, "application/json", stalled(t, beginning), 1000)
				if err == nil {
					require.GreaterOrEqual(t, status, 400, said)
				}
				require.Less(t, time.Since(began), 10*shortBodyTime)
				require.Eventually(t, func() bool { return g.limits.small.TryAcquire(smallRoom) }, 5*time.Second, time.Millisecond,
					"its room is given back")
				if beginning == "" {
					require.Equal(t, 1, g.rejected(reason.BodyLate))
				}
			})
		})
	}
}

func TestAHeldRequestOutlivesTheTimeOfItsBody(t *testing.T) {
	t.Parallel()
	bothProtocols(t, func(t *testing.T, http2 bool) {
		g := newGate(t, http2, func(w http.ResponseWriter, r *http.Request) {
			readAll(w, r)
			select {
			case <-time.After(3 * shortBodyTime):
				fmt.Fprint(w, " held")
			case <-r.Context().Done():
				fmt.Fprint(w, " gone")
			}
		})
		for range 2 { // The second on the same connection.
			status, said, err := g.post(t, "application/json", strings.NewReader(`{"a":1}`), 7)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, "read 7 held", said)
		}
	})
}

func TestLargeBodiesDoNotKeepSmallOnesWaiting(t *testing.T) {
	entered, finish := make(chan struct{}, 2), make(chan struct{})
	g := newGate(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > smallBody {
			entered <- struct{}{}
			<-finish
		}
		readAll(w, r)
	})
	answers := make(chan int, 2)
	for range 2 {
		go func() {
			status, _, _ := g.post(t, "application/json", bytes.NewReader(jsonOf(maxBody)), maxBody)
			answers <- status
		}()
	}
	<-entered
	<-entered
	status, said, err := g.post(t, "application/json", bytes.NewReader(jsonOf(smallBody+1)), smallBody+1)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, said, string(reason.TooBusy))
	require.Equal(t, 1, g.rejected(reason.TooBusy))

	status, said, err = g.post(t, "application/json", bytes.NewReader(jsonOf(smallBody)), smallBody)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, said)

	close(finish)
	for range 2 {
		// Their bodies may be late by now; that they were answered is enough.
		<-answers
	}
	require.Eventually(t, func() bool { return g.limits.large.TryAcquire(largeRoom) }, 5*time.Second, time.Millisecond)
}
