package reason_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

func TestEveryReasonReadsWellInALogAnEventAndAMetric(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	camel := regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
	events := map[string]reason.Code{}
	for _, c := range reason.All() {
		require.Regexp(t, snake, string(c))
		require.Regexp(t, camel, c.Event())
		require.NotEqual(t, string(c), c.Sentence())
		require.NotContains(t, events, c.Event(), "%s and %s would be the same event", c, events[c.Event()])
		events[c.Event()] = c
	}
}

func TestEveryReasonHasASentence(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var codes []reason.Code
	for _, declaration := range file.Decls {
		constants, ok := declaration.(*ast.GenDecl)
		if !ok || constants.Tok != token.CONST {
			continue
		}
		for _, spec := range constants.Specs {
			constant := spec.(*ast.ValueSpec)
			text, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			code := reason.Code(text)
			require.True(t, code.Known(), "%s has no sentence", constant.Names[0])
			codes = append(codes, code)
		}
	}
	require.ElementsMatch(t, reason.All(), codes)
}

func TestAnErrorNamesTheParticulars(t *testing.T) {
	require.EqualError(t, reason.Errorf(reason.DNSTimeout, "192.0.2.53 after %s", "2s"),
		"could not be looked up: the DNS server did not answer in time (192.0.2.53 after 2s)")
	require.EqualError(t, &reason.Error{Code: reason.NoSource}, "cannot be resolved: nothing here tells global IPs")
	require.Equal(t, "not_in_the_table", reason.Code("not_in_the_table").Sentence())
	require.Equal(t, "OutsideGlobalCIDR", reason.OutsideGlobalCIDR.Event())
}
