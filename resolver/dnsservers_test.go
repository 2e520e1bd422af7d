package resolver

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWithPort(t *testing.T) {
	for server, want := range map[string]string{
		"10.96.0.10":         "10.96.0.10:53",
		"10.96.0.10:5353":    "10.96.0.10:5353",
		"fd00:96::a":         "[fd00:96::a]:53",
		"[fd00:96::a]":       "[fd00:96::a]:53",
		"[fd00:96::a]:5353":  "[fd00:96::a]:5353",
		"fe80::1%eth0":       "[fe80::1%eth0]:53",
		"kube-dns":           "kube-dns:53",
		"dns.example.com:54": "dns.example.com:54",
	} {
		require.Equal(t, want, withPort(server, "53"))
	}
}
