package rook_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// identifiers returns the names of the codes of reason that the functions of a file use; no function stands for the whole file.
func identifiers(t *testing.T, file string, functions ...string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var names []string
	for _, declaration := range parsed.Decls {
		if function, ok := declaration.(*ast.FuncDecl); len(functions) > 0 && (!ok || !slices.Contains(functions, function.Name.Name)) {
			continue
		}
		ast.Inspect(declaration, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok {
				if room, ok := selector.X.(*ast.Ident); ok && room.Name == "reason" {
					names = append(names, selector.Sel.Name)
				}
			}
			return true
		})
	}
	return names
}

// The code itself is read, because whoever adds a state forgets this list.
func TestNoStateOfADaemonIsMissingFromTheList(t *testing.T) {
	can := slices.Concat(identifiers(t, "state.go", "State"), identifiers(t, "export.go", "Why"), identifiers(t, "../exporter/addresses.go"))
	sources, err := filepath.Glob("../resolver/*.go")
	require.NoError(t, err)
	for _, file := range sources {
		if !strings.HasSuffix(file, "_test.go") {
			can = append(can, identifiers(t, file)...)
		}
	}
	// No codes, those of a CephCluster, and that of a question whose asker is gone, who notes nothing any more.
	others := []string{"Code", "Error", "Errorf", "Shorten", "Served", "NoServiceExportKind", "ClientGone", "ExportRemade"}
	can = slices.DeleteFunc(can, func(name string) bool { return slices.Contains(others, name) })
	slices.Sort(can)
	listed := slices.DeleteFunc(identifiers(t, "states.go"), func(name string) bool { return slices.Contains(others, name) })
	slices.Sort(listed)
	require.Equal(t, slices.Compact(can), listed)
	require.Len(t, rook.States(), len(listed))
}
