package controlplane

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The three ports of one replica are chosen before it listens at any.
func TestNoPortIsGivenTwice(t *testing.T) {
	seen := map[int]bool{}
	for range 2000 {
		port, err := freePort(t.Context())
		require.NoError(t, err)
		require.False(t, seen[port], "port %d", port)
		seen[port] = true
	}
}
