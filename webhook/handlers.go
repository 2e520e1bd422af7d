package webhook

import (
	"context"
	"fmt"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	crmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// Handlers are all that answers, without the server in front of it.
type Handlers struct {
	byPath  map[string]handler
	holds   *holds
	changes *signals
	reads   []kinds.Kind
	metrics *metrics
}

// NewHandlers returns the handlers of all paths. The error is one of registering their metrics.
func NewHandlers(view View, ensurer Ensurer, global GlobalRange, opts Options) (*Handlers, error) {
	m, err := newMetrics(crmetrics.Registry)
	if err != nil {
		return nil, err
	}
	changes := newSignals()
	h := &Handlers{byPath: map[string]handler{}, holds: newHolds(opts, changes, m), changes: changes, reads: opts.Reads, metrics: m}
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

// Changed tells of an object that is other than it was. It returns the namespace in which that ended waits,
// empty for all of them, or false where it could end none.
func (h *Handlers) Changed(kind schema.GroupKind, object metav1.Object) (namespace string, ends bool) {
	concerned := h.concernedBy(kind)
	if concerned == nil {
		return "", false
	}
	namespace = concerned(object)
	h.changes.wake(namespace)
	return namespace, true
}
