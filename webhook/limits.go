package webhook

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

const (
	// maxBody is more than a review of the largest object that Rook writes: a ConfigMap holds 1 MiB, and an update is sent
	// with the object that it replaces.
	maxBody = 3 << 20
	// smallBody is many times what a review of a mon's or an OSD's Deployment takes.
	smallBody = 256 << 10
	// smallRoom and largeRoom bound the bytes of all bodies that are being read and decided on, held ones included. The two
	// are apart so that a few absurd bodies cannot keep Rook's own waiting.
	smallRoom = 12 << 20
	largeRoom = 2 * maxBody
	// bodyTime is how long a body may take to arrive, and how long one may wait for room.
	bodyTime = 5 * time.Second
	// rejectTime is how much longer a client that was turned away may go on sending, so that it can read why: the server
	// reads on in a body that was begun, and would wait for the rest of it without end.
	rejectTime = time.Second
	// writeTime outlasts the API server, whose patience ends after 30 s at most.
	writeTime = 45 * time.Second
)

// limits bound what a request may cost before anything of it is understood: anybody who reaches the port can send one.
type limits struct {
	small, large *semaphore.Weighted
	bodyTime     time.Duration
	metrics      *metrics
}

func newLimits(m *metrics) *limits {
	return &limits{small: semaphore.NewWeighted(smallRoom), large: semaphore.NewWeighted(largeRoom), bodyTime: bodyTime, metrics: m}
}

// guard lets through to next what is a JSON body of bounded size, as soon as there is room for it.
func (l *limits) guard(object string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reject := func(status int, code reason.Code) {
			l.metrics.admissions.WithLabelValues(object, "rejected", string(code)).Inc()
			w.Header().Set("Connection", "close")
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(rejectTime))
			http.Error(w, fmt.Sprintf("%s: the body %s", code, code.Sentence()), status)
		}
		if r.ContentLength > maxBody {
			reject(http.StatusRequestEntityTooLarge, reason.BodyTooLarge)
			return
		}
		if r.Header.Get("Content-Type") != "application/json" {
			reject(http.StatusUnsupportedMediaType, reason.BodyNotJSON)
			return
		}
		done, ok := l.enter(r)
		if !ok {
			reject(http.StatusServiceUnavailable, reason.TooBusy)
			return
		}
		defer done()
		content := newBody(w, r, l.bodyTime)
		// Otherwise the decoder would take it for YAML, whose aliases make much out of little, or for a binary form.
		switch first, err := content.Peek(1); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			reject(http.StatusRequestTimeout, reason.BodyLate)
			return
		case err != nil || first[0] != '{':
			reject(http.StatusBadRequest, reason.BodyNotJSON)
			return
		}
		r.Body = content
		next.ServeHTTP(w, r)
	})
}

// enter waits for room for the body, and returns what gives it back. A body that does not tell its length may be as long as
// any.
func (l *limits) enter(r *http.Request) (leave func(), ok bool) {
	size, room := r.ContentLength, l.small
	if size < 0 {
		size = maxBody
	}
	if size > smallBody {
		room = l.large
	}
	ctx, cancel := context.WithTimeout(r.Context(), l.bodyTime)
	defer cancel()
	if err := room.Acquire(ctx, size); err != nil {
		return nil, false
	}
	return func() { room.Release(size) }, true
}

// body is read through a buffer, so that its beginning can be looked at.
type body struct {
	*bufio.Reader
	io.Closer
}

// newBody bounds the body in size and time. Its deadline ends with it: while a request is held, the client owes nothing.
func newBody(w http.ResponseWriter, r *http.Request, within time.Duration) *body {
	conn := http.NewResponseController(w)
	// Where the connection knows no deadlines, as in a test's recorder, there is none that could stall.
	_ = conn.SetReadDeadline(time.Now().Add(within))
	_ = conn.SetWriteDeadline(time.Now().Add(writeTime))
	return &body{Reader: bufio.NewReader(http.MaxBytesReader(w, r.Body, maxBody)), Closer: r.Body}
}
