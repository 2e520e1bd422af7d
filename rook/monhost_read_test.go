package rook_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestTheSecretTellsWhereEachMonIs(t *testing.T) {
	a, b := netip.MustParseAddr("242.0.0.10"), netip.MustParseAddr("10.96.0.2")
	six := netip.MustParseAddr("fd00::1")
	for name, c := range map[string]struct {
		monHost, members string
		want             map[string]netip.Addr
	}{
		"both protocols":            {"[v2:242.0.0.10:3300,v1:242.0.0.10:6789],[v2:10.96.0.2:3300,v1:10.96.0.2:6789]", "a,b", map[string]netip.Addr{"a": a, "b": b}},
		"msgr v2 alone":             {"[v2:242.0.0.10:3300],[v2:10.96.0.2:3300]", "a,b", map[string]netip.Addr{"a": a, "b": b}},
		"IPv6":                      {"[v2:[fd00::1]:3300,v1:[fd00::1]:6789]", "a", map[string]netip.Addr{"a": six}},
		"with nonces":               {"[v2:242.0.0.10:3300/0,v1:242.0.0.10:6789/0] [v2:10.96.0.2:3300/0]", "a,b", map[string]netip.Addr{"a": a, "b": b}},
		"the IDs do not go with it": {"[v2:242.0.0.10:3300]", "a,b", nil},
		"nothing":                   {"", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			secret := &corev1.Secret{Data: map[string][]byte{"mon_host": []byte(c.monHost), "mon_initial_members": []byte(c.members)}}
			require.Equal(t, c.want, rook.MonHosts(secret))
		})
	}
}
