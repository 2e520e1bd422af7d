package webhook

import (
	"context"
	"net/http"
	"time"
)

// answerTime is what the API server needs to hear an answer before its own patience ends.
const answerTime = time.Second

// withDeadline ends the context of a request in time for the refusal of a held one to be heard. The API server says with
// each call how long it waits, as the webhook configuration has it; past that it would only tell of a timeout.
func withDeadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		patience, err := time.ParseDuration(r.URL.Query().Get("timeout"))
		if err != nil || patience <= answerTime {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience-answerTime)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
