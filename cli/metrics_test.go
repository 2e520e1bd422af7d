package cli

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authenticationclient "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
)

// oracle answers reviews, or fails.
type oracle struct {
	authenticationclient.TokenReviewInterface
	tokens  map[string]authenticationv1.UserInfo
	unknown error
	asked   *authorizationv1.SubjectAccessReviewSpec
	allowed bool
}

func (o *oracle) Create(_ context.Context, review *authenticationv1.TokenReview, _ metav1.CreateOptions) (*authenticationv1.TokenReview, error) {
	user, ok := o.tokens[review.Spec.Token]
	review.Status = authenticationv1.TokenReviewStatus{Authenticated: ok, User: user}
	return review, o.unknown
}

type accessOracle struct {
	authorizationclient.SubjectAccessReviewInterface
	*oracle
}

func (o accessOracle) Create(_ context.Context, review *authorizationv1.SubjectAccessReview, _ metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error) {
	o.asked = &review.Spec
	review.Status.Allowed = o.allowed
	return review, nil
}

func scrape(t *testing.T, r reviewer, token string) int {
	t.Helper()
	metrics, err := r.filter(logr.Discard(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	require.NoError(t, err)
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	req.Header.Set("Authorization", "Bearer "+token)
	answer := httptest.NewRecorder()
	metrics.ServeHTTP(answer, req)
	return answer.Code
}

func TestMetricsAreWithheldWhereNobodyKnowsWhoAsks(t *testing.T) {
	o := &oracle{allowed: true, tokens: map[string]authenticationv1.UserInfo{"good": {
		Username: "prometheus", UID: "1", Groups: []string{"system:serviceaccounts"}, Extra: map[string]authenticationv1.ExtraValue{"scopes": {"read"}},
	}}}
	r := reviewer{tokens: o, access: accessOracle{oracle: o}, room: make(chan struct{}, 1)}
	require.Equal(t, http.StatusOK, scrape(t, r, "good"))
	require.Equal(t, &authorizationv1.SubjectAccessReviewSpec{
		User: "prometheus", UID: "1", Groups: []string{"system:serviceaccounts"}, Extra: map[string]authorizationv1.ExtraValue{"scopes": {"read"}},
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: "/metrics", Verb: "get"},
	}, o.asked)

	o.allowed = false
	require.Equal(t, http.StatusForbidden, scrape(t, r, "good"))
	o.allowed = true
	require.Equal(t, http.StatusUnauthorized, scrape(t, r, "bad"))
	require.Equal(t, http.StatusUnauthorized, scrape(t, r, ""))

	r.room <- struct{}{}
	require.Equal(t, http.StatusTooManyRequests, scrape(t, r, "good"), "a flood of scrapes is no flood of reviews")
	<-r.room
	o.unknown = errors.New("the API server is away")
	require.Equal(t, http.StatusInternalServerError, scrape(t, r, "good"))
}
