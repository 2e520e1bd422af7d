package webhook

import (
	"context"
	"fmt"
	"net/http"

	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// Handlers are all that answers, without the server in front of it.
type Handlers struct {
	byPath  map[string]handler
	holds   *holds
	changes *signals
	metrics *metrics
}

// NewHandlers returns the handlers of all paths. The error is one of registering their metrics.
func NewHandlers(view View, ensurer Ensurer, global GlobalRange, opts Options) (*Handlers, error) {
	m, err := newMetrics(crmetrics.Registry)
	if err != nil {
		return nil, err
	}
	changes := newSignals()
	h := &Handlers{byPath: map[string]handler{}, holds: newHolds(opts, changes, m), changes: changes, metrics: m}
	for path, d := range newDeciders(view, ensurer, global, h.holds) {
		h.byPath[path] = handler{decider: d, view: view, metrics: m}
	}
	return h, nil
}

// Handle answers a request of a path.
func (h *Handlers) Handle(ctx context.Context, path string, req admission.Request) admission.Response {
	to, known := h.byPath[path]
	if !known {
		return admission.Errored(http.StatusNotFound, fmt.Errorf("nothing answers at %s", path))
	}
	return to.Handle(ctx, req)
}

// Changed ends the wait of what is held in a namespace, for its objects are other than they were.
func (h *Handlers) Changed(namespace string) { h.changes.wake(namespace) }
