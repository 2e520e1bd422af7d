package ceph

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAKeyIsInCephsEncoding(t *testing.T) {
	key := Key("mon.")
	raw, err := base64.StdEncoding.DecodeString(key)
	require.NoError(t, err)
	require.Len(t, raw, 2+4+4+2+16)
	require.Equal(t, []byte{1, 0}, raw[:2])
	require.Equal(t, []byte{16, 0}, raw[10:12])
	require.NotEqual(t, key, Key("client.admin"))
}
