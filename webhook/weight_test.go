package webhook

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// listOf is a body with a list of as many elements.
func listOf(element string, count int) []byte {
	return []byte(`{"x":[` + strings.TrimSuffix(strings.Repeat(element+",", count), ",") + `]}`)
}

func TestWhatBecomesLargeWeighsMoreThanItsSize(t *testing.T) {
	const many = 100_000
	for name, tc := range map[string]struct {
		body        []byte
		least, most int64
	}{
		"nothing":                            {nil, 0, 0},
		"a long text":                        {[]byte(`{"x":"` + strings.Repeat("y", 1<<20) + `"}`), 0, 0},
		"JSON in a text":                     {[]byte(`{"x":"` + strings.Repeat(`{\"a\":[{},{}]},`, many) + `"}`), 0, 0},
		"a text that ends with a backslash":  {[]byte(`{"x":"\\","y":[` + strings.Repeat(`{},`, many) + `{}]}`), many * 1000, many * 1200},
		"empty objects in a list":            {listOf(`{}`, many), many * 1000, many * 1200},
		"as many as are free":                {listOf(`{}`, freeObjects), 0, 0},
		"empty objects that are no elements": {[]byte(`{"x":{` + strings.Repeat(`"a":{},`, many) + `"b":{}}}`), many * 64, many * 130},
		"short texts in a list":              {listOf(`""`, many), many * 50, many * 64},
		"a list that is never closed":        {[]byte(`{"x":[` + strings.Repeat(`{`, many)), 1, many * 1200},
		"more ends than beginnings":          {[]byte(`}]}]`), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			weight := weigh(tc.body)
			require.GreaterOrEqual(t, weight, tc.least)
			require.LessOrEqual(t, weight, tc.most)
		})
	}
}

func TestWhatRookWritesWeighsNothingBeyondItsSize(t *testing.T) {
	files, err := filepath.Glob("../rook/testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		object, err := yaml.YAMLToJSON(text)
		require.NoError(t, err)
		both, err := json.Marshal(map[string]json.RawMessage{"object": object, "oldObject": object})
		require.NoError(t, err)
		require.Zero(t, weigh(both), file)
		// A user may have Rook add much to it.
		require.Less(t, weigh(bytes.Repeat(both, 2)), int64(decodeRoom/32), file)
	}
}

func TestABodyThatWouldBecomeTooLargeIsTurnedAway(t *testing.T) {
	bothProtocols(t, func(t *testing.T, http2 bool) {
		g := newGate(t, http2, readAll)
		for name, body := range map[string][]byte{
			"empty containers": listOf(`{}`, 60_000),
			"short args":       listOf(`"x"`, 700_000),
		} {
			status, said, err := g.post(t, "application/json", bytes.NewReader(body), int64(len(body)))
			require.NoError(t, err, name)
			require.Equal(t, http.StatusRequestEntityTooLarge, status, name)
			require.Contains(t, said, string(reason.BodyTooComplex), name)
		}
		require.Equal(t, 2, g.rejected(reason.BodyTooComplex))
		require.True(t, g.limits.small.TryAcquire(smallRoom), "its room is given back")
	})
}
