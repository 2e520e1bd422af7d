package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// file is a file of an archive.
type file struct {
	name    string
	mode    os.FileMode
	content []byte
}

// archive packs the program and the licence: as .zip for Windows, else as .tar.gz.
func archive(p program, terms []byte, version string, at time.Time, out string) error {
	content, err := os.ReadFile(p.path)
	if err != nil {
		return fmt.Errorf("read the program: %w", err)
	}
	files := []file{{name: "LICENSE", mode: 0o644, content: terms}, {name: p.name(), mode: 0o755, content: content}}
	write, suffix := writeTar, ".tar.gz"
	if p.os == "windows" {
		write, suffix = writeZip, ".zip"
	}
	target, err := os.Create(filepath.Join(out, fmt.Sprintf("%s-%s-%s-%s%s", pluginName, version, p.os, p.arch, suffix)))
	if err != nil {
		return err
	}
	return errors.Join(write(target, files, at), target.Close())
}

func writeTar(target io.Writer, files []file, at time.Time) error {
	// The header of gzip has no name and no time unless they are given.
	compressed := gzip.NewWriter(target)
	writer := tar.NewWriter(compressed)
	for _, f := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Mode: int64(f.mode), Size: int64(len(f.content)), ModTime: at, Format: tar.FormatPAX,
		}
		if err := writer.WriteHeader(header); err != nil {
			return err
		}
		if _, err := writer.Write(f.content); err != nil {
			return err
		}
	}
	return errors.Join(writer.Close(), compressed.Close())
}

func writeZip(target io.Writer, files []file, at time.Time) error {
	writer := zip.NewWriter(target)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
		header.SetMode(f.mode)
		entry, err := writer.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := entry.Write(f.content); err != nil {
			return err
		}
	}
	return writer.Close()
}
