package webhook

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// A request that is written while the server closes its connection is lost, and an API server does not send it again.
func TestAReplicaThatStopsSendsItsClientsElsewhereBeforeItIsGone(t *testing.T) {
	bothProtocols(t, func(t *testing.T, http2 bool) {
		m, err := newMetrics(prometheus.NewRegistry())
		require.NoError(t, err)
		waiting := newHolds(Options{Hold: time.Minute, MaxHeld: 1}, newSignals(), m)
		server := httptest.NewUnstartedServer(waiting.sayGoodbye(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })))
		server.EnableHTTP2 = http2
		server.StartTLS()
		t.Cleanup(server.Close)
		reused := func() bool {
			var info httptrace.GotConnInfo
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) { info = got }})
			ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
			require.NoError(t, err)
			answer, err := server.Client().Do(req)
			require.NoError(t, err)
			defer answer.Body.Close()
			_, err = io.Copy(io.Discard, answer.Body)
			require.NoError(t, err)
			return info.Reused
		}
		require.False(t, reused())
		require.True(t, reused(), "a connection that stands is used again")
		waiting.stop()
		reused()
		require.Eventually(t, func() bool { return !reused() }, 5*time.Second, 10*time.Millisecond, "after the stop, each answer ends its connection")
	})
}
