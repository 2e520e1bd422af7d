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

func TestWhoWritesFromElsewhereIsAStranger(t *testing.T) {
	const rookItself = "system:serviceaccount:rook-operator:rook-ceph-system"
	require.False(t, rook.IsStranger(rookItself, "rook-operator"))
	require.False(t, rook.IsStranger("system:serviceaccount:rook-operator:renamed", "rook-operator"))
	require.False(t, rook.IsStranger("kubernetes-admin", ""), "while it is not known where Rook is, anybody may be Rook")
	for _, stranger := range []string{"kubernetes-admin", "", "system:serviceaccount:rook-operator-evil:rook-ceph-system", "rook-operator"} {
		require.True(t, rook.IsStranger(stranger, "rook-operator"), stranger)
	}
}
