package rook

import (
	"net/netip"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// MonHosts returns where Secret ConfigSecretName has each mon: Rook writes mon_host and the IDs in one order. It is empty where
// the two do not go together.
func MonHosts(secret *corev1.Secret) map[string]netip.Addr {
	addresses := monHostAddresses(string(secret.Data[MonHostKey]))
	ids := strings.Split(string(secret.Data[monMembersKey]), ",")
	if len(ids) != len(addresses) {
		return nil
	}
	hosts := map[string]netip.Addr{}
	for i, id := range ids {
		hosts[strings.TrimSpace(id)] = addresses[i]
	}
	return hosts
}
