package webhook

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// aMonThatMoved has a mon a that lives and a mon b to be born that Rook has listed at 242.1.255.8, and which was given
// 242.1.255.2 since.
func aMonThatMoved() *world {
	w := newWorld()
	w.mons = map[string]rook.DaemonFacts{
		"a": {Export: ready("242.1.255.1"), Deployed: true, Address: netip.MustParseAddr("242.1.255.1")},
		"b": unbornAt("242.1.255.2", "10.96.0.2"),
	}
	w.exports["rook-ceph-mon-b"] = ready("242.1.255.2")
	w.endpoints = monEndpointsOf("a=242.1.255.1:6789,b=242.1.255.8:6789")
	return w
}

func unbornAt(globalIP, clusterIP string) rook.DaemonFacts {
	return rook.DaemonFacts{Export: ready(globalIP), ClusterIPs: []netip.Addr{netip.MustParseAddr(clusterIP)}, Port: 6789}
}

func TestAMonIsNotBornBesideAMonHostThatTellsTheAddressOfBefore(t *testing.T) {
	w := aMonThatMoved()
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	birth := creation(t, mon("b", "10.96.0.2"))

	list := creation(t, monEndpointsOf("a=242.1.255.1:6789,b=10.96.0.2:6789"))
	w.liveEndpoints = patchedObject[corev1.ConfigMap](t, list, s.handle(t.Context(), MonEndpointsPath, list))
	require.Equal(t, "a=242.1.255.1:6789,b=242.1.255.2:6789", w.liveEndpoints.Data[rook.EndpointsDataKey])
	response := s.handle(t.Context(), DeploymentPath, birth)
	require.False(t, response.Allowed)
	require.Equal(t, reason.MonHostBehind, reasonOf(response))

	secret := creation(t, cephConfig("[v2:242.1.255.1:3300],[v2:10.96.0.2:3300]"))
	s.handle(t.Context(), CephConfigPath, dryRun(secret))
	require.False(t, s.handle(t.Context(), DeploymentPath, birth).Allowed, "a dry run stores nothing")
	secret.DryRun = nil
	require.Equal(t, reason.MonHostCorrected, reasonOf(s.handle(t.Context(), CephConfigPath, secret)))
	require.Equal(t, reason.Rewritten, reasonOf(s.handle(t.Context(), DeploymentPath, birth)))
}

func TestAListThatTellsANewMonIsRefusedWhereThatCannotBeNoted(t *testing.T) {
	w := aMonThatMoved()
	w.unwritable = errors.New("etcd is busy")
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	response := s.handle(t.Context(), MonEndpointsPath, creation(t, monEndpointsOf("a=242.1.255.1:6789,b=10.96.0.2:6789")))
	require.False(t, response.Allowed)
	require.Contains(t, response.Result.Message, "could not be noted (etcd is busy); Rook will retry")

	w.endpoints = monEndpointsOf("a=242.1.255.1:6789,b=242.1.255.2:6789")
	require.True(t, s.handle(t.Context(), MonEndpointsPath, creation(t, monEndpointsOf("a=242.1.255.1:6789,b=10.96.0.2:6789"))).Allowed, "no mon is new in that")
}

func TestWhatARequestSaysOfTheStoredListDelaysNoBirth(t *testing.T) {
	w := aMonThatMoved()
	w.endpoints = monEndpointsOf("a=242.1.255.1:6789,b=242.1.255.2:6789")
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	made := update(t, monEndpointsOf("a=242.1.255.1:6789,b=242.1.255.2:6789"), monEndpointsOf("a=242.1.255.1:6789"))
	require.True(t, s.handle(t.Context(), MonEndpointsPath, made).Allowed)
	require.Equal(t, reason.Rewritten, reasonOf(s.handle(t.Context(), DeploymentPath, creation(t, mon("b", "10.96.0.2")))))
}

func TestWhatRookRemembersIsNotedThoughACacheIsBehindTheServiceThatItIsOf(t *testing.T) {
	w := aMonThatMoved()
	w.mons["b"] = unbornAt("242.1.255.2", "10.96.0.12")
	w.latest = map[string]rook.DaemonFacts{"b": unbornAt("242.1.255.2", "10.96.0.2")}
	s := newStage(t, w, Options{Hold: shortHold, MaxHeld: 1})
	list := creation(t, monEndpointsOf("a=242.1.255.1:6789,b=10.96.0.2:6789,c=198.51.100.66:6789"))
	w.mons["c"] = unbornAt("242.1.255.3", "10.96.0.3")
	require.True(t, s.handle(t.Context(), MonEndpointsPath, list).Allowed)
	require.Equal(t, "b=10.96.0.2:6789", rook.FormatEndpoints(w.remembered.Mons), "and nothing that somebody made up")
}
