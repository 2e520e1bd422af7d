package main

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
)

const reference = "registry.example/rook-clusterset:v1"

// packed packs a small program and returns the archive.
func packed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	binary, license, out := filepath.Join(dir, "program"), filepath.Join(dir, "LICENSE"), filepath.Join(dir, "image.tar")
	require.NoError(t, os.WriteFile(binary, []byte("program"), 0o600))
	require.NoError(t, os.WriteFile(license, []byte("terms"), 0o600))
	require.NoError(t, run(binary, license, "arm64", reference, out))
	return out
}

// entries calls visit with the name and content of each entry of a tar archive.
func entries(t *testing.T, archive io.Reader, visit func(header *tar.Header, content []byte)) {
	t.Helper()
	reader := tar.NewReader(archive)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		content, err := io.ReadAll(reader)
		require.NoError(t, err)
		visit(header, content)
	}
}

// fromLayout reads the image as one who knows the OCI layout does.
func fromLayout(t *testing.T, archive string) (v1.Image, map[string]string) {
	t.Helper()
	dir := t.TempDir()
	file, err := os.Open(archive)
	require.NoError(t, err)
	defer file.Close() //nolint:errcheck // It is only read.
	entries(t, file, func(header *tar.Header, content []byte) {
		target := filepath.Join(dir, header.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(target), 0o755))
		require.NoError(t, os.WriteFile(target, content, 0o600))
	})
	index, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	require.NoError(t, validate.Index(index))
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, manifest.Manifests, 1)
	image, err := index.Image(manifest.Manifests[0].Digest)
	require.NoError(t, err)
	return image, manifest.Manifests[0].Annotations
}

func TestTheImageRunsTheProgramAsNobody(t *testing.T) {
	image, annotations := fromLayout(t, packed(t))
	require.Equal(t, reference, annotations["org.opencontainers.image.ref.name"])
	config, err := image.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, "linux/arm64", config.Platform().String())
	require.Equal(t, "65532:65532", config.Config.User)
	require.Equal(t, []string{"/usr/local/bin/rook-clusterset"}, config.Config.Entrypoint)
	require.Equal(t, "v1", config.Config.Labels["org.opencontainers.image.version"])

	modes := map[string]int64{}
	entries(t, mutate.Extract(image), func(header *tar.Header, _ []byte) {
		require.Zero(t, header.Uid, header.Name)
		modes[header.Name] = header.Mode
	})
	require.Equal(t, map[string]int64{
		"LICENSE": 0o444,
		"etc":     0o755, "etc/group": 0o444, "etc/passwd": 0o444,
		"usr": 0o755, "usr/local": 0o755, "usr/local/bin": 0o755, "usr/local/bin/rook-clusterset": 0o555,
	}, modes)
}

func TestDockerLoadsTheSameImage(t *testing.T) {
	archive := packed(t)
	oci, _ := fromLayout(t, archive)
	want, err := oci.ConfigName()
	require.NoError(t, err)
	docker, err := tarball.ImageFromPath(archive, nil)
	require.NoError(t, err)
	got, err := docker.ConfigName()
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, validate.Image(docker))
}

func TestTheSameProgramGivesTheSameBytes(t *testing.T) {
	first, err := os.ReadFile(packed(t))
	require.NoError(t, err)
	second, err := os.ReadFile(packed(t))
	require.NoError(t, err)
	require.Equal(t, first, second)
}
