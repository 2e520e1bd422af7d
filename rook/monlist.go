package rook

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// MonList is what Rook's mon endpoints say besides the addresses.
type MonList struct {
	// Mons is how many they list.
	Mons int
	// OutOfQuorum are the mons that Rook last found out of quorum.
	OutOfQuorum []string
	// External says that some of them run outside of Kubernetes.
	External bool
	// Stale says that Rook has not read the list since it had to be corrected: it will reconcile.
	Stale bool
}

// ReadMonList reads the mon endpoints, which may be nil. Whether they are Stale they do not say: that stands in Remembered.
func ReadMonList(endpoints *corev1.ConfigMap) MonList {
	if endpoints == nil {
		return MonList{}
	}
	l := MonList{
		Mons:     len(Listed(endpoints)),
		External: endpoints.Data[EndpointsExternalMons] != "",
	}
	if out := endpoints.Data[EndpointsOutOfQuorum]; out != "" {
		l.OutOfQuorum = strings.Split(out, ",")
	}
	return l
}
