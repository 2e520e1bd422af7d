package rook_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// endpointsMap is what Rook writes for a list of mons: the list and, from the same memory, the config of CSI.
func endpointsMap(data string, annotations ...string) *corev1.ConfigMap {
	var monitors []string
	listed, _ := rook.ParseEndpoints(data)
	for _, e := range listed {
		monitors = append(monitors, `"`+e.Addr.String()+`"`)
	}
	c := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: rook.MonEndpointsName, Finalizers: []string{"ceph.rook.io/disaster-protection"}},
		Data: map[string]string{
			rook.EndpointsDataKey:     data,
			rook.EndpointsCSIKey:      `[{"clusterID":"rook-ceph","monitors":[` + strings.Join(monitors, ",") + `],"namespace":""}]`,
			rook.EndpointsMaxMonIDKey: "-1",
			rook.EndpointsMappingKey:  `{"node":{"a":{"Name":"node-a","Hostname":"node-a","Address":"10.96.0.1"}}}`,
		},
	}
	for i := 0; i < len(annotations); i += 2 {
		metav1.SetMetaDataAnnotation(&c.ObjectMeta, annotations[i], annotations[i+1])
	}
	return c
}

// highest is the list once the mon of that number had its Deployment.
func highest(c *corev1.ConfigMap, number string) *corev1.ConfigMap {
	c.Data[rook.EndpointsMaxMonIDKey] = number
	return c
}

func bornMon(truth, clusterIP string) rook.DaemonFacts {
	return rook.DaemonFacts{
		Export: export(func(e *rook.Export) { e.GlobalIP, e.Pinned = netip.MustParseAddr(truth), true }), Deployed: true,
		Address: netip.MustParseAddr(truth), ClusterIPs: []netip.Addr{netip.MustParseAddr(clusterIP)},
	}
}

func newMonWith(truth, clusterIP string) rook.DaemonFacts {
	return rook.DaemonFacts{
		Export: readyExport(truth), ClusterIPs: []netip.Addr{netip.MustParseAddr(clusterIP)}, Port: 6789, ServiceOwner: theCluster.UID,
	}
}

// theCluster is the CephCluster that owns the Services of these mons.
var theCluster = rook.Cluster{Namespace: "rook-ceph", Name: "my-cluster", UID: "cluster-uid"}

func oldMon(address string) rook.DaemonFacts {
	addr := netip.MustParseAddr(address)
	return rook.DaemonFacts{Export: rook.Export{Exists: true, Ours: true, Identity: rook.IdentityCluster}, Deployed: true, Address: addr, ClusterIPs: []netip.Addr{addr}}
}

func TestMonEndpointsAreDecidedOnByTheRulesOfAdmission(t *testing.T) {
	aBorn, aNew, aWaiting := bornMon("242.0.0.1", "10.96.0.1"), newMonWith("242.0.0.1", "10.96.0.1"), rook.DaemonFacts{Export: waitingExport()}
	bBorn, bNew, bWaiting := bornMon("242.0.0.2", "10.96.0.2"), newMonWith("242.0.0.2", "10.96.0.2"), rook.DaemonFacts{Export: waitingExport()}
	type mons = map[string]rook.DaemonFacts
	const firstStored = `ConfigMap rook-ceph/rook-ceph-mon-endpoints has been stored with the global IP of the first mon; ` +
		`this write is refused once so that Rook reloads it (mon "a" at 242.0.0.1)`

	for name, c := range map[string]struct {
		write, stored *corev1.ConfigMap
		mons          mons
		aside, gaveUp reason.Code
		action        rook.Action
		code          reason.Code
		message       string
		corrected     *corev1.ConfigMap
		wrong         string
		waiting       []string
		// first is the list that is stored for the first mon.
		first string
	}{
		// The first mon.
		"the first mon: its true address is stored, and the write refused": {
			write: endpointsMap("a=10.96.0.1:6789"), stored: endpointsMap(""), mons: mons{"a": aNew},
			action: rook.StoreAndRefuse, code: reason.FirstMonStored, message: firstStored, first: "a=242.0.0.1:6789",
		},
		"the first mon where nothing is stored yet": {
			write: endpointsMap("a=10.96.0.1:3300"), mons: mons{"a": aNew},
			action: rook.StoreAndRefuse, code: reason.FirstMonStored, message: firstStored, first: "a=242.0.0.1:6789",
		},
		"the first mon after Rook has reloaded": {
			write: endpointsMap("a=242.0.0.1:6789"), stored: endpointsMap("a=242.0.0.1:6789"), mons: mons{"a": aNew},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"the first mon in a cluster whose networks do not overlap": {
			write: endpointsMap("a=10.96.0.1:6789"), stored: endpointsMap(""), mons: mons{"a": newMonWith("10.96.0.1", "10.96.0.1")},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"several first mons": {
			write: endpointsMap("a=10.96.0.1:6789,b=10.96.0.2:6789"), stored: endpointsMap(""), mons: mons{"a": aNew, "b": bNew},
			action: rook.StoreAndRefuse, code: reason.FirstMonStored, message: firstStored, first: "a=242.0.0.1:6789,b=242.0.0.2:6789",
		},
		"a new mon where Rook knows no other mon rightly": {
			write: endpointsMap("b=10.96.0.2:6789,a=10.96.0.1:6789"), stored: endpointsMap("b=242.0.0.2:6789"), mons: mons{"a": aNew, "b": bBorn},
			action: rook.StoreAndRefuse, code: reason.FirstMonStored, message: firstStored,
		},

		// Later mons, and failover.
		"the second mon is corrected, with word that memory is stale": {
			write: endpointsMap("a=242.0.0.1:6789,b=10.96.0.2:6789"), stored: endpointsMap("a=242.0.0.1:6789"), mons: mons{"a": aBorn, "b": bNew},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"), wrong: "b=10.96.0.2:6789",
		},
		"the second mon next to a first that is not deployed yet": {
			write: endpointsMap("a=242.0.0.1:6789,b=10.96.0.2:6789"), stored: endpointsMap("a=242.0.0.1:6789"), mons: mons{"a": aNew, "b": bNew},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"), wrong: "b=10.96.0.2:6789",
		},
		"a failover with a stale memory": {
			write:  endpointsMap("a=242.0.0.1:6789,b=10.96.0.2:6789,d=10.96.0.4:6789"),
			stored: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"),
			mons:   mons{"a": aBorn, "b": bBorn, "d": newMonWith("242.0.0.4", "10.96.0.4")},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789,d=242.0.0.4:6789"), wrong: "b=10.96.0.2:6789,d=10.96.0.4:6789",
		},
		"the failover of a mon that keeps its ClusterIP": {
			write: endpointsMap("a=10.96.0.1:6789,b=10.96.0.2:6789"), stored: endpointsMap("a=10.96.0.1:6789"), mons: mons{"a": oldMon("10.96.0.1"), "b": bNew},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("a=10.96.0.1:6789,b=242.0.0.2:6789"), wrong: "b=10.96.0.2:6789",
		},
		"a new mon next to an external one": {
			write:  changed(endpointsMap("x=192.0.2.1:6789,b=10.96.0.2:6789"), func(c *corev1.ConfigMap) { c.Data[rook.EndpointsExternalMons] = "w,x" }),
			stored: endpointsMap(""), mons: mons{"b": bNew, "x": aNew},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			wrong: "b=10.96.0.2:6789", corrected: changed(endpointsMap("x=192.0.2.1:6789,b=242.0.0.2:6789"),
				func(c *corev1.ConfigMap) { c.Data[rook.EndpointsExternalMons] = "w,x" }),
		},

		"a new mon next to one whose own address cannot be read": {
			write: endpointsMap("f=192.0.2.1:6789,b=10.96.0.2:6789"), stored: endpointsMap("f=192.0.2.1:6789"), mons: mons{"b": bNew, "f": {Deployed: true}},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("f=192.0.2.1:6789,b=242.0.0.2:6789"), wrong: "b=10.96.0.2:6789",
		},

		// A new mon whose Service is made anew, with another address, before it is born.
		"the only mon is stored at its new address, and the write refused": {
			write: endpointsMap("a=242.0.0.9:6789"), stored: endpointsMap("a=242.0.0.9:6789"), mons: mons{"a": aNew},
			action: rook.StoreAndRefuse, code: reason.FirstMonStored, message: firstStored, first: "a=242.0.0.1:6789",
		},
		"the only mon is held while its new address is not known": {
			write: endpointsMap("a=242.0.0.9:6789"), stored: endpointsMap("a=242.0.0.9:6789"),
			mons:   mons{"a": {Export: waitingExport(), ClusterIPs: aNew.ClusterIPs}},
			action: rook.Hold, code: reason.EndpointUnknown, waiting: []string{"a"},
			message: `mon "a" is not ready for its clusterset address: ServiceExport rook-ceph/rook-ceph-mon-a is not Valid (AwaitingExport: awaiting aggregation on the broker); Rook will retry`,
		},
		"the only mon is let through while it has no Service, which Rook will only make after this write": {
			write: endpointsMap("a=242.0.0.9:6789"), stored: endpointsMap("a=242.0.0.9:6789"), mons: mons{"a": aWaiting},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"a later mon is corrected": {
			write: endpointsMap("b=242.0.0.2:6789,a=242.0.0.9:6789"), stored: endpointsMap("b=242.0.0.2:6789,a=242.0.0.9:6789"), mons: mons{"a": aNew, "b": bBorn},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("b=242.0.0.2:6789,a=242.0.0.1:6789"), wrong: "a=242.0.0.9:6789",
		},

		// One address is never listed twice.
		"a new mon whose address a stale entry has is held, until that one has another": {
			write: endpointsMap("a=242.0.0.2:6789,b=10.96.0.2:6789"), stored: endpointsMap("a=242.0.0.2:6789"),
			mons:   mons{"a": {Export: waitingExport()}, "b": bNew},
			action: rook.Hold, code: reason.EndpointUnknown, waiting: []string{"b"},
			message: `mon "b" is not ready for its clusterset address: it was given the global IP of another daemon, 242.0.0.2, which is that of mon "a" in this list; Rook will retry`,
		},
		"a new mon whose address a stale entry has is corrected once that one has another": {
			write: endpointsMap("a=242.0.0.2:6789,b=10.96.0.2:6789,c=242.0.0.3:6789"), stored: endpointsMap("a=242.0.0.2:6789,c=242.0.0.3:6789"),
			mons:   mons{"a": aNew, "b": bNew, "c": bornMon("242.0.0.3", "10.96.0.3")},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			wrong: "a=242.0.0.2:6789,b=10.96.0.2:6789", corrected: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789,c=242.0.0.3:6789"),
		},
		"the only mons are let through while one has the address of another that has no Service, which Rook will only make after this write": {
			write: endpointsMap("a=242.0.0.9:6789,b=242.0.0.1:6789"), stored: endpointsMap("a=242.0.0.9:6789,b=242.0.0.1:6789"),
			mons:   mons{"a": aNew, "b": {Export: waitingExport()}},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"the only mon that has the address of another is held once that one has its Service": {
			write: endpointsMap("a=242.0.0.9:6789,b=242.0.0.1:6789"), stored: endpointsMap("a=242.0.0.9:6789,b=242.0.0.1:6789"),
			mons:   mons{"a": aNew, "b": {Export: waitingExport(), ClusterIPs: bNew.ClusterIPs}},
			action: rook.Hold, code: reason.EndpointUnknown, waiting: []string{"a", "b"},
			message: `mon "a" is not ready for its clusterset address: it was given the global IP of another daemon, 242.0.0.1, which is that of mon "b" in this list; Rook will retry`,
		},
		"of two new mons with one address the second is held": {
			write: endpointsMap("a=10.96.0.1:6789,b=10.96.0.2:6789"), stored: endpointsMap(""),
			mons:   mons{"a": aNew, "b": newMonWith("242.0.0.1", "10.96.0.2")},
			action: rook.Hold, code: reason.EndpointUnknown, waiting: []string{"b"},
			message: `mon "b" is not ready for its clusterset address: it was given the global IP of another daemon, 242.0.0.1, which is that of mon "a" in this list; Rook will retry`,
		},
		"a mon whose Deployment says no address is where it was pinned": {
			write: endpointsMap("a=10.96.0.1:6789"), stored: endpointsMap("a=242.0.0.1:6789"),
			mons:   mons{"a": {Export: aBorn.Export, Deployed: true, ClusterIPs: aBorn.ClusterIPs}},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("a=242.0.0.1:6789"), wrong: "a=10.96.0.1:6789",
		},
		"one whose export was lost as well is where the list had it": {
			write: endpointsMap("a=10.96.0.1:6789"), stored: endpointsMap("a=242.0.0.1:6789"),
			mons:   mons{"a": {Deployed: true, ClusterIPs: aBorn.ClusterIPs}},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("a=242.0.0.1:6789"), wrong: "a=10.96.0.1:6789",
		},
		"so is one whose new export does not tell either": {
			write: endpointsMap("a=10.96.0.1:6789"), stored: endpointsMap("a=242.0.0.1:6789"),
			mons:   mons{"a": {Export: waitingExport(), Deployed: true, ClusterIPs: aBorn.ClusterIPs}},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("a=242.0.0.1:6789"), wrong: "a=10.96.0.1:6789",
		},
		"one that keeps its ClusterIP is wherever Rook says": {
			write: endpointsMap("a=10.96.0.9:6789"), stored: endpointsMap("a=10.96.0.1:6789"),
			mons:   mons{"a": {Export: oldMon("10.96.0.1").Export, Deployed: true, ClusterIPs: aBorn.ClusterIPs}},
			action: rook.Allow, code: reason.AlreadyRight,
		},

		// A mon that has lived before.
		"a restored list of mons that have lived is stored as it was written": {
			write: highest(endpointsMap("k=10.99.1.10:6789,m=10.99.1.11:6789,o=242.0.0.12:6789"), "15"), mons: mons{}, gaveUp: reason.HoldTimedOut,
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"so is one of mons whose exports were made a moment ago": {
			write: highest(endpointsMap("k=10.99.1.10:6789"), "15"), stored: highest(endpointsMap("z=10.99.1.9:6789"), "15"),
			mons:   mons{"k": {Export: rook.Export{Exists: true, Ours: true}, ClusterIPs: aNew.ClusterIPs}},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"a new mon next to one that has lived is corrected": {
			write: highest(endpointsMap("k=10.99.1.10:6789,q=10.96.0.2:6789"), "15"), stored: highest(endpointsMap("k=10.99.1.10:6789"), "15"), mons: mons{"q": bNew},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: highest(endpointsMap("k=10.99.1.10:6789,q=242.0.0.2:6789"), "15"), wrong: "q=10.96.0.2:6789",
		},
		"a mon that is pinned and not deployed just now is corrected, and no birth": {
			write: highest(endpointsMap("a=10.96.0.1:6789"), "0"), stored: highest(endpointsMap("a=242.0.0.1:6789"), "0"),
			mons:   mons{"a": {Export: aBorn.Export, ClusterIPs: aBorn.ClusterIPs}},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: highest(endpointsMap("a=242.0.0.1:6789"), "0"), wrong: "a=10.96.0.1:6789",
		},
		"a mon that was seen unborn is, though a later letter was born first": {
			write: highest(endpointsMap("a=242.0.0.9:6789,b=242.0.0.2:6789"), "1"), stored: highest(endpointsMap("a=242.0.0.9:6789,b=242.0.0.2:6789"), "1"),
			mons:   mons{"a": aNew, "b": bBorn},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: highest(endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"), "1"), wrong: "a=242.0.0.9:6789",
		},
		"a new mon whose letter is not used up is a birth": {
			write: highest(endpointsMap("q=10.99.1.10:6789"), "15"), mons: mons{}, gaveUp: reason.HoldTimedOut,
			action: rook.Refuse, code: reason.EndpointUnknown, waiting: []string{"q"},
			message: `mon "q" is not ready for its clusterset address: it has no ServiceExport yet (ServiceExport rook-ceph/rook-ceph-mon-q); Rook will retry`,
		},

		// A new mon whose address is not known.
		"a new mon whose address is not known is held": {
			write: endpointsMap("a=242.0.0.1:6789,b=10.96.0.2:6789"), stored: endpointsMap("a=242.0.0.1:6789"), mons: mons{"a": aBorn, "b": bWaiting},
			action: rook.Hold, code: reason.EndpointUnknown, waiting: []string{"b"},
			message: `mon "b" is not ready for its clusterset address: ServiceExport rook-ceph/rook-ceph-mon-b is not Valid (AwaitingExport: awaiting aggregation on the broker); Rook will retry`,
		},
		"a new mon whose address is not known is refused after the hold": {
			write: endpointsMap("a=242.0.0.1:6789,b=10.96.0.2:6789"), stored: endpointsMap("a=242.0.0.1:6789"), mons: mons{"a": aBorn, "b": bWaiting}, gaveUp: reason.HoldTimedOut,
			action: rook.Refuse, code: reason.EndpointUnknown, waiting: []string{"b"},
			message: `mon "b" is not ready for its clusterset address: ServiceExport rook-ceph/rook-ceph-mon-b is not Valid (AwaitingExport: awaiting aggregation on the broker); Rook will retry`,
		},
		"a new mon of which nothing is known is refused after the hold": {
			write: endpointsMap("a=10.96.0.1:6789"), mons: mons{}, gaveUp: reason.DryRun,
			action: rook.Refuse, code: reason.EndpointUnknown, waiting: []string{"a"},
			message: `mon "a" is not ready for its clusterset address: it has no ServiceExport yet (ServiceExport rook-ceph/rook-ceph-mon-a); Rook will retry`,
		},
		"a new mon whose address is by now that of another is held": {
			write: endpointsMap("a=242.0.0.1:6789,b=10.96.0.2:6789"), stored: endpointsMap("a=242.0.0.1:6789"),
			mons:   mons{"a": aBorn, "b": {Export: bNew.Export, ClusterIPs: bNew.ClusterIPs, HeldBy: "other/rook-ceph-osd-1"}},
			action: rook.Hold, code: reason.EndpointUnknown, waiting: []string{"b"},
			message: `mon "b" is not ready for its clusterset address: it was given the global IP of another daemon, 242.0.0.2, which is that of other/rook-ceph-osd-1; Rook will retry`,
		},
		"several new mons could not be held": {
			write: endpointsMap("b=10.96.0.2:6789,a=10.96.0.1:6789"), mons: mons{"a": aWaiting, "b": bWaiting}, gaveUp: reason.HoldFull,
			action: rook.Refuse, code: reason.HoldFull, waiting: []string{"b", "a"},
			message: `mon "b" is not ready for its clusterset address: ServiceExport rook-ceph/rook-ceph-mon-b is not Valid (AwaitingExport: awaiting aggregation on the broker); it was not held because too many requests are waiting; Rook will retry`,
		},

		// Anything else is corrected, and never held or refused.
		"no mons yet":                {write: endpointsMap(""), mons: mons{}, action: rook.Allow, code: reason.AlreadyRight},
		"no data at all":             {write: &corev1.ConfigMap{}, mons: mons{"a": aNew}, action: rook.Allow, code: reason.AlreadyRight},
		"all is right":               {write: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:3300"), mons: mons{"a": aBorn, "b": bBorn}, action: rook.Allow, code: reason.AlreadyRight},
		"only mons that keep theirs": {write: endpointsMap("a=10.96.0.1:6789"), mons: mons{"a": oldMon("10.96.0.1")}, action: rook.Allow, code: reason.AlreadyRight},
		"a mon that keeps its ClusterIP and is not deployed just now": {
			write: endpointsMap("a=10.96.0.1:6789"), mons: mons{"a": {Export: oldMon("10.96.0.1").Export}}, gaveUp: reason.HoldTimedOut,
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"a deployed mon whose address cannot be read": {
			write: endpointsMap("a=10.96.0.1:6789"), mons: mons{"a": {Deployed: true}}, gaveUp: reason.HoldTimedOut,
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"an external mon": {
			write: changed(endpointsMap("x=192.0.2.1:6789"), func(c *corev1.ConfigMap) { c.Data[rook.EndpointsExternalMons] = "x" }), mons: mons{}, gaveUp: reason.HoldTimedOut,
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"memory is wrong about deployed mons alone": {
			write: endpointsMap("b=10.96.0.2:6789"), stored: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"), mons: mons{"b": bBorn},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("b=242.0.0.2:6789"), wrong: "b=10.96.0.2:6789",
		},
		"a mon was removed": {
			write:  endpointsMap("b=242.0.0.2:6789"),
			stored: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"), mons: mons{"a": aBorn, "b": bBorn},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"only another key changes, while the address of a mon that is listed is not known": {
			write:  changed(endpointsMap("a=10.96.0.1:6789"), func(c *corev1.ConfigMap) { c.Data[rook.EndpointsOutOfQuorum] = "a" }),
			stored: endpointsMap("a=10.96.0.1:6789"), mons: mons{"a": aWaiting}, gaveUp: reason.HoldTimedOut,
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"only another key changes, and what was stored is wrong": {
			write:  changed(endpointsMap("a=10.96.0.1:6789"), func(c *corev1.ConfigMap) { c.Data[rook.EndpointsMaxMonIDKey] = "0" }),
			stored: endpointsMap("a=10.96.0.1:6789"), mons: mons{"a": aBorn},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			wrong: "a=10.96.0.1:6789", corrected: changed(endpointsMap("a=242.0.0.1:6789"), func(c *corev1.ConfigMap) { c.Data[rook.EndpointsMaxMonIDKey] = "0" }),
		},
		"only another key of what was read changes": {
			write: changed(endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"), func(c *corev1.ConfigMap) {
				c.Data[rook.EndpointsOutOfQuorum] = "b"
			}),
			stored: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"), mons: mons{"a": aBorn, "b": bBorn},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"only the config of CSI is wrong": {
			write: changed(endpointsMap("a=242.0.0.1:6789"), func(c *corev1.ConfigMap) {
				c.Data[rook.EndpointsCSIKey] = endpointsMap("a=10.96.0.1:6789").Data[rook.EndpointsCSIKey]
			}),
			mons:   mons{"a": aBorn},
			action: rook.Rewrite, code: reason.EndpointsCorrected, corrected: endpointsMap("a=242.0.0.1:6789"),
		},
		"Rook remembers a ClusterIP that another mon has by now": {
			write: endpointsMap("a=242.0.0.1:6789,b=10.96.0.2:6789,c=10.96.0.3:6789"), stored: endpointsMap("a=242.0.0.1:6789"),
			mons:   mons{"a": aBorn, "b": bornMon("242.0.0.2", "10.96.0.3"), "c": bornMon("242.0.0.3", "10.96.0.9")},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			corrected: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789,c=242.0.0.3:6789"), wrong: "b=10.96.0.2:6789,c=10.96.0.3:6789",
		},
		"Rook takes the address of one mon for that of another": {
			write: endpointsMap("a=242.0.0.1:6789,b=242.0.0.1:3300"), stored: endpointsMap("a=242.0.0.1:6789"), mons: mons{"a": aBorn, "b": bBorn},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			wrong: "b=242.0.0.1:3300", corrected: changed(endpointsMap("a=242.0.0.1:6789,b=242.0.0.1:3300"), func(c *corev1.ConfigMap) {
				c.Data[rook.EndpointsDataKey] = "a=242.0.0.1:6789,b=242.0.0.2:3300"
			}),
		},
		"the cluster is left alone": {
			write: endpointsMap("a=10.96.0.1:6789"), mons: mons{"a": aNew}, aside: reason.NativeMultiCluster,
			action: rook.Allow, code: reason.NativeMultiCluster,
		},
		"a list that is not understood": {
			write: endpointsMap("garbage"), mons: mons{"a": aNew}, gaveUp: reason.HoldTimedOut,
			action: rook.Allow, code: reason.MalformedEndpoints, message: `mon endpoint "garbage" is not of the form ID=IP:PORT`,
		},
		"two mons to be born, of which one has the address by now that Rook remembers of the other": {
			write:  endpointsMap("a=242.0.0.1:6789,b=242.0.0.3:6789,c=10.96.0.3:6789"),
			mons:   mons{"a": aBorn, "b": newMonWith("242.0.0.2", "10.96.0.2"), "c": newMonWith("242.0.0.3", "10.96.0.3")},
			action: rook.Rewrite, code: reason.EndpointsCorrected,
			wrong: "b=242.0.0.3:6789,c=10.96.0.3:6789", corrected: endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789,c=242.0.0.3:6789"),
		},
		"a list that is understood in part": {
			write: endpointsMap("garbage,b=10.96.0.2:6789,c"), mons: mons{"b": bBorn},
			action: rook.Rewrite, code: reason.MalformedEndpoints,
			message:   `mon endpoint "garbage" is not of the form ID=IP:PORT; mon endpoint "c" is not of the form ID=IP:PORT`,
			corrected: endpointsMap("garbage,b=242.0.0.2:6789,c"), wrong: "b=10.96.0.2:6789",
		},
		"a mon of an ID that Rook cannot have, which is not listed as external, is let through at once": {
			write: endpointsMap("a=242.0.0.1:6789,ext-mon-1=203.0.113.9:6789"), mons: mons{"a": aBorn},
			action: rook.Allow, code: reason.MalformedEndpoints,
			message: `mon endpoint "ext-mon-1=203.0.113.9:6789" has an ID that Rook gives to no mon, and that externalMons does not list`,
		},
		"so is one with a blank in its ID": {
			write: endpointsMap("a=242.0.0.1:6789, b=10.96.0.2:6789"), mons: mons{"a": aBorn, "b": bWaiting},
			action: rook.Allow, code: reason.MalformedEndpoints, message: `mon endpoint " b=10.96.0.2:6789" is not of the form ID=IP:PORT`,
		},
		"so is one whose ID is no sequence of small letters": {
			write: endpointsMap("A=10.96.0.1:6789,b2=10.96.0.2:6789"), mons: mons{},
			action: rook.Allow, code: reason.MalformedEndpoints,
			message: `mon endpoint "A=10.96.0.1:6789" has an ID that Rook gives to no mon, and that externalMons does not list; ` +
				`mon endpoint "b2=10.96.0.2:6789" has an ID that Rook gives to no mon, and that externalMons does not list`,
		},
		"a mon that is listed as external may have any ID": {
			write: changed(endpointsMap("ext-mon-1=203.0.113.9:6789"), func(c *corev1.ConfigMap) { c.Data[rook.EndpointsExternalMons] = "ext-mon-1" }), mons: mons{},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"a config of CSI that is not understood": {
			write: changed(endpointsMap("a=242.0.0.1:6789"), func(c *corev1.ConfigMap) { c.Data[rook.EndpointsCSIKey] = "[" }), mons: mons{"a": aBorn},
			action: rook.Allow, code: reason.MalformedEndpoints, message: "read csi-cluster-config-json: unexpected EOF",
		},
	} {
		t.Run(name, func(t *testing.T) {
			facts := rook.EndpointsFacts{New: c.write, Stored: c.stored, Mons: c.mons, Aside: c.aside, GaveUp: c.gaveUp}
			before := c.write.DeepCopy()
			d := rook.DecideEndpoints(facts)
			require.Equal(t, before, c.write)
			require.Equal(t, c.action.String(), d.Action.String())
			require.Equal(t, c.code, d.Code)
			require.Equal(t, c.message, d.Message)
			require.Equal(t, c.waiting, d.Waiting)
			require.Equal(t, c.wrong, rook.FormatEndpoints(d.Wrong))
			require.Empty(t, d.Advice, "Rook is not advised")
			if c.corrected != nil && len(c.corrected.Annotations) == 0 {
				c.corrected.Annotations = nil
			}
			if d.Corrected != nil && len(d.Corrected.Annotations) == 0 {
				d.Corrected.Annotations = nil
			}
			require.Equal(t, c.corrected, d.Corrected)
			answered := d.Corrected
			if d.Action == rook.StoreAndRefuse {
				answered = rook.FirstEndpoints(c.stored, theCluster, c.mons)
				require.Equal(t, c.first, dataOf(answered))
			}
			if answered == nil {
				return
			}
			// What is answered or stored needs no further correction, and is not held or refused itself.
			again := rook.DecideEndpoints(rook.EndpointsFacts{New: answered, Stored: c.stored, Mons: c.mons, GaveUp: reason.HoldTimedOut})
			require.Equal(t, rook.Allow.String(), again.Action.String())
			require.Nil(t, again.Corrected)
		})
	}
}

// The story of a new cluster and a failover in it, with what Rook remembers kept apart from what is stored.
func TestANewClusterIsRefusedExactlyOnce(t *testing.T) {
	mons := map[string]rook.DaemonFacts{}
	var stored *corev1.ConfigMap
	var remembered rook.Remembered
	refused := 0
	// write is a write of Rook, which reloads what is stored after a refusal.
	write := func(memory string) string {
		d := rook.DecideEndpoints(rook.EndpointsFacts{New: endpointsMap(memory), Stored: stored, Mons: mons, GaveUp: reason.HoldTimedOut})
		switch d.Action {
		case rook.StoreAndRefuse:
			refused++
			stored = rook.FirstEndpoints(stored, theCluster, mons)
			return stored.Data[rook.EndpointsDataKey]
		case rook.Rewrite:
			stored = d.Corrected
		case rook.Allow:
			stored = endpointsMap(memory)
		default:
			require.Fail(t, "refused", d.Message)
		}
		remembered, _ = remembered.After(rook.OperatorWrite{FromMemory: true, Wrong: d.Wrong}, time.Now())
		return memory
	}
	deploy := func(id string) {
		m := mons[id]
		m.Deployed, m.Address, m.Export.Pinned = true, m.Export.GlobalIP, true
		mons[id] = m
	}
	data := func() string { return stored.Data[rook.EndpointsDataKey] }
	stale := func() string { return rook.FormatEndpoints(remembered.Mons) }

	write("")
	mons["a"] = newMonWith("242.0.0.1", "10.96.0.1")
	memory := write("a=10.96.0.1:6789")
	require.Equal(t, "a=242.0.0.1:6789", memory, "Rook has reloaded")
	memory = write(memory)
	require.Equal(t, "a=242.0.0.1:6789", data())
	deploy("a")
	require.Empty(t, stale())

	mons["b"] = newMonWith("242.0.0.2", "10.96.0.2")
	memory = write(memory + ",b=10.96.0.2:6789")
	deploy("b")
	memory = write(memory)
	mons["c"] = newMonWith("242.0.0.3", "10.96.0.3")
	memory = write(memory + ",c=10.96.0.3:6789")
	deploy("c")
	require.Equal(t, "a=242.0.0.1:6789,b=242.0.0.2:6789,c=242.0.0.3:6789", data())
	require.Equal(t, "b=10.96.0.2:6789,c=10.96.0.3:6789", stale())

	// The mon that Rook knew rightly is replaced while its memory is stale.
	mons["d"] = newMonWith("242.0.0.4", "10.96.0.4")
	memory = write(memory + ",d=10.96.0.4:6789")
	deploy("d")
	memory = write(strings.TrimPrefix(memory, "a=242.0.0.1:6789,"))
	delete(mons, "a")
	require.Equal(t, "b=242.0.0.2:6789,c=242.0.0.3:6789,d=242.0.0.4:6789", data())
	require.Equal(t, memory, stale())

	// Rook reconciles, and so reloads.
	memory = write(data())
	require.Equal(t, memory, data())
	require.Empty(t, stale())
	require.Equal(t, 1, refused)
}

// A write that fails there would stop a reconcile, a failover or the bookkeeping of mons that live.
func TestAWriteThatBringsInNoMonIsNeverHeldOrRefused(t *testing.T) {
	facts := []rook.DaemonFacts{
		{}, {Deployed: true}, {Export: waitingExport()}, {Export: readyExport("242.0.0.1")}, bornMon("242.0.0.1", "10.96.0.1"), oldMon("10.96.0.1"),
	}
	for _, stored := range []string{"", "a=10.96.0.1:6789", "b=10.96.0.2:6789,a=10.96.0.1:6789,c=242.0.0.3:6789"} {
		for _, a := range facts {
			for _, b := range facts {
				mons := map[string]rook.DaemonFacts{"a": a, "b": b}
				writes := []string{stored, ""}
				if head, _, several := strings.Cut(stored, ","); several {
					writes = append(writes, head)
				}
				for _, data := range writes {
					d := rook.DecideEndpoints(rook.EndpointsFacts{
						New: endpointsMap(data), Stored: endpointsMap(stored), Mons: mons, GaveUp: reason.HoldTimedOut,
					})
					require.Contains(t, []rook.Action{rook.Allow, rook.Rewrite}, d.Action, "%s after %s", data, stored)
				}
			}
		}
	}
}

func TestTheAPIServerIsAskedOfMonsOfWhichACacheDoesNotKnowEnough(t *testing.T) {
	ready := rook.Export{Exists: true, Ours: true, Identity: rook.IdentityClusterset, Valid: metav1.ConditionTrue, GlobalIP: netip.MustParseAddr("242.1.255.1")}
	for name, c := range map[string]struct {
		list     string
		maxMonID string
		external string
		mon      rook.DaemonFacts
		byHand   bool
		unsure   []string
	}{
		"a letter that has lived, without a Deployment":       {list: "a=10.96.0.1:6789", maxMonID: "0", unsure: []string{"a"}},
		"a mon whose Deployment is there":                     {list: "a=10.96.0.1:6789", maxMonID: "0", mon: rook.DaemonFacts{Deployed: true}},
		"a new mon without an address, as Rook lists it":      {list: "a=10.96.0.1:6789", maxMonID: "-1"},
		"a new mon without an address, as somebody else does": {list: "a=242.1.255.1:6789", maxMonID: "-1", byHand: true, unsure: []string{"a"}},
		"the same twice": {list: "a=242.1.255.1:6789,a=242.1.255.2:6789", maxMonID: "-1", byHand: true, unsure: []string{"a"}},
		"a new mon whose address is known, by somebody else":    {list: "a=242.1.255.1:6789", maxMonID: "-1", byHand: true, mon: rook.DaemonFacts{Export: ready}},
		"one that runs outside of Kubernetes, by somebody else": {list: "a=192.0.2.1:6789", maxMonID: "-1", external: "a", byHand: true},
		"an ID that Rook gives to no mon, by somebody else":     {list: "ext-1=192.0.2.1:6789", maxMonID: "-1", byHand: true},
	} {
		t.Run(name, func(t *testing.T) {
			written := &corev1.ConfigMap{Data: map[string]string{
				rook.EndpointsDataKey: c.list, rook.EndpointsMaxMonIDKey: c.maxMonID, rook.EndpointsExternalMons: c.external,
			}}
			facts := rook.EndpointsFacts{New: written, Mons: map[string]rook.DaemonFacts{"a": c.mon}, ByHand: c.byHand}
			require.Equal(t, c.unsure, facts.Unsure())
		})
	}
}
