package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// constant is a string constant of the product, with its comment in words that follow its value.
type constant struct{ name, value, words string }

// constants returns those of a file, each with the comment above it. What they say of each other is replaced by the values.
func constants(t *testing.T, file string) []constant {
	t.Helper()
	var found []constant
	values := map[string]string{}
	for _, declaration := range parsed(t, file).Decls {
		group, ok := declaration.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec)
			if text, ok := literal(value.Values[0]); ok {
				found = append(found, constant{value.Names[0].Name, text, oneLine(value.Doc.Text())})
				values[value.Names[0].Name] = text
			}
		}
	}
	word := regexp.MustCompile(`[A-Z][A-Za-z]+`)
	for i, c := range found {
		words := strings.TrimSpace(strings.TrimPrefix(c.words, c.name))
		found[i].words = word.ReplaceAllStringFunc(words, func(name string) string {
			if value, known := values[name]; known {
				return "`" + value + "`"
			}
			return name
		})
	}
	return found
}

// group is a part of the table of reasons.
type group struct {
	title string
	codes []reason.Code
}

// reasons returns the table of reasons in the parts and the order of its source.
func reasons(t *testing.T) []group {
	t.Helper()
	var groups []group
	for _, declaration := range parsed(t, filepath.Join(root, "reason", "reason.go")).Decls {
		constants, ok := declaration.(*ast.GenDecl)
		if !ok || constants.Tok != token.CONST {
			continue
		}
		g := group{title: strings.TrimSuffix(oneLine(constants.Doc.Text()), ".")}
		for _, spec := range constants.Specs {
			code, ok := literal(spec.(*ast.ValueSpec).Values[0])
			require.True(t, ok)
			g.codes = append(g.codes, reason.Code(code))
		}
		groups = append(groups, g)
	}
	return groups
}

// named returns the codes that functions of a file name, in their order.
func named(t *testing.T, file string, functions ...string) []reason.Code {
	t.Helper()
	values := map[string]string{}
	for _, c := range constants(t, filepath.Join(root, "reason", "reason.go")) {
		values[c.name] = c.value
	}
	var codes []reason.Code
	for _, declaration := range parsed(t, filepath.Join(root, file)).Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || !slices.Contains(functions, function.Name.Name) {
			continue
		}
		ast.Inspect(function, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok && isIdentifier(selector.X, "reason") {
				if code := reason.Code(values[selector.Sel.Name]); code != "" && !slices.Contains(codes, code) {
					codes = append(codes, code)
				}
			}
			return true
		})
	}
	require.NotEmpty(t, codes, "%s in %s", functions, file)
	return codes
}

// metric is what Prometheus is told.
type metric struct {
	name, help, kind string
	labels           []label
}

// label has the comment behind it, which says what it holds.
type label struct{ name, words string }

// has says whether the metric has labels of these names.
func (m metric) has(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return !slices.ContainsFunc(m.labels, func(l label) bool { return l.name == name })
	})
}

// metrics returns all that the product makes.
func metrics(t *testing.T) []metric {
	t.Helper()
	var found []metric
	for _, file := range productFiles(t) {
		tree, lines := parsedWithLines(t, file)
		labelsOf := func(e ast.Expr) []label { return labels(t, tree, lines, e) }
		ast.Inspect(tree, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			constructor, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !isIdentifier(constructor.X, "prometheus") {
				return true
			}
			switch name := constructor.Sel.Name; {
			case name == "NewDesc":
				found = append(found, metric{text(t, call.Args[0]), text(t, call.Args[1]), "gauge", labelsOf(call.Args[2])})
			case slices.Contains([]string{"NewCounter", "NewGauge", "NewHistogram"}, strings.TrimSuffix(name, "Vec")):
				m := metric{kind: strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "New"), "Vec"))}
				for _, element := range call.Args[0].(*ast.CompositeLit).Elts {
					switch field := element.(*ast.KeyValueExpr); {
					case isIdentifier(field.Key, "Name"):
						m.name = text(t, field.Value)
					case isIdentifier(field.Key, "Help"):
						m.help = text(t, field.Value)
					}
				}
				if len(call.Args) > 1 {
					m.labels = labelsOf(call.Args[1])
				}
				found = append(found, m)
			}
			return true
		})
	}
	slices.SortFunc(found, func(a, b metric) int { return strings.Compare(a.name, b.name) })
	require.NotEmpty(t, found)
	return found
}

// productFiles are the Go files of the program itself.
func productFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, room := range directories(t, root) {
		if room == "e2e" || room == "docs" || strings.HasPrefix(room, ".") {
			continue
		}
		require.NoError(t, filepath.WalkDir(filepath.Join(root, room), func(path string, _ fs.DirEntry, err error) error {
			if filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_test.go") {
				files = append(files, path)
			}
			return err
		}))
	}
	return files
}

func parsed(t *testing.T, file string) *ast.File {
	t.Helper()
	tree, _ := parsedWithLines(t, file)
	return tree
}

// parsedWithLines returns besides what tells in which line something stands.
func parsedWithLines(t *testing.T, file string) (*ast.File, func(token.Pos) int) {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, nil, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	return tree, func(at token.Pos) int { return set.Position(at).Line }
}

func isIdentifier(e ast.Expr, name string) bool {
	identifier, ok := e.(*ast.Ident)
	return ok && identifier.Name == name
}

// literal returns a string that stands in the source, perhaps put together from several.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		value, err := strconv.Unquote(e.Value)
		return value, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, whole := literal(e.X)
		right, both := literal(e.Y)
		return left + right, whole && both
	}
	return "", false
}

func text(t *testing.T, e ast.Expr) string {
	t.Helper()
	value, ok := literal(e)
	require.True(t, ok, "the reference is made from what stands in the source: write it there as a string")
	return value
}

// labels returns the strings of a list with the comments behind them.
func labels(t *testing.T, tree *ast.File, line func(token.Pos) int, e ast.Expr) []label {
	t.Helper()
	list, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil
	}
	var all []label
	for _, element := range list.Elts {
		l := label{name: text(t, element)}
		for _, comment := range tree.Comments {
			if line(comment.Pos()) == line(element.Pos()) {
				l.words = oneLine(comment.Text())
			}
		}
		all = append(all, l)
	}
	return all
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
