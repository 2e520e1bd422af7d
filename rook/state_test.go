package rook_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestTheStateOfADaemonIsTheFirstThingThatIsWrong(t *testing.T) {
	ip, other := netip.MustParseAddr("242.0.0.10"), netip.MustParseAddr("10.96.0.7")
	for name, c := range map[string]struct {
		change func(m *rook.DaemonFacts)
		want   rook.State
		text   string
	}{
		"all agree": {
			change: func(*rook.DaemonFacts) {},
			want:   rook.State{Code: reason.OK}, text: "advertises its global IP wherever it should",
		},
		"it is pinned, and its export is not Valid just now": {
			change: func(m *rook.DaemonFacts) { m.Export.Pinned, m.Export.Valid = true, metav1.ConditionFalse },
			want:   rook.State{Code: reason.OK}, text: "advertises its global IP wherever it should",
		},
		"it is older than rook-clusterset, whatever else is wrong": {
			change: func(m *rook.DaemonFacts) { *m = rook.DaemonFacts{Export: rook.Export{Identity: rook.IdentityCluster}} },
			want:   rook.State{Code: reason.IdentityCluster}, text: "was born with its ClusterIP and keeps it until Rook replaces it",
		},
		"there is no export, before what its Deployment says": {
			change: func(m *rook.DaemonFacts) { m.Export, m.Address = rook.Export{}, other },
			want:   rook.State{Code: reason.ExportMissing, Detail: "ServiceExport rook-ceph/rook-ceph-mon-a"},
			text:   "has no ServiceExport yet (ServiceExport rook-ceph/rook-ceph-mon-a)",
		},
		"the export is not ours": {
			change: func(m *rook.DaemonFacts) { m.Export.Ours = false },
			want:   rook.State{Code: reason.ExportForeign, Detail: "ServiceExport rook-ceph/rook-ceph-mon-a"},
			text:   "has a ServiceExport that rook-clusterset did not create and so leaves alone (ServiceExport rook-ceph/rook-ceph-mon-a)",
		},
		"the export is not Valid": {
			change: func(m *rook.DaemonFacts) { m.Export = waitingExport() },
			want: rook.State{
				Code:   reason.ExportNotValid,
				Detail: "ServiceExport rook-ceph/rook-ceph-mon-a: AwaitingExport: awaiting aggregation on the broker",
			},
			text: "has a ServiceExport that is not Valid (ServiceExport rook-ceph/rook-ceph-mon-a: AwaitingExport: awaiting aggregation on the broker)",
		},
		"every answer was refused": {
			change: func(m *rook.DaemonFacts) {
				m.Export.GlobalIP, m.Export.Refused, m.Export.RefusedDetail = netip.Addr{}, reason.OutsideGlobalCIDR, "1.2.3.4"
			},
			want: rook.State{Code: reason.OutsideGlobalCIDR, Detail: "1.2.3.4"},
			text: "was given an address outside this cluster's global CIDR (1.2.3.4)",
		},
		"there is no answer": {
			change: func(m *rook.DaemonFacts) { m.Export.GlobalIP = netip.Addr{} },
			want:   rook.State{Code: reason.AddressUnknown, Detail: "ServiceExport rook-ceph/rook-ceph-mon-a is Valid"},
			text:   "has no global IP yet (ServiceExport rook-ceph/rook-ceph-mon-a is Valid)",
		},
		"the export has a new address, before what its Deployment says": {
			change: func(m *rook.DaemonFacts) { m.Export.Drift, m.Deployed = other, false },
			want:   rook.State{Code: reason.AddressDrifted, Detail: "10.96.0.7"},
			text:   "was born with another global IP than its export has now, and keeps it until Rook replaces it (10.96.0.7)",
		},
		"there is no Deployment, before what Rook keeps": {
			change: func(m *rook.DaemonFacts) { m.Deployed, m.Address, m.Listed = false, netip.Addr{}, other },
			want:   rook.State{Code: reason.NoDeployment}, text: "has no Deployment",
		},
		"the Deployment advertises another address, before what Rook keeps": {
			change: func(m *rook.DaemonFacts) { m.Address, m.Listed = other, other },
			want:   rook.State{Code: reason.NotAdvertised, Detail: "it advertises 10.96.0.7"},
			text:   "does not advertise its global IP (it advertises 10.96.0.7)",
		},
		"the Deployment advertises no address": {
			change: func(m *rook.DaemonFacts) { m.Address = netip.Addr{} },
			want:   rook.State{Code: reason.NotAdvertised, Detail: "it advertises none"},
			text:   "does not advertise its global IP (it advertises none)",
		},
		"Rook keeps another address": {
			change: func(m *rook.DaemonFacts) { m.Listed = other },
			want:   rook.State{Code: reason.EndpointWrong, Detail: "Rook keeps 10.96.0.7"},
			text:   "is kept by Rook at another address than it has (Rook keeps 10.96.0.7)",
		},
		"Rook keeps no address": {
			change: func(m *rook.DaemonFacts) { m.Listed = netip.Addr{} },
			want:   rook.State{Code: reason.EndpointWrong, Detail: "Rook keeps none"},
			text:   "is kept by Rook at another address than it has (Rook keeps none)",
		},
		"its daemon is gone, and it waits for its grace": {
			change: func(m *rook.DaemonFacts) {
				m.Deployed, m.Address, m.Listed, m.Export.OrphanedSince = false, netip.Addr{}, netip.Addr{}, noon
			},
			want: rook.State{Code: reason.Leaving, Detail: "missed since 2026-03-01T12:00:00Z"},
			text: "has no daemon any more, and is removed after the grace period (missed since 2026-03-01T12:00:00Z)",
		},
		"it is no longer missed": {
			change: func(m *rook.DaemonFacts) { m.Export.OrphanedSince = noon },
			want:   rook.State{Code: reason.OK}, text: "advertises its global IP wherever it should",
		},
		"it advertises what is neither its ClusterIP nor global, though its export says the same": {
			change: func(m *rook.DaemonFacts) {
				m.Address, m.Export.GlobalIP, m.Listed, m.Foreign = nodeIP, nodeIP, nodeIP, true
			},
			want: rook.State{Code: reason.AddressForeign, Detail: "192.168.0.1"},
			text: "advertises an address that is neither its ClusterIP nor a global IP of this cluster (192.168.0.1)",
		},
		"it is an OSD, which Rook does not list": {
			change: func(m *rook.DaemonFacts) { m.Daemon, m.Listed = rook.Daemon{Type: rook.OSD, ID: "0"}, netip.Addr{} },
			want:   rook.State{Code: reason.OK}, text: "advertises its global IP wherever it should",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := rook.DaemonFacts{Daemon: monA, Export: readyExport(ip.String()), Deployed: true, Address: ip, Listed: ip}
			c.change(&m)
			require.Equal(t, c.want, m.State())
			require.Equal(t, c.text, m.State().String())
			require.True(t, m.State().Code.Known())
		})
	}
}

var nodeIP = netip.MustParseAddr("192.168.0.1")

func TestAnAddressIsForeignThatIsNeitherAClusterIPNorGlobal(t *testing.T) {
	isGlobal := func(a netip.Addr) bool { return netip.MustParsePrefix("242.0.0.0/16").Contains(a) }
	at := func(m rook.DaemonFacts, address netip.Addr) rook.DaemonFacts { m.Address = address; return m }
	old := oldMon("10.96.0.1")
	lost := old
	lost.ClusterIPs = nil
	for name, c := range map[string]struct {
		daemon rook.DaemonFacts
		want   bool
	}{
		"one at its global IP":                        {bornMon("242.0.0.1", "10.96.0.1"), false},
		"one that is older than we, at its ClusterIP": {old, false},
		"one whose Service was lost":                  {lost, false},
		"one at the address of a node":                {at(old, nodeIP), true},
		"one that was moved by hand":                  {at(bornMon("242.0.0.1", "10.96.0.1"), nodeIP), true},
		"one that advertises nothing":                 {at(old, netip.Addr{}), false},
		"one that is not deployed":                    {rook.DaemonFacts{Address: nodeIP}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.daemon.AddForeign(isGlobal)
			require.Equal(t, c.want, c.daemon.Foreign)
		})
	}
}

func TestOnlyWhatIsWellNeedsNobody(t *testing.T) {
	for _, code := range reason.All() {
		require.Equal(t, code == reason.OK || code == reason.Leaving, rook.State{Code: code}.Well(), code)
	}
}

func TestTheStateOfAClusterIsServedOrWhyItIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		cluster rook.Cluster
		served  bool
		want    reason.Code
	}{
		"served":               {rook.Cluster{}, true, reason.Served},
		"host network":         {rook.Cluster{HostNetwork: true}, true, reason.ClusterHostNetwork},
		"native multi-cluster": {rook.Cluster{NativeMultiCluster: true}, true, reason.NativeMultiCluster},
		"external":             {rook.Cluster{External: true}, true, reason.ExternalCluster},
		"an old Rook":          {rook.Cluster{RookVersion: "v1.10.13"}, true, reason.RookTooOld},
		"an old Ceph":          {rook.Cluster{CephVersion: "17.2.5-0"}, true, reason.CephTooOld},
		"nothing to export by": {rook.Cluster{}, false, reason.NoServiceExportKind},
		"nothing to export by, where nothing would be exported": {rook.Cluster{External: true}, false, reason.ExternalCluster},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, c.cluster.State(c.served))
			require.True(t, c.want.Known())
		})
	}
}
