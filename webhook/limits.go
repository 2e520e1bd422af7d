package webhook

import (
	"bufio"
	"bytes"
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
	// usualBody is what a review of a Deployment that Rook writes takes.
	usualBody = 32 << 10
	// smallRoom and largeRoom bound the bytes of all bodies that are being read and decided on, held ones included. The two
	// are apart so that a few absurd bodies cannot keep Rook's own waiting.
	smallRoom = 12 << 20
	largeRoom = 2 * maxBody
	// leastWeight is what the smallest body counts for, so that their number is bounded: it leaves room for as many as are
	// held, and for as many again.
	leastWeight = 64 << 10
	// decodeRoom bounds what all bodies take in memory beyond what those of their size should.
	decodeRoom = 16 << 20
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
	small, large, decoding *semaphore.Weighted
	bodyTime               time.Duration
	metrics                *metrics
}

func newLimits(m *metrics) *limits {
	return &limits{
		small: semaphore.NewWeighted(smallRoom), large: semaphore.NewWeighted(largeRoom), decoding: semaphore.NewWeighted(decodeRoom),
		bodyTime: bodyTime, metrics: m,
	}
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
		raw, status, code := l.read(w, r)
		if code != "" {
			reject(status, code)
			return
		}
		weight := weigh(raw)
		if weight > decodeRoom {
			reject(http.StatusRequestEntityTooLarge, reason.BodyTooComplex)
			return
		}
		decoded, ok := acquire(r.Context(), l.decoding, weight, l.bodyTime)
		if !ok {
			reject(http.StatusServiceUnavailable, reason.TooBusy)
			return
		}
		defer decoded()
		r.Body = io.NopCloser(bytes.NewReader(raw))
		next.ServeHTTP(w, r)
	})
}

// read returns the body, or why it is turned away. It bounds it in size and time; its deadline ends with it: while a request
// is held, the client owes nothing.
func (l *limits) read(w http.ResponseWriter, r *http.Request) (raw []byte, status int, code reason.Code) {
	conn := http.NewResponseController(w)
	// Where the connection knows no deadlines, as in a test's recorder, there is none that could stall.
	_ = conn.SetReadDeadline(time.Now().Add(l.bodyTime))
	_ = conn.SetWriteDeadline(time.Now().Add(writeTime))
	content := bufio.NewReader(http.MaxBytesReader(w, r.Body, maxBody))
	// Otherwise the decoder would take it for YAML, whose aliases make much out of little, or for a binary form.
	first, err := content.Peek(1)
	if err == nil && first[0] != '{' {
		return nil, http.StatusBadRequest, reason.BodyNotJSON
	}
	var text bytes.Buffer
	if err == nil {
		// What a client tells of its length is not taken for as much memory before it has come.
		text.Grow(int(min(max(0, r.ContentLength), usualBody)))
		_, err = text.ReadFrom(content)
	}
	_, tooLong := errors.AsType[*http.MaxBytesError](err)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, http.StatusRequestTimeout, reason.BodyLate
	case tooLong:
		return nil, http.StatusRequestEntityTooLarge, reason.BodyTooLarge
	case err != nil:
		return nil, http.StatusBadRequest, reason.BodyNotJSON
	}
	return text.Bytes(), 0, ""
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
	return acquire(r.Context(), room, max(size, leastWeight), l.bodyTime)
}

func acquire(ctx context.Context, room *semaphore.Weighted, weight int64, within time.Duration) (leave func(), ok bool) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := room.Acquire(ctx, weight); err != nil {
		return nil, false
	}
	return func() { room.Release(weight) }, true
}
