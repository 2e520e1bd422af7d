package doctor

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/addresses"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// everyState has what is said of a daemon in each state that there is.
func everyState(t *testing.T) []example {
	t.Helper()
	global, old := netip.MustParseAddr("242.0.0.10"), netip.MustParseAddr("10.96.0.10")
	edits := map[reason.Code]func(*rook.DaemonFacts){
		reason.OK:              func(*rook.DaemonFacts) {},
		reason.ExportMissing:   func(d *rook.DaemonFacts) { d.Export = rook.Export{} },
		reason.ExportForeign:   func(d *rook.DaemonFacts) { d.Export.Ours = false },
		reason.ExportNotValid:  func(d *rook.DaemonFacts) { d.Export.Valid = metav1.ConditionFalse },
		reason.AddressUnknown:  func(d *rook.DaemonFacts) { d.Export.GlobalIP = netip.Addr{} },
		reason.NoDeployment:    func(d *rook.DaemonFacts) { d.Deployed = false },
		reason.IdentityCluster: func(d *rook.DaemonFacts) { d.Export.Identity = rook.IdentityCluster },
		reason.AddressForeign:  func(d *rook.DaemonFacts) { d.Foreign = true },
		reason.NotAdvertised:   func(d *rook.DaemonFacts) { d.Address = old },
		reason.EndpointWrong:   func(d *rook.DaemonFacts) { d.Listed = old },
		reason.AddressDrifted:  func(d *rook.DaemonFacts) { d.Export.Drift = netip.MustParseAddr("242.0.0.11") },
		reason.Leaving: func(d *rook.DaemonFacts) {
			d.Deployed, d.Address, d.Listed, d.Export.OrphanedSince = false, netip.Addr{}, netip.Addr{}, now
		},
	}
	var all []example
	for _, state := range rook.States() {
		d := rook.DaemonFacts{
			Daemon: rook.Daemon{Type: rook.Mon, ID: "a", Namespace: "rook-ceph"}, Deployed: true, Address: global, Listed: global,
			Export: rook.Export{Exists: true, Ours: true, Identity: rook.IdentityClusterset, GlobalIP: global, Valid: metav1.ConditionTrue},
		}
		if edit := edits[state]; edit != nil {
			edit(&d)
		} else {
			d.Export.GlobalIP, d.Export.Refused, d.Export.RefusedDetail = netip.Addr{}, state, "as the source says it"
		}
		require.Equal(t, state, d.State().Code, "no state is missing from the golden files")
		all = append(all, example{"daemons", "a mon in state " + string(state), ofDaemons([]rook.DaemonFacts{d})})
	}
	return all
}

func conditionExamples() []example {
	says := func(status metav1.ConditionStatus, why reason.Code) addresses.Status {
		return addresses.Status{Conditions: []metav1.Condition{{Type: addresses.Ready, Status: status, Reason: why.Event(), LastTransitionTime: metav1.Time{Time: now.Add(-time.Hour)}}}}
	}
	yes, no := says(metav1.ConditionTrue, reason.OK), says(metav1.ConditionFalse, reason.AddressUnknown)
	const name = "rook-ceph/my-cluster"
	return []example{
		{"condition", "it says what is so", ofCondition(true, []toldMachines{{cephCluster: name, stands: yes, now: yes}})},
		{"condition", "it says that all is not well, as it is", ofCondition(true, []toldMachines{{cephCluster: name, stands: no, now: no}})},
		{"condition", "nobody keeps it", ofCondition(true, []toldMachines{{cephCluster: name, stands: yes, now: no}})},
		{"condition", "nobody has written it yet", ofCondition(true, []toldMachines{{cephCluster: name, now: yes}})},
		{"condition", "it is not there", ofCondition(true, []toldMachines{{cephCluster: name, missing: true}})},
		{"condition", "the kind is not installed", ofCondition(false, nil)},
		{"condition", "no CephCluster", ofCondition(true, nil)},
	}
}
