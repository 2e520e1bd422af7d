package docs_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/cli"
	"github.com/rook-clusterset/rook-clusterset/e2e/pages"
)

// ofCI is the name of the blocks that .ci/run runs.
const ofCI = "ci"

// runsPages is how a test says which blocks it runs.
var runsPages = regexp.MustCompile(`runsPages\("([a-z-]+)"`)

func TestEachCommandIsRunByATestOrMarkedAsNot(t *testing.T) {
	run := map[string]bool{ofCI: true}
	require.NoError(t, filepath.WalkDir(filepath.Join(root, "e2e"), func(file string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(file, "_test.go") {
			for _, match := range runsPages.FindAllStringSubmatch(read(t, file), -1) {
				run[match[1]] = true
			}
		}
		return err
	}))
	var unmarked []string
	for _, page := range allPages(t) {
		for _, block := range page.Blocks {
			if block.Run == "" && block.NotRun == "" {
				unmarked = append(unmarked, block.String())
			}
			require.True(t, block.Run == "" || run[block.Run], "%s: no test runs what is named %s", block, block.Run)
		}
	}
	require.Empty(t, unmarked, "say «run: NAME» or «not run: WHY» behind ```sh")
}

func TestWhatCIIsSaidToRunItRuns(t *testing.T) {
	script := read(t, filepath.Join(root, ".ci", "run"))
	blocks, err := pages.ToRun(root, ofCI)
	require.NoError(t, err)
	for _, block := range blocks {
		for line := range strings.Lines(block.Script) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), " #")
			require.Regexp(t, `(?m)^`+regexp.QuoteMeta(strings.TrimSpace(command))+`\b`, script, "%s", block)
		}
	}
}

var ourCommand = regexp.MustCompile(`\brook-clusterset (check|manager|plan|probe|rewrite|status)\b([^|\n#]*)`)

func TestEachCommandOfOursIsCalledWithFlagsThatItHas(t *testing.T) {
	commands := map[string]*cobra.Command{}
	for _, command := range cli.Root("", "rook-clusterset").Commands() {
		commands[command.Name()] = command
	}
	called := 0
	for _, page := range allPages(t) {
		texts := page.Spans
		for _, block := range page.Blocks {
			texts = append(texts, strings.ReplaceAll(block.Script, "\\\n", " "))
		}
		for _, text := range texts {
			for _, match := range ourCommand.FindAllStringSubmatch(text, -1) {
				called++
				for word := range strings.FieldsSeq(match[2]) {
					require.True(t, has(commands[match[1]].Flags(), word), "%s: %s has no flag %s", page.Path, match[1], word)
				}
			}
		}
	}
	require.NotZero(t, called)
}

// has says whether the word is a flag that is there, or none.
func has(flags *pflag.FlagSet, word string) bool {
	name, _, _ := strings.Cut(word, "=")
	if long, ok := strings.CutPrefix(name, "--"); ok {
		return long == "" || flags.Lookup(long) != nil
	}
	if short, ok := strings.CutPrefix(name, "-"); ok && short != "" {
		return flags.ShorthandLookup(short[:1]) != nil
	}
	return true
}
