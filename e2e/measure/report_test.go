package measure

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAPercentileIsASampleThatWasMeasured(t *testing.T) {
	samples := []time.Duration{4, 1, 3, 2}
	for p, wanted := range map[int]time.Duration{1: 1, 25: 1, 50: 2, 51: 3, 95: 4, 99: 4, 100: 4} {
		require.Equal(t, wanted, Percentile(samples, p), "of %d %%", p)
	}
}

func TestAMissedBarIsNamedInTheEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		figure float64
		missed bool
	}{
		"below the bar": {1.4, false},
		"at the bar":    {1.5, false},
		"above the bar": {1.6, true},
		"no number":     {math.NaN(), true},
		"infinite":      {math.Inf(1), true},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r := &Report{Name: "bench", Out: &out}
			r.Bar("growth", tc.figure, 1.5, " times")
			require.Equal(t, tc.missed, !r.Conclude())
			last := out.String()[strings.Index(out.String(), "bench: "):]
			if tc.missed {
				require.Contains(t, last, "growth: ")
			} else {
				require.Equal(t, "bench: every bar holds\n", last)
			}
		})
	}
}
