package mcsstandin

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPoolIsUsedFromTheTopAndGivesAgainWhatWasFreed(t *testing.T) {
	p := newPool(netip.MustParsePrefix("242.0.0.0/16"), false)
	draw := func() string {
		a, err := p.Draw()
		require.NoError(t, err)
		return a.String()
	}
	require.Equal(t, "242.0.255.254", draw())
	a, b := draw(), draw()
	require.Equal(t, []string{"242.0.255.253", "242.0.255.252"}, []string{a, b})
	p.Free(netip.MustParseAddr(b))
	p.Free(netip.MustParseAddr(a))
	require.Equal(t, a, draw(), "the highest that is free, to whoever asks first")
	require.Equal(t, b, draw())
	require.EqualError(t, p.Reserve(netip.MustParseAddr(a)), "requested IP 242.0.255.253 already allocated")
	require.NoError(t, p.Reserve(netip.MustParseAddr("242.0.255.251")))
	require.Equal(t, "242.0.255.250", draw())
}

func TestABlockComesFromTheBottomAndHasNoGap(t *testing.T) {
	p := newPool(netip.MustParsePrefix("242.0.0.0/28"), false)
	require.NoError(t, p.Reserve(netip.MustParseAddr("242.0.0.2")))
	block, err := p.DrawBlock(8)
	require.NoError(t, err)
	require.Equal(t, []string{"242.0.0.3", "242.0.0.10"}, []string{block[0].String(), block[7].String()})
	_, err = p.DrawBlock(8)
	require.ErrorIs(t, err, errExhausted)
}
