package reason_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

func TestEveryReasonReadsWellInALogAnEventAndAMetric(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	camel := regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
	events := map[string]reason.Code{}
	for _, c := range reason.All() {
		require.Regexp(t, snake, string(c))
		require.Regexp(t, camel, c.Event())
		require.NotEqual(t, string(c), c.Sentence())
		require.NotContains(t, events, c.Event(), "%s and %s would be the same event", c, events[c.Event()])
		events[c.Event()] = c
	}
}

func TestAnErrorNamesTheParticulars(t *testing.T) {
	require.EqualError(t, reason.Errorf(reason.DNSTimeout, "192.0.2.53 after %s", "2s"),
		"could not be looked up: the DNS server did not answer in time (192.0.2.53 after 2s)")
	require.EqualError(t, &reason.Error{Code: reason.NoSource}, "cannot be resolved: nothing here tells global IPs")
	require.Equal(t, "not_in_the_table", reason.Code("not_in_the_table").Sentence())
	require.Equal(t, "OutsideGlobalCIDR", reason.OutsideGlobalCIDR.Event())
}
