package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
)

const (
	// searched are as many stories as are told from its seed on until a guard is missed, and searchedShort whenever the tests run.
	searched, searchedShort = 300, 100
	// goneVariable names the guard that is taken away from a program that buildBroken made.
	goneVariable = "ROOK_CLUSTERSET_GONE"
)

// TestBrokenOnPurposeAFaultIsFound takes away what the product is careful about, one by one: each time a story has to end badly.
// Another product tells another story by the same seed, so that the search goes on from there. What only few stories miss is
// left to make simulate-broken.
func TestBrokenOnPurposeAFaultIsFound(t *testing.T) {
	all := os.Getenv("ROOK_CLUSTERSET_BROKEN") != ""
	program := buildBroken(t)
	for _, g := range guards {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			stories := searched
			if !all {
				if g.seldom {
					t.Skip("make simulate-broken tells more stories")
				}
				stories = searchedShort
			}
			cmd := exec.CommandContext(t.Context(), program, "-workers", "1", "-bad", "1",
				"-first", fmt.Sprint(g.seed), "-schedules", fmt.Sprint(stories), "-often", g.often)
			cmd.Env = append(os.Environ(), goneVariable+"="+g.name)
			out, err := cmd.Output()
			require.Error(t, err, "in %d stories from seed %d on: %s", stories, g.seed, out)
			_, bad, found := strings.Cut(string(out), "\nseed ")
			require.True(t, found, "%s", out)
			bad, _, _ = strings.Cut(bad, "\n")
			t.Logf("seed %s", bad)
		})
	}
}

// buildBroken builds this program from a product of which each guard can be taken away.
func buildBroken(t *testing.T) string {
	t.Helper()
	root, err := assets.ModuleRoot(t.Context())
	require.NoError(t, err)
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	replace := func(file, source string) {
		path := filepath.Join(t.TempDir(), filepath.Base(file))
		require.NoError(t, os.WriteFile(path, []byte(source), 0o600))
		overlay.Replace[filepath.Join(root, file)] = path
	}
	for file, source := range brokenSources(t, root) {
		replace(file, source)
		room := filepath.Dir(file)
		replace(filepath.Join(room, "gone.go"), fmt.Sprintf("package %s\n\nimport \"os\"\n\nvar goneGuard = os.Getenv(%q)\n", room, goneVariable))
	}
	text, err := json.Marshal(overlay)
	require.NoError(t, err)
	list, program := filepath.Join(t.TempDir(), "overlay.json"), filepath.Join(t.TempDir(), "simulate")
	require.NoError(t, os.WriteFile(list, text, 0o600))
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", list, "-o", program, "./e2e/simulate")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// brokenSources returns the files that have a guard, with what stands there without.
func brokenSources(t *testing.T, root string) map[string]string {
	t.Helper()
	sources := map[string]string{}
	for _, g := range guards {
		for _, e := range g.edits {
			if _, read := sources[e.file]; !read {
				source, err := os.ReadFile(filepath.Join(root, e.file))
				require.NoError(t, err)
				sources[e.file] = string(source)
			}
			require.Equal(t, 1, strings.Count(sources[e.file], e.is), "%s: %q is to stand in %s once", g.name, e.is, e.file)
			gone := fmt.Sprintf("(goneGuard == %q)", g.name)
			sources[e.file] = strings.Replace(sources[e.file], e.is, strings.ReplaceAll(e.without, "GONE", gone), 1)
		}
	}
	return sources
}
