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
