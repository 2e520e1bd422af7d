package rook_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var goldenRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (composed|changed|recorded) \\| [^|]+ \\| [^|]+ \\|$")

func TestThePageTellsWhereEachGoldenComesFrom(t *testing.T) {
	page, err := os.ReadFile("testdata/README.md")
	require.NoError(t, err)
	var told, there []string
	for _, row := range goldenRow.FindAllStringSubmatch(string(page), -1) {
		told = append(told, row[1])
	}
	for _, g := range goldens(t) {
		there = append(there, g.name)
	}
	require.ElementsMatch(t, there, told)
}
