package scenarios_test

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// lookup asks the DNS of the clusterset, as Rook does in its own mode.
func lookup(ctx context.Context, name string) (netip.Addr, error) {
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, shared.MCS.DNSAddr())
	}}
	found, err := resolver.LookupNetIP(ctx, "ip4", name+".")
	if err != nil {
		return netip.Addr{}, err
	}
	return found[0], nil
}

// setNative switches Rook's own multi-cluster mode, and waits until Rook has reconciled with it.
func (s *story) setNative(on bool) {
	s.t.Helper()
	reconciled := s.Operator.Reconciled()
	s.changeCephCluster(map[string]any{"network": map[string]any{"multiClusterService": map[string]any{"enabled": on}}})
	s.eventually("Rook has reconciled", func() bool { return s.Operator.Reconciled() > reconciled })
	s.reconcileAgain()
}

// addresses returns where each daemon is.
func (s *story) addresses() map[string]netip.Addr {
	s.t.Helper()
	all := maps.Clone(s.Ceph.OSDMap())
	for id, endpoint := range s.Operator.Memory() {
		all[id] = endpoint.Addr()
		advertised, _ := s.Ceph.Advertised(id)
		require.Equal(s.t, advertised, endpoint.Addr(), "mon %s", id)
	}
	return all
}

// exportsAre waits until there is one export for each daemon, all of them ours, or all of them Rook's.
func (s *story) exportsAre(ours bool) {
	s.t.Helper()
	s.eventually("the exports and the Services of OSDs are taken over", func() bool {
		exports, services := s.exports(), s.list("v1", "Service", client.MatchingLabels{"app": "rook-ceph-osd"})
		require.Len(s.t, exports, 6)
		require.Len(s.t, services, 3)
		return !slices.ContainsFunc(append(exports, services...), func(o unstructured.Unstructured) bool {
			isOurs := o.GetLabels()["app.kubernetes.io/managed-by"] == "rook-clusterset" && len(o.GetOwnerReferences()) == 0
			return isOurs != ours
		})
	})
}

// In its own multi-cluster mode Rook exports the Services itself and asks DNS for their addresses.
func TestAClusterOfRooksOwnModeIsTakenOverAndGivenBackAtItsAddresses(t *testing.T) {
	s := newStory(t, true)
	s.createCephCluster(func(spec map[string]any) {
		spec["network"] = map[string]any{"multiClusterService": map[string]any{"enabled": true, "clusterID": "east"}}
	})
	s.startOperator(func(o *rookstandin.Options) { o.Lookup = lookup })
	s.comesUp()
	s.reconcileAgain()
	s.exportsAre(false)
	before := s.addresses()
	require.Len(t, before, 6)
	s.everyDaemonIsGlobal()
	s.eventually("it is told why", func() bool { return maps.Equal(s.events(), map[string]int{"NativeMultiClusterService": 1}) })
	for _, export := range s.exports() {
		require.Empty(t, export.GetAnnotations(), "no address of ours stands on what Rook exported")
	}

	s.setNative(false)
	s.exportsAre(true)
	s.settled()
	s.reconcileAgain()
	require.Equal(t, before, s.addresses(), "nothing has moved")
	s.eventually("all is well", func() bool { return s.status(s.Namespace).Code == 0 })
	s.everyDaemonIsGlobal()

	s.setNative(true)
	require.Equal(t, before, s.addresses(), "nothing has moved back")
	for _, id := range []string{"a", "b", "c"} {
		require.Equal(t, before[id], s.globalIP("rook-ceph-mon-"+id), "no address was freed")
	}
	for _, id := range []string{"0", "1", "2"} {
		require.Equal(t, before[id], s.globalIP("rook-ceph-osd-"+id), "no address was freed")
	}
	require.Empty(t, s.Operator.Journal().Refusals())
	require.Equal(t, 1, s.events()["NativeMultiClusterService"])
}
