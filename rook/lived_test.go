package rook_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestALetterThatIsNotAboveTheHighestHasHadADeployment(t *testing.T) {
	for name, c := range map[string]struct {
		highest, id string
		want        bool
	}{
		"the first mon of a new cluster":              {"-1", "a", false},
		"the first mon once it is created":            {"0", "a", true},
		"the next one":                                {"0", "b", false},
		"one between":                                 {"15", "k", true},
		"the highest":                                 {"15", "p", true},
		"one above":                                   {"15", "q", false},
		"the letter after z":                          {"25", "aa", false},
		"the letter after z once it is created":       {"26", "aa", true},
		"two letters before a number that is two too": {"51", "ba", false},
		"where nothing is noted":                      {"", "a", false},
		"where what is noted is no number":            {"many", "a", false},
		"what is no ID of a mon of Rook's":            {"15", "ext-mon-1", false},
		"what is longer than any":                     {"15", "abcdefghij", false},
	} {
		t.Run(name, func(t *testing.T) {
			endpoints := &corev1.ConfigMap{Data: map[string]string{rook.EndpointsMaxMonIDKey: c.highest}}
			require.Equal(t, c.want, rook.HasHadDeployment(endpoints, c.id))
		})
	}
	require.False(t, rook.HasHadDeployment(nil, "a"))
}
