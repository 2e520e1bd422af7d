package rook_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestRookIsKnownByTheServiceAccountOfItsOperator(t *testing.T) {
	for username, want := range map[string]string{
		"system:serviceaccount:rook-ceph:rook-ceph-system":   "rook-ceph",
		"system:serviceaccount:rook-system:rook-ceph-system": "rook-system",
		"system:serviceaccount:rook-ceph:rook-ceph-default":  "",
		"system:serviceaccount::rook-ceph-system":            "",
		"rook-ceph-system": "",
		"kubernetes-admin": "",
		"":                 "",
	} {
		namespace, ok := rook.OperatorNamespace(username)
		require.Equal(t, want != "", ok, username)
		if ok {
			require.Equal(t, want, namespace)
		}
	}
}
