// Package docs_test holds the pages to the tree that they are about.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
	link         = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
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

func TestEveryLinkLeadsToAFile(t *testing.T) {
	pages := []string{filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")}
	for _, pattern := range []string{"*.md", "decisions/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		pages = append(pages, found...)
	}
	for _, page := range pages {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			require.FileExists(t, filepath.Join(filepath.Dir(page), match[1]), "%s links to it", page)
		}
	}
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
