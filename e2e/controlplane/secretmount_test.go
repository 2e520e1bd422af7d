package controlplane

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWriteVolume(t *testing.T) {
	dir := t.TempDir()
	for _, data := range []string{"first", "second", "third"} {
		require.NoError(t, writeVolume(dir, map[string][]byte{"tls.crt": []byte(data), "tls.key": []byte(data)}))
		for _, name := range []string{"tls.crt", "tls.key"} {
			got, err := os.ReadFile(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Equal(t, data, string(got))
			target, err := os.Readlink(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Equal(t, filepath.Join("..data", name), target)
		}
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 4, "two files, the link and the one directory that it names")
	}
}
