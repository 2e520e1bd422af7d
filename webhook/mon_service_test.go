package webhook

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// A mon whose Service comes back at another address is cut off for life.
func TestTheLostServiceOfAMonAtItsClusterIPIsRestoredThere(t *testing.T) {
	const clusterIP = "10.96.0.1"
	at := netip.MustParseAddr(clusterIP)
	known := netip.MustParsePrefix("242.1.0.0/16")
	for name, prepare := range map[string]func(*world){
		"where it was not exported yet": func(w *world) { w.globalCIDR = known },
		"where the range is not known":  func(*world) {},
		"where the CephCluster is left alone": func(w *world) {
			w.globalCIDR, w.cluster.Multus = known, true
		},
		"where ClusterIPs are the global IPs": func(w *world) {
			w.allowsClusterIP = true
			lives := born(clusterIP, clusterIP)
			lives.ClusterIPs, lives.Export.Pinned = nil, true
			w.mons["a"], w.exports["rook-ceph-mon-a"] = lives, lives.Export
		},
		"where it floats": func(w *world) {
			w.globalCIDR = known
			w.mons["a"] = rook.DaemonFacts{Export: rook.Export{Identity: rook.IdentityCluster}}
			w.endpoints.Data[rook.EndpointsMaxMonIDKey] = "-1"
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.mons["a"] = rook.DaemonFacts{Deployed: true, Address: at}
			w.endpoints = monEndpointsOf("a=" + clusterIP + ":6789")
			w.endpoints.Data[rook.EndpointsMaxMonIDKey] = "0"
			prepare(w)
			response := newStage(t, w, Options{}).handle(t.Context(), MonServicePath, creation(t, monService("a", clusterIP)))
			require.Equal(t, reason.AlreadyRight, reasonOf(response))
			require.Empty(t, response.Patch)
		})
	}
}

func TestWhereClusterIPsAreAllowedAnAddressInTheRangeIsNoClusterIPAllTheSame(t *testing.T) {
	w := newWorld()
	w.allowsClusterIP, w.globalCIDR = true, netip.MustParsePrefix("242.1.0.0/16")
	response := newStage(t, w, Options{}).handle(t.Context(), MonServicePath, creation(t, monService("a", "242.1.255.1")))
	require.Equal(t, reason.ClusterIPDropped, reasonOf(response))
}
