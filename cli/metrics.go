package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authenticationclient "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func (o *managerOptions) metricsOptions() server.Options {
	if !o.metricsSecure {
		return server.Options{BindAddress: o.metricsAddress}
	}
	return server.Options{
		BindAddress:    o.metricsAddress,
		SecureServing:  true,
		CertDir:        o.certDir,
		TLSOpts:        o.tlsOptions(),
		FilterProvider: onlyForReaders,
	}
}

const (
	// reviewTimeout bounds what the API server is asked for one scrape, and reviewsAtOnce how many are asked for.
	reviewTimeout = 10 * time.Second
	reviewsAtOnce = 4
)

// onlyForReaders lets the metrics be read by whom the API server knows by the bearer token, and lets get /metrics. It asks as
// controller-runtime's filters.WithAuthenticationAndAuthorization does, which brings in so much of the API server itself that
// each replica would take 12 MiB more.
func onlyForReaders(config *rest.Config, c *http.Client) (server.Filter, error) {
	authentication, err := authenticationclient.NewForConfigAndClient(config, c)
	if err != nil {
		return nil, fmt.Errorf("make the client that asks who reads the metrics: %w", err)
	}
	authorization, err := authorizationclient.NewForConfigAndClient(config, c)
	if err != nil {
		return nil, fmt.Errorf("make the client that asks who may read the metrics: %w", err)
	}
	readers := reviewer{tokens: authentication.TokenReviews(), access: authorization.SubjectAccessReviews(), room: make(chan struct{}, reviewsAtOnce)}
	return readers.filter, nil
}

// reviewer asks the API server who reads the metrics.
type reviewer struct {
	tokens authenticationclient.TokenReviewInterface
	access authorizationclient.SubjectAccessReviewInterface
	room   chan struct{}
}

func (r reviewer) filter(log logr.Logger, metrics http.Handler) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		status, err := r.review(req)
		if err != nil {
			log.Error(err, "Metrics are withheld")
		}
		if status != http.StatusOK {
			http.Error(w, http.StatusText(status), status)
			return
		}
		metrics.ServeHTTP(w, req)
	}), nil
}

// review returns the status of the answer; http.StatusOK means that the request may go on.
func (r reviewer) review(req *http.Request) (int, error) {
	token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return http.StatusUnauthorized, nil
	}
	select {
	case r.room <- struct{}{}:
		defer func() { <-r.room }()
	default:
		return http.StatusTooManyRequests, nil
	}
	ctx, cancel := context.WithTimeout(req.Context(), reviewTimeout)
	defer cancel()
	known, err := r.tokens.Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return http.StatusInternalServerError, fmt.Errorf("ask who reads the metrics: %w", err)
	}
	if !known.Status.Authenticated {
		return http.StatusUnauthorized, nil
	}
	allowed, err := r.access.Create(ctx, accessOf(known.Status.User, req), metav1.CreateOptions{})
	if err != nil {
		return http.StatusInternalServerError, fmt.Errorf("ask whether %s may read the metrics: %w", known.Status.User.Username, err)
	}
	if !allowed.Status.Allowed {
		return http.StatusForbidden, nil
	}
	return http.StatusOK, nil
}

func accessOf(user authenticationv1.UserInfo, req *http.Request) *authorizationv1.SubjectAccessReview {
	extra := make(map[string]authorizationv1.ExtraValue, len(user.Extra))
	for key, values := range user.Extra {
		extra[key] = authorizationv1.ExtraValue(values)
	}
	return &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, UID: user.UID, Groups: user.Groups, Extra: extra,
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: req.URL.Path, Verb: strings.ToLower(req.Method)},
	}}
}
