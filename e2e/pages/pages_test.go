package pages

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPageIsReadAsItsReadersDo(t *testing.T) {
	page := parse("docs/a.md", "# What `this` is, in a word…\n"+
		"See [that](b.md#there), [here](#what), [elsewhere](https://example.org/) and `[not](a-link)`.\n"+
		"## Twice\n## Twice\n"+
		"| <a id=\"mon_down\"></a>`mon_down` |\n"+
		"1. First\n   ```sh run: quick-start\n   kubectl get pods\n     --watch # not a heading\n   ```\n"+
		"```sh not run: it takes long\nmake bench\n```\n"+
		"```sh\nls\n```\n"+
		"```\nNAME\n# no heading\n```\n"+
		"```yaml\n# not a heading [nor](a.link)\n```\n")
	require.Equal(t, Page{
		Path:    "docs/a.md",
		Anchors: []string{"what-this-is-in-a-word", "twice", "twice-1", "mon_down"},
		Links:   []Link{{"b.md", "there"}, {"", "what"}},
		Spans:   []string{"this", "[not](a-link)", "mon_down"},
		Shown:   []string{"NAME\n# no heading\n"},
		Blocks: []Block{
			{Page: "docs/a.md", Line: 7, Run: "quick-start", Script: "kubectl get pods\n  --watch # not a heading\n"},
			{Page: "docs/a.md", Line: 11, NotRun: "it takes long", Script: "make bench\n"},
			{Page: "docs/a.md", Line: 14, Script: "ls\n"},
		},
	}, page)
}
