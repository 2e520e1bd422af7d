package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	programPath = "usr/local/bin/rook-clusterset"
	// user is a number, for the kubelet cannot tell of a name whether it is root.
	user = "65532:65532"
)

// epoch stands for every time, so that an image depends on its content alone.
var epoch = time.Unix(0, 0).UTC()

// file is a file of the image.
type file struct {
	path    string
	mode    int64
	content []byte
}

func contents(binary, license string) ([]file, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("read the program: %w", err)
	}
	terms, err := os.ReadFile(license)
	if err != nil {
		return nil, fmt.Errorf("read the licence: %w", err)
	}
	return []file{
		{path: "LICENSE", mode: 0o444, content: terms},
		{path: "etc/group", mode: 0o444, content: []byte("root:x:0:\nnonroot:x:65532:\n")},
		{path: "etc/passwd", mode: 0o444, content: []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{path: programPath, mode: 0o555, content: program},
	}, nil
}

func build(files []file, arch, reference string) (v1.Image, error) {
	layer, err := pack(files)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.ConfigFile(image, &v1.ConfigFile{
		OS:           "linux",
		Architecture: arch,
		Created:      v1.Time{Time: epoch},
		RootFS:       v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User:       user,
			Entrypoint: []string{"/" + programPath},
			Env:        []string{"PATH=/" + path.Dir(programPath)},
			WorkingDir: "/",
			Labels: map[string]string{
				"org.opencontainers.image.title":    "rook-clusterset",
				"org.opencontainers.image.licenses": "Apache-2.0",
				"org.opencontainers.image.source":   "https://github.com/rook-clusterset/rook-clusterset",
				"org.opencontainers.image.version":  reference[strings.LastIndexByte(reference, ':')+1:],
			},
		},
	})
	if err != nil {
		return nil, err
	}
	return mutate.Append(image, mutate.Addendum{
		Layer:     layer,
		MediaType: types.OCILayer,
		History:   v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "make image"},
	})
}

// pack returns a layer of the files and of the directories that they are in.
func pack(files []file) (v1.Layer, error) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	made := map[string]bool{}
	for _, f := range files {
		for i, r := range f.path {
			dir := f.path[:i]
			if r != '/' || made[dir] {
				continue
			}
			made[dir] = true
			header := &tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: epoch, Format: tar.FormatPAX}
			if err := writer.WriteHeader(header); err != nil {
				return nil, err
			}
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.path, Mode: f.mode, Size: int64(len(f.content)), ModTime: epoch, Format: tar.FormatPAX}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}
