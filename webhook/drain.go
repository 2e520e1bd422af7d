package webhook

import (
	"context"
	"net/http"
	"time"
)

// DefaultShutdownDelay is longer than an API server usually takes to learn that a replica is gone.
const DefaultShutdownDelay = 3 * time.Second

func (o Options) shutdownDelay() time.Duration {
	switch {
	case o.ShutdownDelay == 0:
		return DefaultShutdownDelay
	case o.ShutdownDelay < 0:
		return 0
	default:
		return o.ShutdownDelay
	}
}

// drain ends all holds when the manager is asked to stop. The manager stops the caches and the webhook server only when
// everything like drain has returned: during the delay the listener stays, and is answered from the caches.
type drain struct {
	holds *holds
	delay time.Duration
}

// NeedLeaderElection puts drain among what the manager stops first, on every replica.
func (drain) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (d drain) Start(ctx context.Context) error {
	<-ctx.Done()
	d.holds.stop()
	time.Sleep(d.delay)
	return nil
}

// sayGoodbye ends with each answer the connection that it goes over, from the stop on. An API server keeps its connection to
// a replica that is no endpoint any more, and a request that it writes while the server closes that is lost.
func (h *holds) sayGoodbye(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(goodbye{ResponseWriter: w, stopping: h.stopping}, r)
	})
}

// goodbye looks when the answer begins whether the replica stops: a request can have been held until then.
type goodbye struct {
	http.ResponseWriter
	stopping <-chan struct{}
}

// Unwrap lets a controller of the response reach the connection.
func (g goodbye) Unwrap() http.ResponseWriter { return g.ResponseWriter }

func (g goodbye) WriteHeader(status int) {
	g.end()
	g.ResponseWriter.WriteHeader(status)
}

func (g goodbye) Write(text []byte) (int, error) {
	g.end()
	return g.ResponseWriter.Write(text)
}

func (g goodbye) end() {
	select {
	case <-g.stopping:
		g.Header().Set("Connection", "close")
	default:
	}
}
