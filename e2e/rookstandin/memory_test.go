package rookstandin

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

func TestMemoryIsWhatTheConfigMapSays(t *testing.T) {
	m, err := readMemory(&corev1.ConfigMap{Data: map[string]string{
		"data": "b=10.96.0.2:3300,d=[fd00::4]:6789", "maxMonId": "1", "outOfQuorum": "d",
		"mapping": `{"node":{"b":{"Name":"n1","Hostname":"n1","Address":"192.168.0.1"},"d":null}}`,
	}})
	require.NoError(t, err)
	require.Equal(t, shapes.Mons{
		"b": {Endpoint: netip.MustParseAddrPort("10.96.0.2:3300")},
		"d": {Endpoint: netip.MustParseAddrPort("[fd00::4]:6789"), OutOfQuorum: true},
	}, m.mons)
	require.Equal(t, 3, m.maxMonID, "a name counts even if its Deployment was never made")
	require.Equal(t, map[string]*nodeInfo{"b": {Name: "n1", Hostname: "n1", Address: "192.168.0.1"}, "d": nil}, m.mapping)

	m, err = readMemory(&corev1.ConfigMap{})
	require.NoError(t, err)
	require.Equal(t, newMemory(), m)
}
