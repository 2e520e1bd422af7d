package rook_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestATypeSaysWhatItsDaemonsCanDo(t *testing.T) {
	require.True(t, rook.Mon.KeepsAddressForLife())
	require.True(t, rook.Mon.StandsInList())
	require.False(t, rook.Mon.ServiceIsOurs())
	require.True(t, rook.OSD.ServiceIsOurs())
	require.False(t, rook.OSD.KeepsAddressForLife())
	require.False(t, rook.OSD.StandsInList())
	for _, other := range []rook.Type{"", "mgr"} {
		require.False(t, other.KeepsAddressForLife() || other.ServiceIsOurs() || other.StandsInList(), "%q is none of ours", other)
	}
}
