package webhook

import (
	"context"
	"fmt"
	"net/http"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// What is done with a request, as the log and the metrics name it.
const (
	actionAllowed = "allowed"
	actionPatched = "patched"
	actionRefused = "refused"
)

// answer is what a handler decided on one request.
type answer struct {
	code reason.Code
	// message is what the client of a refused request reads, or the particulars of a warning.
	message string
	// advice is what the writer can do instead of what was not let through as it is.
	advice string
	refuse bool
	// patch is a JSON patch; it is empty for an object that is let through as it is.
	patch []byte
	held  time.Duration
	// fault is what went wrong here, for the log, where code is InternalFault or APIServerSilent; the client reads of it in message.
	fault error
}

func (a answer) action() string {
	switch {
	case a.refuse:
		return actionRefused
	case len(a.patch) > 0:
		return actionPatched
	default:
		return actionAllowed
	}
}

// respond turns an answer into the response, its log line and its metric: the only place where any of them is made.
func respond(ctx context.Context, m *metrics, object string, req admission.Request, a answer) admission.Response {
	m.admissions.WithLabelValues(object, a.action(), string(a.code)).Inc()
	log := logf.FromContext(ctx).WithValues("action", a.action(), "reason", a.code, "operation", req.Operation, "dryRun", isDryRun(req))
	if a.held > 0 {
		log = log.WithValues("held", a.held.Round(time.Millisecond).String())
	}
	if a.message != "" {
		log = log.WithValues("detail", a.message)
	}
	switch {
	case a.fault != nil:
		log.Error(a.fault, "Decided, but met a fault")
	case a.code == reason.AlreadyRight:
		// Rook writes all that it has at each reconcile, and of most of it there is nothing to tell.
		log.V(1).Info("Decided")
	default:
		log.Info("Decided")
	}

	response := admission.Allowed("")
	switch {
	case a.refuse:
		response = admission.Denied(a.message)
		if after := retryAfter(a.code); after > 0 {
			// client-go, and so Rook, tries such a request again by itself: another replica or a later moment can serve it.
			response.Result.Code = http.StatusServiceUnavailable
			response.Result.Reason = metav1.StatusReasonServiceUnavailable
			response.Result.Details = &metav1.StatusDetails{RetryAfterSeconds: after}
		}
	case worthWarning(a.code):
		response = admission.Allowed("").WithWarnings(warnings(req, a)...)
	}
	if len(a.patch) > 0 {
		response.Patch = a.patch
		response.PatchType = new(admissionv1.PatchTypeJSONPatch)
	}
	response.AuditAnnotations = map[string]string{"reason": string(a.code)}
	return response
}

// retryAfter returns in how many seconds a refusal that says nothing about the object, only about this replica at this moment, is
// to be tried again; zero is for all others. Rook writes one daemon after the other, so that whoever finds no place is one of very
// many: each try costs the API server and its other clients as much as a write does, and Rook's client makes ten by itself.
func retryAfter(code reason.Code) int32 {
	switch code {
	case reason.ShuttingDown:
		return 1
	case reason.HoldShareTaken, reason.HoldFull:
		return 10
	default:
		return 0
	}
}

// worthWarning names the reasons for which an allowed object is not what its writer should expect. Rook logs each
// warning, and writes at each reconcile, so they are few.
func worthWarning(code reason.Code) bool {
	switch code {
	case reason.InternalFault, reason.NotRookDaemon, reason.ForeignOwner, reason.AddressFamilyMismatch,
		reason.MalformedDeployment, reason.MalformedEndpoints, reason.HandEditCorrected:
		return true
	default:
		return false
	}
}

func warnings(req admission.Request, a answer) []string {
	text := fmt.Sprintf("rook-clusterset: %s %s/%s %s", req.Kind.Kind, req.Namespace, req.Name, a.code.Sentence())
	if a.message != "" {
		text += ": " + a.message
	}
	if a.advice == "" {
		return []string{text}
	}
	return []string{text, "rook-clusterset: " + a.advice}
}

func isDryRun(req admission.Request) bool {
	return req.DryRun != nil && *req.DryRun
}
