package webhook

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The server reads on in what a refused client has begun, to keep the connection, and would wait for it without end.
func TestAStalledBodyThatIsTurnedAwayDoesNotKeepItsConnection(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		contentType string
		full        bool
		status      int
	}{
		"for want of room": {"application/json", true, http.StatusServiceUnavailable},
		"as no JSON":       {"application/yaml", false, http.StatusUnsupportedMediaType},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t, false, readAll)
			if tc.full {
				require.True(t, g.limits.small.TryAcquire(smallRoom))
			}
			conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", g.Listener.Addr().String())
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100000\r\n\r\n{", tc.contentType)
			require.NoError(t, err)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*shortBodyTime)))
			said, err := io.ReadAll(conn)
			require.NoError(t, err, "the server ends the connection")
			require.Contains(t, string(said), fmt.Sprintf("HTTP/1.1 %d ", tc.status))
		})
	}
}

func TestManyStalledBodiesAllEnd(t *testing.T) {
	t.Parallel()
	const many = 3 * smallRoom / 100_000
	g := newGate(t, false, readAll)
	ended := make(chan error, many)
	for range many {
		go func() {
			conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(t.Context(), "tcp", g.Listener.Addr().String())
			if err != nil {
				ended <- err
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
			_ = conn.SetReadDeadline(time.Now().Add(15 * time.Second))
			_, err = io.Copy(io.Discard, conn)
			ended <- err
		}()
	}
	for range many {
		require.NoError(t, <-ended)
	}
}
