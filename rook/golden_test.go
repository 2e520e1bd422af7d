package rook_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

var update = flag.Bool("update", false, "write testdata/*.out.yaml anew")

// golden is one pair of testdata: NAME.in.yaml is what Rook writes, its first line names the global IP; NAME.out.yaml is
// what it becomes, its first line names the reason. Where nothing is to change, the out file holds that line alone.
type golden struct {
	name string
	ip   netip.Addr
	in   *appsv1.Deployment
}

func goldens(t testing.TB) []golden {
	t.Helper()
	files, err := filepath.Glob("testdata/*.in.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var all []golden
	for _, file := range files {
		all = append(all, goldenNamed(t, strings.TrimSuffix(filepath.Base(file), ".in.yaml")))
	}
	return all
}

func goldenNamed(t testing.TB, name string) golden {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".in.yaml"))
	require.NoError(t, err)
	ip, body := header(t, text, "# global-ip: ")
	d := &appsv1.Deployment{}
	require.NoError(t, yaml.UnmarshalStrict(body, d), name)
	return golden{name: name, ip: netip.MustParseAddr(ip), in: d}
}

func header(t testing.TB, text []byte, prefix string) (string, []byte) {
	t.Helper()
	first, body, _ := bytes.Cut(text, []byte("\n"))
	value, ok := strings.CutPrefix(string(first), prefix)
	require.True(t, ok, "the first line must begin with %q: %s", prefix, first)
	return value, body
}

func TestWhatRookWritesBecomesWhatIsInTheGoldenFile(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			d := g.in.DeepCopy()
			code := rewrite(d, g.ip)
			require.True(t, code.Known(), code)

			file := filepath.Join("testdata", g.name+".out.yaml")
			if *update {
				require.NoError(t, os.WriteFile(file, render(t, code, d), 0o600))
			}
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			wantCode, body := header(t, text, "# reason: ")
			require.Equal(t, reason.Code(wantCode), code)
			want := g.in
			if code == reason.Rewritten {
				want = &appsv1.Deployment{}
				require.NoError(t, yaml.UnmarshalStrict(body, want))
			} else {
				require.Empty(t, body)
			}
			require.Equal(t, want, d)
		})
	}
}

func render(t *testing.T, code reason.Code, d *appsv1.Deployment) []byte {
	t.Helper()
	text := fmt.Appendf(nil, "# reason: %s\n", code)
	if code != reason.Rewritten {
		return text
	}
	body, err := yaml.Marshal(d)
	require.NoError(t, err)
	return append(text, body...)
}

func TestARewrittenDaemonAdvertisesItsGlobalIPAndIsNotRewrittenAgain(t *testing.T) {
	rewritten := 0
	for _, g := range goldens(t) {
		d := g.in.DeepCopy()
		if rewrite(d, g.ip) != reason.Rewritten {
			continue
		}
		rewritten++
		once := d.DeepCopy()
		require.Equal(t, reason.AlreadyRight, rewrite(d, g.ip), g.name)
		require.Equal(t, once, d, g.name)
		ip, ok := rook.Address(d)
		require.True(t, ok, g.name)
		require.Equal(t, g.ip, ip, g.name)
	}
	require.Greater(t, rewritten, 20)
}
