package cli

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/stretchr/testify/require"
)

func TestReadinessLogsWhatIsNotReadyWheneverThatChanges(t *testing.T) {
	var lines []string
	log := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})
	var unready error
	check := logged(log, "kinds", func(*http.Request) error { return unready })
	request := httptest.NewRequest("GET", "/readyz", nil)
	for _, unready = range []error{errors.New("the cache of X has not synced yet"), errors.New("the cache of X has not synced yet"), nil, nil} {
		require.Equal(t, unready, check(request))
	}
	require.Equal(t, []string{
		`"level"=0 "msg"="readiness changed" "check"="kinds" "state"="the cache of X has not synced yet"`,
		`"level"=0 "msg"="readiness changed" "check"="kinds" "state"="ready"`,
	}, lines)
}
