package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// checksumsName is the file that `sha256sum --check` reads.
const checksumsName = "SHA256SUMS"

// writeChecksums tells the checksum of every other file of the release.
func writeChecksums(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list the release: %w", err)
	}
	var lines bytes.Buffer
	for _, entry := range entries {
		if entry.Name() == checksumsName {
			continue
		}
		sum, err := checksum(filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%s  %s\n", sum, entry.Name())
	}
	if err := os.WriteFile(filepath.Join(dir, checksumsName), lines.Bytes(), 0o644); err != nil { //nolint:gosec // It is for everybody.
		return fmt.Errorf("write the checksums: %w", err)
	}
	return nil
}

func checksum(path string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read %s for its checksum: %w", path, err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]), nil
}
