package docs_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/rook-clusterset/rook-clusterset/cli"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

var update = flag.Bool("update", false, "write the pages that are made from the code anew")

// TestTheReferenceIsCurrent writes the page with -update, which is what `make docs` does.
func TestTheReferenceIsCurrent(t *testing.T) {
	var page strings.Builder
	page.WriteString("# Reference\n\n<!-- Made from the code by `make docs`. -->\n\n" +
		"What can be set, and what is told. Each [reason](messages.md) has a page of its own.\n")
	writeCommands(&page)
	writeNames(t, &page)
	writeStates(t, &page)
	writeMetrics(t, &page)
	isCurrent(t, "reference.md", page.String())
}

func isCurrent(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	require.Equal(t, want, read(t, file), "docs/%s is stale: run make docs", file)
}

func writeCommands(page *strings.Builder) {
	program := cli.Root("", "rook-clusterset")
	page.WriteString("\n## Commands and flags\n\n" +
		"As a kubectl plugin each is called `kubectl rook-clusterset COMMAND`. Flags stand after the name of the command.\n")
	kubectl := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags := genericclioptions.NewConfigFlags(true)
	flags.Namespace = nil
	flags.AddFlags(kubectl)
	for _, command := range program.Commands() {
		if !command.IsAvailableCommand() {
			continue
		}
		fmt.Fprintf(page, "\n### %s\n\n%s\n\n", command.Name(), sentence(command))
		clustered := false
		page.WriteString("| flag | default | what |\n|---|---|---|\n")
		command.Flags().VisitAll(func(f *pflag.Flag) {
			if kubectl.Lookup(f.Name) == nil {
				writeFlag(page, f)
				return
			}
			clustered = true
		})
		if clustered {
			page.WriteString("\nAnd [those of kubectl](#flags-of-kubectl).\n")
		}
	}
	page.WriteString("\n### Flags of kubectl\n\nBy these each command that talks to a cluster finds it, as kubectl does.\n\n| flag | default | what |\n|---|---|---|\n")
	kubectl.VisitAll(func(f *pflag.Flag) { writeFlag(page, f) })
}

func sentence(command *cobra.Command) string {
	if command.Long != "" {
		return command.Long
	}
	return command.Short + "."
}

func writeFlag(page *strings.Builder, f *pflag.Flag) {
	name := "`--" + f.Name + "`"
	if f.Shorthand != "" {
		name = "`-" + f.Shorthand + "`, " + name
	}
	value := "`" + f.DefValue + "`"
	if slices.Contains([]string{"", "[]", "false", "0s"}, f.DefValue) || strings.HasPrefix(f.DefValue, "/root") || f.Name == "cache-dir" {
		value = ""
	}
	fmt.Fprintf(page, "| %s | %s | %s |\n", name, value, cell(f.Usage))
}

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(oneLine(text))
}

// ofManifests are the labels that no Go file names.
var ofManifests = []constant{
	{value: domain + "reads-metrics", words: "on a namespace, with the value \"true\", lets its pods reach the metrics where the NetworkPolicy is installed."},
}

func writeNames(t *testing.T, page *strings.Builder) {
	t.Helper()
	page.WriteString("\n## Labels and annotations\n\nWho writes and who reads each stands in [the design](design.md#annotations-and-labels).\n\n| name | what |\n|---|---|\n")
	all := constants(t, filepath.Join(root, "rook", "names.go"))
	for _, c := range append(slices.Clone(all), ofManifests...) {
		if strings.Contains(c.value, "/") && c.value != domain && c.words != "" && !strings.Contains(c.value, "rook.io/") {
			fmt.Fprintf(page, "| `%s` | %s |\n", c.value, cell(c.words))
		}
	}
	page.WriteString("\n## Objects\n\n| name | what |\n|---|---|\n")
	for _, c := range all {
		if strings.HasPrefix(c.value, "rook-clusterset-") {
			fmt.Fprintf(page, "| `%s` | %s |\n", c.value, cell(c.words))
		}
	}
}

// toldOnly stand beside the reasons for which an answer is refused, and are no state of a daemon.
var toldOnly = []reason.Code{reason.AddressFollowed, reason.AddressResolved, reason.PeerCIDROverlaps, reason.SourceLeftOut}

// states returns the codes that can be the state of a daemon, and that of a CephCluster.
func states(t *testing.T) (daemons, clusters []reason.Code) {
	t.Helper()
	daemons = named(t, "rook/state.go", "State", "leaving")
	daemons = append(daemons, named(t, "rook/export.go", "Why")...)
	daemons = slices.DeleteFunc(daemons, func(c reason.Code) bool { return c == reason.NoServiceExportKind || c == reason.Served })
	for _, g := range reasons(t) {
		if slices.Contains(g.codes, reason.SourcesDisagree) {
			daemons = append(daemons, g.codes...)
		}
	}
	daemons = slices.DeleteFunc(daemons, func(c reason.Code) bool { return slices.Contains(toldOnly, c) })
	clusters = append([]reason.Code{reason.Served}, named(t, "rook/cluster.go", "StandAside")...)
	return unique(daemons), append(clusters, reason.NoServiceExportKind)
}

func unique(codes []reason.Code) []reason.Code {
	var once []reason.Code
	for _, code := range codes {
		if !slices.Contains(once, code) {
			once = append(once, code)
		}
	}
	return once
}

func writeStates(t *testing.T, page *strings.Builder) {
	t.Helper()
	daemons, clusters := states(t)
	list := func(codes []reason.Code) string {
		var links []string
		for _, code := range codes {
			links = append(links, fmt.Sprintf("[`%s`](messages.md#%s)", code, code))
		}
		return strings.Join(links, "\n") + "\n"
	}
	fmt.Fprintf(page, "\n## States\n\nThe state of a daemon, in `status`, `check` and the metric `%s`, is the first thing that is wrong\n"+
		"with it. `ok` and `leaving` need nobody.\n\n%s", metricWith(t, "state", "daemon").name, list(daemons))
	fmt.Fprintf(page, "\nThat of a CephCluster, in the metric `%s`, is `served`, or why it is left alone.\n\n%s",
		metricWith(t, "state", "cluster").name, list(clusters))
}

func metricWith(t *testing.T, labels ...string) metric {
	t.Helper()
	all := metrics(t)
	i := slices.IndexFunc(all, func(m metric) bool { return m.has(labels...) })
	require.NotEqual(t, -1, i, "a metric with the labels %s", labels)
	return all[i]
}

// labelWords say what labels hold that have no comment where the metric is made.
var labelWords = map[string]string{
	"action":    "`allowed`, `patched`, `refused`, or `rejected` for what is no review of an object",
	"cluster":   "the name of the CephCluster",
	"daemon":    "the name of the daemon's Deployment, such as `rook-ceph-mon-a`; empty for what is about the whole CephCluster",
	"namespace": "the namespace of the CephCluster",
	"object":    "what was to be written, by its kind or its name",
	"reason":    "a [reason](messages.md)",
	"state":     "a [state](#states)",
	"type":      "`mon` or `osd`",
}

func writeMetrics(t *testing.T, page *strings.Builder) {
	t.Helper()
	page.WriteString("\n## Events\n\nThey are about the CephCluster, and `related` names the ServiceExport of the daemon. The action is `Export`, or `Migrate` while a running\n" +
		"cluster is moved; the reason of an event is a [reason](messages.md) in the spelling of its second column.\n" +
		"\n## Metrics\n\n| metric | type | labels | what |\n|---|---|---|---|\n")
	left := map[string]bool{}
	for _, m := range metrics(t) {
		var cells []string
		for _, l := range m.labels {
			if l.words == "" {
				require.Contains(t, labelWords, l.name, "say behind the label of %s what it holds", m.name)
				left[l.name] = true
				cells = append(cells, "`"+l.name+"`")
				continue
			}
			cells = append(cells, "`"+l.name+"`: "+cell(l.words))
		}
		fmt.Fprintf(page, "| `%s` | %s | %s | %s |\n", m.name, m.kind, strings.Join(cells, "<br>"), cell(m.help))
	}
	page.WriteString("\n| label | holds |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(left)) {
		fmt.Fprintf(page, "| `%s` | %s |\n", name, labelWords[name])
	}
	page.WriteString("\nBesides them each replica tells those of controller-runtime (`controller_runtime_*`, `workqueue_*`, `rest_client_*`,\n`certwatcher_*`, `leader_election_*`), of Go and of its process.\n")
}

// generated begins what is made from the code in messages.md. What stands above it, and the last column below, are written by hand.
const generated = "<!-- Made from the code by `make docs`, but for the last column. -->\n"

var reasonRow = regexp.MustCompile("(?m)^\\| <a id=\"([a-z_]+)\"></a>.* \\| ([^|]*) \\|$")

// TestEveryReasonIsExplainedAndNoOther writes the page with -update.
func TestEveryReasonIsExplainedAndNoOther(t *testing.T) {
	old := read(t, "messages.md")
	head, _, marked := strings.Cut(old, generated)
	require.True(t, marked)
	explained := map[string]string{}
	for _, match := range reasonRow.FindAllStringSubmatch(old, -1) {
		explained[match[1]] = match[2]
	}
	page := bytes.NewBufferString(head + generated)
	for _, g := range reasons(t) {
		fmt.Fprintf(page, "\n## %s\n\n| code | event | what is said of an object | where it comes from, and what to do |\n|---|---|---|---|\n", g.title)
		for _, code := range g.codes {
			why := explained[string(code)]
			require.NotEmpty(t, strings.TrimSpace(why), "messages.md: say in the last column of %s where it comes from and what to do: | <a id=%q></a> | … |", code, code)
			fmt.Fprintf(page, "| <a id=\"%s\"></a>`%s` | `%s` | %s | %s |\n", code, code, code.Event(), cell(code.Sentence()), why)
		}
	}
	isCurrent(t, "messages.md", page.String())
}
