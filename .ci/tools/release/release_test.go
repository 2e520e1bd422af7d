package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/spdx/tools-golang/spdxlib"
	"github.com/stretchr/testify/require"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// self is this command, of which releases are made as of any other program.
var self []byte

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "release")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir) //nolint:errcheck // What stays is a temporary directory.
		built := filepath.Join(dir, "self")
		if text, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", built, ".").CombinedOutput(); err != nil {
			panic(string(text))
		}
		if self, err = os.ReadFile(built); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

func released(t *testing.T) string {
	t.Helper()
	dir, out := t.TempDir(), t.TempDir()
	for platform, name := range map[string]string{"linux-amd64": pluginName, "darwin-arm64": pluginName, "windows-amd64": pluginName + ".exe"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, platform), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, platform, name), self, 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(out, "install-v1.yaml"), []byte("objects"), 0o600))
	terms := filepath.Join(t.TempDir(), "LICENSE")
	require.NoError(t, os.WriteFile(terms, []byte("terms"), 0o600))
	require.NoError(t, run(dir, terms, "v1", at, out))
	return out
}

func TestWhatIsReleasedIsThePluginForEachPlatformWithBillAndChecksums(t *testing.T) {
	out := released(t)
	require.Equal(t, []string{
		"SHA256SUMS", "install-v1.yaml", "kubectl-rook_clusterset-v1-darwin-arm64.tar.gz", "kubectl-rook_clusterset-v1-linux-amd64.tar.gz",
		"kubectl-rook_clusterset-v1-windows-amd64.zip", "rook-clusterset-v1.spdx.json",
	}, names(t, out))
	check := exec.CommandContext(t.Context(), "sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = out
	text, err := check.CombinedOutput()
	require.NoError(t, err, string(text))
	require.Regexp(t, `(?m)^install-v1.yaml: OK$`, string(text))
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var found []string
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

func TestTheSameProgramsGiveTheSameBytes(t *testing.T) {
	first, second := released(t), released(t)
	for _, name := range names(t, first) {
		one, err := os.ReadFile(filepath.Join(first, name))
		require.NoError(t, err)
		other, err := os.ReadFile(filepath.Join(second, name))
		require.NoError(t, err)
		require.Equal(t, one, other, name)
	}
}

func TestWhoUnpacksGetsAProgramThatCanRun(t *testing.T) {
	out := released(t)
	require.Equal(t, map[string]fs.FileMode{"LICENSE": 0o644, pluginName: 0o755}, untarred(t, filepath.Join(out, "kubectl-rook_clusterset-v1-linux-amd64.tar.gz")))
	zipped, err := zip.OpenReader(filepath.Join(out, "kubectl-rook_clusterset-v1-windows-amd64.zip"))
	require.NoError(t, err)
	defer zipped.Close() //nolint:errcheck // It is only read.
	modes := map[string]fs.FileMode{}
	for _, entry := range zipped.File {
		modes[entry.Name] = entry.Mode()
	}
	require.Equal(t, map[string]fs.FileMode{"LICENSE": 0o644, pluginName + ".exe": 0o755}, modes)
}

func untarred(t *testing.T, path string) map[string]fs.FileMode {
	t.Helper()
	packed, err := os.Open(path)
	require.NoError(t, err)
	defer packed.Close() //nolint:errcheck // It is only read.
	unzipped, err := gzip.NewReader(packed)
	require.NoError(t, err)
	reader, modes := tar.NewReader(unzipped), map[string]fs.FileMode{}
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return modes
		}
		require.NoError(t, err)
		require.Equal(t, at, header.ModTime.UTC())
		modes[header.Name] = header.FileInfo().Mode()
	}
}

func TestTheBillNamesEachModuleOfEachProgram(t *testing.T) {
	text, err := os.Open(filepath.Join(released(t), "rook-clusterset-v1.spdx.json"))
	require.NoError(t, err)
	defer text.Close() //nolint:errcheck // It is only read.
	doc, err := json.Read(text)
	require.NoError(t, err)
	require.NoError(t, spdxlib.ValidateDocument(doc))
	require.Equal(t, "2026-01-02T03:04:05Z", doc.CreationInfo.Created)

	byID := map[common.ElementID]*v2_3.Package{}
	for _, p := range doc.Packages {
		require.NotContains(t, byID, p.PackageSPDXIdentifier)
		byID[p.PackageSPDXIdentifier] = p
	}
	described, tools := 0, 0
	for _, r := range doc.Relationships {
		to := byID[r.RefB.ElementRefID]
		switch r.Relationship {
		case common.TypeRelationshipDescribe:
			described++
			require.Equal(t, "rook-clusterset", to.PackageName)
			require.Len(t, to.PackageChecksums[0].Value, 64)
		case common.TypeRelationshipDependsOn:
			if to.PackageName == "github.com/spdx/tools-golang" {
				tools++
				require.Regexp(t, `^pkg:golang/github.com/spdx/tools-golang@v0\.`, to.PackageExternalReferences[0].Locator)
			}
		}
	}
	require.Equal(t, 3, described)
	require.Equal(t, 3, tools, "each program is made with it")
}

func TestARefusalSaysWhatIsMissing(t *testing.T) {
	require.ErrorContains(t, run(t.TempDir(), "LICENSE", "v1", at, t.TempDir()), "no program is in")
}
