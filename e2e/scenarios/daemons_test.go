package scenarios_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// settled waits until the operator remembers every mon by its global IP.
func (s *story) settled() {
	s.t.Helper()
	s.eventually("the operator's memory is true", func() bool {
		for id, endpoint := range s.Operator.Memory() {
			if ip, ok := s.World.MCS.GlobalIP(s.Namespace, "rook-ceph-mon-"+id); !ok || ip != endpoint.Addr() {
				return false
			}
		}
		return s.Operator.Reachable()
	})
}

// atRest waits until Rook has reconciled for all that triggered it: a token that changed at a reload does so once more.
func (s *story) atRest() {
	s.t.Helper()
	s.eventually("Rook has reconciled for all that triggered it", func() bool {
		last := map[rookstandin.Event]int{}
		for i, e := range s.Operator.Journal().Entries() {
			last[e.Event] = i
		}
		started := last[rookstandin.ReconcileStarted]
		return last[rookstandin.Triggered] < started && started < last[rookstandin.ReconcileSucceeded]
	})
}

func TestAnOSDWhoseExportIsNeverValidIsRefusedWithTheWordsOfTheExport(t *testing.T) {
	s := newStory(t, true)
	s.World.MCS.SetFault(s.Namespace, "rook-ceph-osd-1", mcsstandin.Fault{NeverValid: &mcsstandin.AwaitingExport})
	s.createCephCluster()
	s.startOperator()
	s.eventually("the OSD is refused", func() bool { return s.Operator.Journal().Refusals()["Deployment"] > 0 })
	for _, e := range s.Operator.Journal().Of(rookstandin.Refused) {
		if e.Kind == "Deployment" {
			require.Contains(t, e.Message, `osd "1" is not ready for its clusterset address: ServiceExport `+s.Namespace+
				`/rook-ceph-osd-1 is not Valid (AwaitingExport: awaiting aggregation on the broker); Rook will retry`)
		}
	}
	require.Empty(t, s.Recorder.Of("Deployment", "rook-ceph-osd-1"), "nothing half-written")
	s.eventually("the other OSDs are up", func() bool { return len(s.Ceph.OSDMap()) == 2 })
	said := s.status(s.Namespace)
	require.Equal(t, 1, said.Code)
	require.Contains(t, said.Err, "1 of 6 daemons are not at their global IPs")
	require.Equal(t, "export_not_valid", said.Daemons[4].State)
	require.Equal(t, "False (AwaitingExport)", said.Daemons[4].Valid)
	said = s.status("nowhere")
	require.Equal(t, 1, said.Code)
	require.Empty(t, said.Daemons)

	s.World.MCS.SetFault(s.Namespace, "rook-ceph-osd-1", mcsstandin.Fault{})
	s.comesUp()
	s.everyOSDIsGlobal("0", "1", "2")
}

func TestASecondReconcileOfAnUnchangedClusterChangesNoPod(t *testing.T) {
	s := newCluster(t)
	before := s.deployment("rook-ceph-osd-0")
	s.reconcileAgain()
	after := s.deployment("rook-ceph-osd-0")
	require.Equal(t, before.Spec.Template, after.Spec.Template)
	require.Greater(t, after.Generation, before.Generation, "Rook's wait for the update ends by the generation")
	sets := &appsv1.ReplicaSetList{}
	require.NoError(t, s.World.Plane.Client.List(t.Context(), sets, client.InNamespace(s.Namespace), client.MatchingLabels{"ceph-osd-id": "0"}))
	require.Len(t, sets.Items, 1, "the hash of the pod template is the same")
}

func TestAServerDryRunLeavesNothing(t *testing.T) {
	s := newStory(t, true)
	s.bringsUp()
	osd := s.deployment("rook-ceph-osd-0")
	osd.Name, osd.ResourceVersion, osd.UID = "rook-ceph-osd-9", "", ""
	for _, labels := range []map[string]string{osd.Labels, osd.Spec.Template.Labels, osd.Spec.Selector.MatchLabels} {
		for _, key := range []string{"ceph_daemon_id", "ceph-osd-id", "osd"} {
			if _, ok := labels[key]; ok {
				labels[key] = "9"
			}
		}
	}
	err := s.World.Plane.Client.Create(t.Context(), osd, client.DryRunAll)
	require.ErrorContains(t, err, `osd "9"`)
	require.False(t, s.isExported("rook-ceph-osd-9"))
	require.False(t, s.has(s.Namespace, "rook-ceph-osd-9", &corev1.Service{}))
}

func TestTheServiceOfABornMonIsRecreatedAndTheMonKeepsItsAddress(t *testing.T) {
	s := newCluster(t)
	pinned := s.globalIP("rook-ceph-mon-b")
	service := get(s, s.Namespace, "rook-ceph-mon-b", &corev1.Service{})
	require.NoError(t, s.World.Plane.Client.Delete(t.Context(), service))
	s.eventually("Rook has made the Service anew, at a ClusterIP that the API server accepts", func() bool {
		again := &corev1.Service{}
		return s.has(s.Namespace, service.Name, again) && again.UID != service.UID
	})
	s.eventually("the drift is told", func() bool { return s.noted("rook-ceph-mon-b", "drift") != "" })
	require.Equal(t, pinned.String(), s.noted("rook-ceph-mon-b", "global-ip"))
	advertised, _ := s.Ceph.Advertised("b")
	require.Equal(t, pinned, advertised)
	require.Equal(t, pinned, s.Operator.Memory()["b"].Addr())
}

func TestAReallocatedAddressIsFollowedByAnOSDAndToldOfAMon(t *testing.T) {
	s := newCluster(t)
	osd, mon := s.globalIP("rook-ceph-osd-0"), s.globalIP("rook-ceph-mon-c")
	s.World.MCS.Reallocate(s.Namespace, "rook-ceph-osd-0")
	s.World.MCS.Reallocate(s.Namespace, "rook-ceph-mon-c")
	s.eventually("both are told", func() bool {
		told := s.events()
		return told["AddressFollowed"] == 1 && told["AddressDrifted"] == 1
	})
	s.reconcileAgain()
	require.NotEqual(t, osd, s.globalIP("rook-ceph-osd-0"))
	s.everyOSDIsGlobal("0", "1", "2")
	advertised, _ := s.Ceph.Advertised("c")
	require.Equal(t, mon, advertised, "a mon keeps its address for life")
	require.Equal(t, mon, s.Operator.Memory()["c"].Addr())
	require.Empty(t, s.Recorder.Held(s.globalIP("rook-ceph-mon-c"), 0), "nothing tells the mon where it is not")
	said := s.status(s.Namespace)
	require.Equal(t, 1, said.Code)
	require.Equal(t, "address_drifted", said.Daemons[2].State)
}

func TestAnAddressThatCannotBeTrustedIsNeverTaken(t *testing.T) {
	s := newStory(t, true)
	sometimesTrue := map[string]bool{"rook-ceph-osd-1": true}
	for name, fault := range map[string]mcsstandin.Fault{
		"rook-ceph-osd-0": {StaleImport: true},
		"rook-ceph-osd-1": {TwoAddresses: true},
		"rook-ceph-osd-2": {IPv6: true},
		"rook-ceph-osd-3": {PeerAddress: true},
		"rook-ceph-osd-4": {Address: netip.MustParseAddr("127.0.0.1")},
	} {
		s.World.MCS.SetFault(s.Namespace, name, fault)
	}
	s.createCephCluster()
	s.startOperator(osds(6))
	// Globalnet's internal Service bears out the GlobalIngressIP against a ServiceImport that is behind.
	s.eventually("rook-ceph-osd-0 is born", func() bool { return len(s.Recorder.Of("Deployment", "rook-ceph-osd-0")) > 0 })
	require.Contains(t, s.deployment("rook-ceph-osd-0").Spec.Template.Spec.Containers[0].Args, "--public-addr="+s.globalIP("rook-ceph-osd-0").String())
	for name, code := range map[string]string{
		"rook-ceph-osd-1": "several_addresses",
		"rook-ceph-osd-2": "outside_global_cidr",
		"rook-ceph-osd-3": "inside_peer_cidr",
		"rook-ceph-osd-4": "unroutable_address",
	} {
		s.eventually(name+" is refused its address", func() bool { return strings.HasPrefix(s.noted(name, "refused"), code) })
		taken := s.noted(name, "global-ip")
		born := s.Recorder.Of("Deployment", name)
		if sometimesTrue[name] {
			// The GlobalIngressIP may be seen before the ServiceImport that contradicts it; what it tells is true.
			require.Contains(t, []string{"", s.globalIP(name).String()}, taken)
			if len(born) > 0 {
				require.Contains(t, s.deployment(name).Spec.Template.Spec.Containers[0].Args, "--public-addr="+s.globalIP(name).String())
			}
		} else {
			require.Empty(t, taken, name)
			require.Empty(t, born)
		}
		s.World.MCS.SetFault(s.Namespace, name, mcsstandin.Fault{})
	}
	s.comesUp()
	s.everyOSDIsGlobal("0", "1", "2", "3", "4", "5")
}
