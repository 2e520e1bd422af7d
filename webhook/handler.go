package webhook

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	admissionv1 "k8s.io/api/admission/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// decider decides on the requests of one path.
type decider interface {
	// object names what the path is for, in the metrics.
	object() string
	decide(ctx context.Context, req admission.Request) (answer, error)
	// mustRefuse says whether a request that met a fault of ours must be refused: only where it would bring a daemon
	// into being with a wrong address. Anything else is let through, for it can be put right later.
	mustRefuse(ctx context.Context, req admission.Request) bool
}

// handler is what all paths share: which requests concern us at all, and what becomes of our own faults.
type handler struct {
	decider
	view    View
	metrics *metrics
}

// Handle implements admission.Handler.
func (h handler) Handle(ctx context.Context, req admission.Request) admission.Response {
	a, err := h.attempt(ctx, req)
	if err != nil {
		a = h.faulty(ctx, req, err)
	}
	return respond(ctx, h.metrics, h.object(), req, a)
}

// attempt decides on the request. A panic comes out of it as an error, for the library would refuse the request for it.
func (h handler) attempt(ctx context.Context, req admission.Request) (a answer, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = panicked(ctx, h.object(), cause)
		}
	}()
	if req.SubResource != "" || (req.Operation != admissionv1.Create && req.Operation != admissionv1.Update) {
		return answer{code: reason.AlreadyRight}, nil
	}
	enabled, err := h.enabled(ctx, req.Namespace)
	if err != nil {
		return answer{}, err
	}
	if !enabled {
		return answer{code: reason.NamespaceNotEnabled}, nil
	}
	return h.decide(ctx, req)
}

func (h handler) enabled(ctx context.Context, namespace string) (bool, error) {
	ctx, cancel := reading(ctx)
	defer cancel()
	return h.view.Enabled(ctx, namespace)
}

func (h handler) faulty(ctx context.Context, req admission.Request, fault error) answer {
	a := answer{code: reason.InternalFault, message: fault.Error(), fault: fault, refuse: h.refuseFaulty(ctx, req)}
	if !a.refuse {
		return a
	}
	a.code = whyFaulty(fault)
	a.message = fmt.Sprintf("%s %s/%s %s (%v); Rook will retry", req.Kind.Kind, req.Namespace, req.Name, a.code.Sentence(), fault)
	return a
}

// whyFaulty returns the reason for which a request is refused that met the fault.
func whyFaulty(fault error) reason.Code {
	if errors.Is(fault, context.DeadlineExceeded) {
		return reason.APIServerSilent
	}
	return reason.InternalFault
}

// refuseFaulty asks whether the faulty request must be refused. Where even that cannot be known, it must.
func (h handler) refuseFaulty(ctx context.Context, req admission.Request) (refuse bool) {
	defer func() {
		if cause := recover(); cause != nil {
			_ = panicked(ctx, h.object(), cause)
			refuse = true
		}
	}()
	return h.mustRefuse(ctx, req)
}

// panicked logs where the panic came from and returns it as an error. What the panic says of a Secret stays unsaid,
// for it may be a part of it.
func panicked(ctx context.Context, object string, cause any) error {
	err := fmt.Errorf("panic: %v", cause)
	if object == cephConfigObject {
		err = fmt.Errorf("panic: a value of type %T", cause)
	}
	logf.FromContext(ctx).Error(err, "Recovered from a panic", "stack", string(debug.Stack()))
	return err
}
