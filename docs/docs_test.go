// Package docs_test holds the pages to the tree that they are about.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/pages"
)

const (
	root   = ".."
	domain = "rook-clusterset.io/"
)

var (
	roomRow      = regexp.MustCompile("(?m)^\\| `([a-z0-9.-]+/|main\\.go)` \\|")
	nameRow      = regexp.MustCompile("(?m)^\\| `(" + regexp.QuoteMeta(domain) + "[a-z-]+)` \\|")
	testName     = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	testFunction = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(t \*testing\.T\)`)
)

func TestTheDesignNamesEachRoomAndNoOther(t *testing.T) {
	named := firstColumn(read(t, "design.md"), roomRow)
	require.ElementsMatch(t, rooms(t), named)
}

func TestTheDesignNamesEachAnnotationAndLabelAndNoOther(t *testing.T) {
	named := firstColumn(read(t, "design.md"), nameRow)
	require.ElementsMatch(t, namesOfOurDomain(t), named)
}

func TestTheDesignNamesEachRoomOfTheEndToEndTests(t *testing.T) {
	page := read(t, "design.md")
	for _, directory := range directories(t, filepath.Join(root, "e2e")) {
		require.Contains(t, page, "`"+directory+"`")
	}
}

func TestTheTestsThatSecurityNamesAreThere(t *testing.T) {
	tests := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, name := range firstColumn(read(t, path), testFunction) {
			tests[name] = true
		}
		return nil
	}))
	named := firstColumn(read(t, "security.md"), testName)
	require.NotEmpty(t, named)
	for _, name := range named {
		require.Contains(t, tests, name)
	}
}

func TestTheDesignLeadsToEachDecision(t *testing.T) {
	page := read(t, "design.md")
	decisions, err := filepath.Glob("decisions/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, decisions)
	for _, decision := range decisions {
		require.Contains(t, page, "]("+filepath.ToSlash(decision)+")")
	}
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	all := allPages(t)
	anchors := map[string][]string{}
	for _, page := range all {
		anchors[page.Path] = page.Anchors
	}
	for _, page := range all {
		for _, link := range page.Links {
			to := page.Path
			if link.Path != "" {
				to = path.Join(path.Dir(page.Path), link.Path)
				_, err := os.Stat(filepath.Join(root, to))
				require.NoError(t, err, "%s links to %s", page.Path, link.Path)
			}
			if link.Anchor != "" {
				require.Contains(t, anchors[to], link.Anchor, "%s links to #%s in %s", page.Path, link.Anchor, to)
			}
		}
	}
}

func TestTheIndexLeadsToEachPage(t *testing.T) {
	led, named := map[string]bool{}, []string{}
	for _, page := range allPages(t) {
		if page.Path == "docs/README.md" {
			for _, link := range page.Links {
				led[link.Path] = true
			}
		} else if name, ok := strings.CutPrefix(page.Path, "docs/"); ok && !strings.Contains(name, "/") {
			named = append(named, name)
		}
	}
	for _, name := range named {
		require.True(t, led[name], "docs/README.md does not lead to %s", name)
	}
}

// What is said to have been seen has to be something that can be seen again.
func TestEachTestThatAPageNamesIsThere(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	require.NoError(t, filepath.WalkDir(root, func(file string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(file, "_test.go") {
			for _, match := range declared.FindAllStringSubmatch(read(t, file), -1) {
				tests[match[1]] = true
			}
		}
		return err
	}))
	for _, page := range allPages(t) {
		for _, name := range regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(read(t, filepath.Join(root, page.Path)), -1) {
			require.True(t, tests[name], "%s names %s, which is no test", page.Path, name)
		}
	}
}

var (
	ownMetric = regexp.MustCompile(`\brook_clusterset_[a-z_]*[a-z]\b`)
	ownName   = regexp.MustCompile(`(?:^|[^.a-z-])(rook-clusterset\.io/[a-z-]+)`)
)

func TestPagesNameMetricsThatThereAre(t *testing.T) {
	var names []string
	for _, m := range metrics(t) {
		names = append(names, m.name)
		if m.kind == "histogram" {
			names = append(names, m.name+"_bucket", m.name+"_sum", m.name+"_count")
		}
	}
	for _, page := range allPages(t) {
		for _, name := range ownMetric.FindAllString(read(t, filepath.Join(root, page.Path)), -1) {
			require.Contains(t, names, name, "%s names it", page.Path)
		}
	}
}

// What the manifests and the code name beside the constants of package rook has to stand in the reference too.
func TestTheReferenceHasEachLabelAndAnnotation(t *testing.T) {
	files := productFiles(t)
	for _, pattern := range []string{"*.yaml", "*/*.yaml", "*/*/*.yaml"} {
		found, err := filepath.Glob(filepath.Join(root, "manifests", pattern))
		require.NoError(t, err)
		files = append(files, found...)
	}
	listed := firstColumn(read(t, "reference.md"), nameRow)
	for _, file := range files {
		for _, match := range ownName.FindAllStringSubmatch(read(t, file), -1) {
			require.Contains(t, listed, match[1], "%s names it", file)
		}
	}
}

func allPages(t *testing.T) []pages.Page {
	t.Helper()
	all, err := pages.Read(root)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	return string(text)
}

func firstColumn(page string, row *regexp.Regexp) []string {
	var cells []string
	for _, match := range row.FindAllStringSubmatch(page, -1) {
		cells = append(cells, match[1])
	}
	return cells
}

// rooms are what stands at the top and is or holds Go files, as the page writes it.
func rooms(t *testing.T) []string {
	t.Helper()
	found := []string{"main.go"}
	for _, directory := range directories(t, root) {
		found = append(found, directory+"/")
	}
	return found
}

// directories returns those in which, however deep, there are Go files.
func directories(t *testing.T, parent string) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(parent, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		relative, err := filepath.Rel(parent, path)
		if top, _, below := strings.Cut(filepath.ToSlash(relative), "/"); below && !slices.Contains(found, top) {
			found = append(found, top)
		}
		return err
	}))
	require.NotEmpty(t, found)
	return found
}

// namesOfOurDomain are the constants of rook that hold an annotation or a label of ours.
func namesOfOurDomain(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "rook", "names.go"), nil, 0)
	require.NoError(t, err)
	var names []string
	ast.Inspect(file, func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			value, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			if strings.HasPrefix(value, domain) && value != domain {
				names = append(names, value)
			}
		}
		return true
	})
	require.NotEmpty(t, names)
	return names
}
