package rook_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func changed[T any](v T, change func(T)) T {
	change(v)
	return v
}

func export(change func(e *rook.Export)) rook.Export {
	e := readyExport("242.0.0.10")
	change(&e)
	return e
}

// decide does as admission does, which lets through what is no daemon of ours before it asks for anything else.
func decide(f rook.DeploymentFacts) rook.Decision {
	daemon, code := rook.IdentifyOurs(f.New)
	if code != "" {
		return rook.Decision{Action: rook.Allow, Code: code}
	}
	f.Daemon = daemon
	return rook.DecideDeployment(f)
}

func TestDeploymentsAreDecidedOnByTheRulesOfAdmission(t *testing.T) {
	cluster := &rook.Cluster{Namespace: "rook-ceph", Name: "rook-ceph", UID: "uid-1"}
	ready, waiting := readyExport("242.0.0.10"), waitingExport()
	osdReady := export(func(e *rook.Export) { e.Identity = "" })
	newMon, newOSD := monAt("10.96.0.1"), osdWith("--foreground")
	const notValid = `ServiceExport rook-ceph/rook-ceph-mon-a is not Valid (AwaitingExport: awaiting aggregation on the broker)`
	with := func(change func(c *rook.Cluster)) *rook.Cluster {
		c := *cluster
		change(&c)
		return &c
	}

	for name, c := range map[string]struct {
		facts   rook.DeploymentFacts
		action  rook.Action
		code    reason.Code
		address string
		message string
	}{
		// A daemon is born.
		"a new mon whose address is known is rewritten": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: ready},
			action: rook.Rewrite, code: reason.Rewritten, address: "242.0.0.10",
		},
		"a new OSD whose address is known is rewritten": {
			facts:  rook.DeploymentFacts{New: newOSD, Cluster: cluster, Export: osdReady},
			action: rook.Rewrite, code: reason.Rewritten, address: "242.0.0.10",
		},
		"a new mon that has its address already is let through": {
			facts:  rook.DeploymentFacts{New: monAt("242.0.0.10"), Cluster: cluster, Export: ready},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"a new mon with a pinned address is rewritten, even while its export is not Valid": {
			facts: rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: export(func(e *rook.Export) {
				e.Pinned, e.Valid = true, metav1.ConditionFalse
			})},
			action: rook.Rewrite, code: reason.Rewritten, address: "242.0.0.10",
		},
		"a new mon whose export is not Valid is held": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: waiting},
			action: rook.Hold, code: reason.ExportNotValid, message: `mon "a" is not ready for its clusterset address: ` + notValid + `; Rook will retry`,
		},
		"a new mon whose export is not Valid is refused after the hold": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: waiting, GaveUp: reason.HoldTimedOut},
			action: rook.Refuse, code: reason.ExportNotValid, message: `mon "a" is not ready for its clusterset address: ` + notValid + `; Rook will retry`,
		},
		"a new mon whose export is not Valid is refused in a dry run": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: waiting, GaveUp: reason.DryRun},
			action: rook.Refuse, code: reason.ExportNotValid, message: `mon "a" is not ready for its clusterset address: ` + notValid + `; Rook will retry`,
		},
		"a new mon that could not be held is refused for that": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: waiting, GaveUp: reason.HoldFull},
			action: rook.Refuse, code: reason.HoldFull,
			message: `mon "a" is not ready for its clusterset address: ` + notValid + `; it was not held because too many requests are waiting; Rook will retry`,
		},
		"a new mon is refused by a replica that stops": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: waiting, GaveUp: reason.ShuttingDown},
			action: rook.Refuse, code: reason.ShuttingDown,
			message: `mon "a" is not ready for its clusterset address: ` + notValid + `; it was not held because this replica is stopping; Rook will retry`,
		},
		"a new OSD without an export is held": {
			facts:  rook.DeploymentFacts{New: newOSD, Cluster: cluster},
			action: rook.Hold, code: reason.ExportMissing,
			message: `osd "0" is not ready for its clusterset address: it has no ServiceExport yet (ServiceExport rook-ceph/rook-ceph-osd-0); Rook will retry`,
		},
		"a new OSD without an export is refused after the hold": {
			facts:  rook.DeploymentFacts{New: newOSD, Cluster: cluster, GaveUp: reason.HoldTimedOut},
			action: rook.Refuse, code: reason.ExportMissing,
			message: `osd "0" is not ready for its clusterset address: it has no ServiceExport yet (ServiceExport rook-ceph/rook-ceph-osd-0); Rook will retry`,
		},
		"a new mon whose address is by now that of another is held": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: ready, HeldBy: "other/rook-ceph-mon-b"},
			action: rook.Hold, code: reason.UsedByAnother,
			message: `mon "a" is not ready for its clusterset address: it was given the global IP of another daemon, 242.0.0.10, which is that of other/rook-ceph-mon-b; Rook will retry`,
		},
		"a new OSD whose address is by now that of another is refused after the hold": {
			facts:  rook.DeploymentFacts{New: newOSD, Cluster: cluster, Export: osdReady, HeldBy: "other/rook-ceph-mon-b", GaveUp: reason.HoldTimedOut},
			action: rook.Refuse, code: reason.UsedByAnother,
			message: `osd "0" is not ready for its clusterset address: it was given the global IP of another daemon, 242.0.0.10, which is that of other/rook-ceph-mon-b; Rook will retry`,
		},
		"a mon that was put to sleep wakes at its pinned address": {
			facts: rook.DeploymentFacts{
				New: monAt("10.96.0.1"), Cluster: cluster, Export: export(func(e *rook.Export) { e.Pinned = true }),
				Stored: changed(monAt("242.0.0.10"), func(d *appsv1.Deployment) {
					d.Spec.Template.Spec.Containers[0].Command, d.Spec.Template.Spec.Containers[0].Args = []string{"sleep"}, []string{"infinity"}
				}),
			},
			action: rook.Rewrite, code: reason.AddressKept, address: "242.0.0.10",
		},
		"a new OSD whose answer was refused says why": {
			facts: rook.DeploymentFacts{New: newOSD, Cluster: cluster, GaveUp: reason.HoldTimedOut, Export: export(func(e *rook.Export) {
				e.GlobalIP, e.Refused, e.RefusedDetail = netip.Addr{}, reason.OutsideGlobalCIDR, "1.2.3.4 is not in 242.0.0.0/16"
			})},
			action: rook.Refuse, code: reason.OutsideGlobalCIDR,
			message: `osd "0" is not ready for its clusterset address: it was given an address outside this cluster's global CIDR (1.2.3.4 is not in 242.0.0.0/16); Rook will retry`,
		},
		"a new daemon whose export is not ours is refused at once": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: export(func(e *rook.Export) { e.Ours = false })},
			action: rook.Refuse, code: reason.ExportForeign,
			message: `mon "a" is not ready for its clusterset address: it has a ServiceExport that rook-clusterset did not create and so leaves alone (ServiceExport rook-ceph/rook-ceph-mon-a); Rook will retry`,
		},
		"a new mon whose identity is not decided is held, even with an address": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: export(func(e *rook.Export) { e.Identity = "" })},
			action: rook.Hold, code: reason.AddressUnknown,
			message: `mon "a" is not ready for its clusterset address: it is not decided yet which address it is to be born with; Rook will retry`,
		},
		"a new daemon of a CephCluster that is not known is held": {
			facts:  rook.DeploymentFacts{New: newOSD, Export: osdReady},
			action: rook.Hold, code: reason.ClusterUnknown,
			message: `osd "0" is not ready for its clusterset address: it belongs to a CephCluster that is not known here; Rook will retry`,
		},
		"a new daemon of a CephCluster that is not known is refused after the hold": {
			facts:  rook.DeploymentFacts{New: newMon, Export: ready, GaveUp: reason.HoldTimedOut},
			action: rook.Refuse, code: reason.ClusterUnknown,
			message: `mon "a" is not ready for its clusterset address: it belongs to a CephCluster that is not known here; Rook will retry`,
		},
		"a new daemon of a CephCluster created anew is held until that one is known": {
			facts:  rook.DeploymentFacts{New: newMon, Export: ready, Cluster: with(func(c *rook.Cluster) { c.UID = "uid-0" })},
			action: rook.Hold, code: reason.ClusterUnknown,
			message: `mon "a" is not ready for its clusterset address: it belongs to another CephCluster of that name than is known here; Rook will retry`,
		},
		"a new mon that Rook has listed at its address is rewritten": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: ready, Listed: netip.MustParseAddr("242.0.0.10")},
			action: rook.Rewrite, code: reason.Rewritten, address: "242.0.0.10",
		},
		"a new mon that Rook has listed at another address is refused": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: ready, Listed: netip.MustParseAddr("242.0.0.9")},
			action: rook.Refuse, code: reason.EndpointWrong,
			message: `mon "a" cannot be given its clusterset address 242.0.0.10: it is kept by Rook at another address than it has, 242.0.0.9; Rook will retry`,
		},
		"a new mon of which mon_host does not tell yet where it is listed is refused": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: ready, Listed: ready.GlobalIP, MonHostBehind: true},
			action: rook.Refuse, code: reason.MonHostBehind,
			message: `mon "a" cannot be given its clusterset address 242.0.0.10: it is listed by Rook at an address that mon_host does not tell yet, beside which it would never get a rank; Rook will retry`,
		},
		"a new mon that a failover before Rook 1.20.5 has not listed yet has no place in mon_host either": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: ready, MonHostBehind: true},
			action: rook.Rewrite, code: reason.Rewritten, address: "242.0.0.10",
		},
		"a new OSD is not listed": {
			facts:  rook.DeploymentFacts{New: newOSD, Cluster: cluster, Export: osdReady, Listed: netip.MustParseAddr("242.0.0.9")},
			action: rook.Rewrite, code: reason.Rewritten, address: "242.0.0.10",
		},
		"an old mon may be listed anywhere": {
			facts: rook.DeploymentFacts{New: newMon, Cluster: cluster, Listed: netip.MustParseAddr("10.96.0.1"), Export: export(func(e *rook.Export) {
				e.Identity = rook.IdentityCluster
			})},
			action: rook.Allow, code: reason.IdentityCluster,
		},
		"a new mon that cannot bind its address is refused": {
			facts: rook.DeploymentFacts{New: changed(monAt("10.96.0.1"), func(d *appsv1.Deployment) {
				own := &d.Spec.Template.Spec.Containers[0]
				own.Args = append(own.Args, "--ms-bind-ipv4=false")
			}), Cluster: cluster, Export: ready},
			action: rook.Refuse, code: reason.AddressFamilyMismatch,
			message: `mon "a" cannot be given its clusterset address 242.0.0.10: its Deployment cannot bind an address of the family of its global IP; Rook will retry`,
		},
		"a new mon that is not understood is refused": {
			facts:  rook.DeploymentFacts{New: renamed(monAt("10.96.0.1"), "other"), Cluster: cluster, Export: ready},
			action: rook.Refuse, code: reason.MalformedDeployment,
			message: `mon "a" cannot be given its clusterset address 242.0.0.10: its Deployment is not written as Rook writes it; Rook will retry`,
		},
		"a new OSD that cannot bind its address is let through": {
			facts:  rook.DeploymentFacts{New: osdWith("--ms-bind-ipv4=false"), Cluster: cluster, Export: osdReady},
			action: rook.Allow, code: reason.AddressFamilyMismatch, message: "242.0.0.10",
		},
		"a new OSD that is not understood is let through": {
			facts:  rook.DeploymentFacts{New: osdWith("--public-addr"), Cluster: cluster, Export: osdReady},
			action: rook.Allow, code: reason.MalformedDeployment,
		},

		// What lives is updated, or created although it exists.
		"a mon keeps the address that it has, whatever its export says": {
			facts:  rook.DeploymentFacts{New: newMon, Stored: monAt("242.0.0.77"), Cluster: cluster, Export: ready},
			action: rook.Rewrite, code: reason.AddressKept, address: "242.0.0.77",
		},
		"a mon keeps its address without an export": {
			facts:  rook.DeploymentFacts{New: newMon, Stored: monAt("242.0.0.77"), Cluster: cluster},
			action: rook.Rewrite, code: reason.AddressKept, address: "242.0.0.77",
		},
		"a mon keeps its address while its CephCluster is not known": {
			facts:  rook.DeploymentFacts{New: newMon, Stored: monAt("242.0.0.77")},
			action: rook.Rewrite, code: reason.AddressKept, address: "242.0.0.77",
		},
		"a mon that Rook writes with its address is let through": {
			facts:  rook.DeploymentFacts{New: monAt("242.0.0.77"), Stored: monAt("242.0.0.77"), Cluster: cluster, Export: ready},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"a mon of an undecided identity keeps its ClusterIP": {
			facts:  rook.DeploymentFacts{New: newMon, Stored: monAt("10.96.0.1"), Cluster: cluster, Export: export(func(e *rook.Export) { e.Identity = "" })},
			action: rook.Allow, code: reason.AlreadyRight,
		},
		"a mon whose stored address cannot be read is let through": {
			facts:  rook.DeploymentFacts{New: newMon, Stored: monAt(""), Cluster: cluster, Export: ready},
			action: rook.Allow, code: reason.MalformedDeployment,
		},
		"an OSD that has no address gets it once it is known": {
			facts:  rook.DeploymentFacts{New: newOSD, Stored: newOSD, Cluster: cluster, Export: osdReady},
			action: rook.Rewrite, code: reason.Rewritten, address: "242.0.0.10",
		},
		"an OSD that Rook writes again is rewritten to what it was": {
			facts:  rook.DeploymentFacts{New: newOSD, Stored: osdAt("242.0.0.10"), Cluster: cluster, Export: osdReady},
			action: rook.Rewrite, code: reason.Rewritten, address: "242.0.0.10",
		},
		"an OSD follows its export to a new address": {
			facts:  rook.DeploymentFacts{New: newOSD, Stored: osdAt("242.0.0.77"), Cluster: cluster, Export: osdReady},
			action: rook.Rewrite, code: reason.Rewritten, address: "242.0.0.10",
		},
		"an OSD that cannot bind its new address keeps the one that it has": {
			facts: rook.DeploymentFacts{New: osdWith("--ms-bind-ipv6=false"), Stored: osdAt("242.0.0.77"), Cluster: cluster, Export: export(func(e *rook.Export) {
				e.GlobalIP = netip.MustParseAddr("fd42::10")
			})},
			action: rook.Rewrite, code: reason.AddressKept, address: "242.0.0.77",
		},
		"an OSD without an address that cannot bind its new one is let through": {
			facts: rook.DeploymentFacts{New: osdWith("--ms-bind-ipv6=false"), Stored: newOSD, Cluster: cluster, Export: export(func(e *rook.Export) {
				e.GlobalIP = netip.MustParseAddr("fd42::10")
			})},
			action: rook.Allow, code: reason.AddressFamilyMismatch, message: "fd42::10",
		},
		"an OSD does not follow its export to where another daemon lives": {
			facts:  rook.DeploymentFacts{New: newOSD, Stored: osdAt("242.0.0.77"), Cluster: cluster, Export: osdReady, HeldBy: "rook-ceph-mon-a in rook-ceph"},
			action: rook.Rewrite, code: reason.AddressKept, address: "242.0.0.77",
		},
		"nor does one without an address": {
			facts:  rook.DeploymentFacts{New: newOSD, Stored: newOSD, Cluster: cluster, Export: osdReady, HeldBy: "rook-ceph-mon-a in rook-ceph"},
			action: rook.Allow, code: reason.UsedByAnother, message: "it was given the global IP of another daemon, 242.0.0.10, which is that of rook-ceph-mon-a in rook-ceph",
		},
		"an OSD keeps its address while its export is not Valid": {
			facts:  rook.DeploymentFacts{New: newOSD, Stored: osdAt("242.0.0.77"), Cluster: cluster, Export: waiting},
			action: rook.Rewrite, code: reason.AddressKept, address: "242.0.0.77",
		},
		"an OSD keeps its address where its export is not ours": {
			facts:  rook.DeploymentFacts{New: newOSD, Stored: osdAt("242.0.0.77"), Cluster: cluster, Export: export(func(e *rook.Export) { e.Ours = false })},
			action: rook.Rewrite, code: reason.AddressKept, address: "242.0.0.77",
		},
		"an OSD without an address is not held for one": {
			facts:  rook.DeploymentFacts{New: newOSD, Stored: newOSD, Cluster: cluster, Export: waiting},
			action: rook.Allow, code: reason.AddressUnknown,
		},
		"an OSD without an address is not refused for want of one": {
			facts:  rook.DeploymentFacts{New: newOSD, Stored: newOSD, Cluster: cluster, GaveUp: reason.ShuttingDown},
			action: rook.Allow, code: reason.AddressUnknown,
		},
		"an update that is not understood is let through": {
			facts:  rook.DeploymentFacts{New: renamed(monAt("10.96.0.1"), "other"), Stored: monAt("242.0.0.77"), Cluster: cluster, Export: ready},
			action: rook.Allow, code: reason.MalformedDeployment,
		},

		// What is left alone.
		"a new mon of identity cluster": {
			facts:  rook.DeploymentFacts{New: newMon, Cluster: cluster, Export: export(func(e *rook.Export) { e.Identity = rook.IdentityCluster })},
			action: rook.Allow, code: reason.IdentityCluster,
		},
		"an updated mon of identity cluster": {
			facts:  rook.DeploymentFacts{New: newMon, Stored: newMon, Cluster: cluster, Export: export(func(e *rook.Export) { e.Identity = rook.IdentityCluster })},
			action: rook.Allow, code: reason.IdentityCluster,
		},
		"a canary": {
			facts: rook.DeploymentFacts{New: changed(monAt(""), func(d *appsv1.Deployment) {
				d.Name, d.Labels[rook.CanaryLabel] = "rook-ceph-mon-a-canary", "true"
			}), Cluster: cluster, Export: ready},
			action: rook.Allow, code: reason.Canary,
		},
		"a floating mon": {
			facts: rook.DeploymentFacts{New: changed(monAt("10.96.0.1"), func(d *appsv1.Deployment) {
				d.Labels[rook.AppLabel] = rook.FloatingMonApp
			}), Cluster: cluster},
			action: rook.Allow, code: reason.FloatingMon,
		},
		"a pod on the host network": {
			facts: rook.DeploymentFacts{New: changed(monAt("192.0.2.1"), func(d *appsv1.Deployment) {
				d.Spec.Template.Spec.HostNetwork = true
			}), Cluster: cluster},
			action: rook.Allow, code: reason.HostNetwork,
		},
		"a Deployment of another owner": {
			facts:  rook.DeploymentFacts{New: changed(osdAt("10.1.1.1"), func(d *appsv1.Deployment) { d.OwnerReferences = nil }), Cluster: cluster},
			action: rook.Allow, code: reason.ForeignOwner,
		},
		"a Deployment of another CephCluster than that of the namespace": {
			facts:  rook.DeploymentFacts{New: newOSD, Cluster: with(func(c *rook.Cluster) { c.Name = "other" }), Export: osdReady},
			action: rook.Allow, code: reason.ForeignOwner,
		},
		"the daemons of native multi-cluster mode": {
			facts:  rook.DeploymentFacts{New: newOSD, Cluster: with(func(c *rook.Cluster) { c.NativeMultiCluster = true })},
			action: rook.Allow, code: reason.NativeMultiCluster,
		},
		"the daemons of a cluster on the host network": {
			facts:  rook.DeploymentFacts{New: newMon, Stored: monAt("242.0.0.77"), Cluster: with(func(c *rook.Cluster) { c.HostNetwork = true })},
			action: rook.Allow, code: reason.ClusterHostNetwork,
		},
		"the daemons of an old Rook, by their own label": {
			facts: rook.DeploymentFacts{New: changed(osdWith("-f"), func(d *appsv1.Deployment) {
				d.Labels[rook.RookVersionLabel] = "v1.10.4"
			}), Cluster: cluster},
			action: rook.Allow, code: reason.RookTooOld,
		},
		"the daemons of an old Ceph, by their own label": {
			facts: rook.DeploymentFacts{New: changed(osdWith("-f"), func(d *appsv1.Deployment) {
				d.Labels[rook.CephVersionLabel] = "17.2.5-0"
			}), Cluster: cluster},
			action: rook.Allow, code: reason.CephTooOld,
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.facts.New.DeepCopy()
			d := decide(c.facts)
			require.Equal(t, before, c.facts.New)
			require.Equal(t, c.action.String(), d.Action.String())
			require.Equal(t, c.code, d.Code)
			require.Equal(t, c.message, d.Message)
			require.True(t, d.Code.Known())
			require.Equal(t, c.address == "", len(d.Changes) == 0)
			if c.address == "" {
				return
			}
			d.Changes.Apply(before)
			address, _ := rook.Address(before)
			require.Equal(t, c.address, address.String())
		})
	}
}

// An update that waits or fails would stop Rook in the middle of a reconcile.
func TestNoUpdateIsEverHeldOrRefused(t *testing.T) {
	clusters := []*rook.Cluster{nil, {Name: "rook-ceph", UID: "uid-1"}, {Name: "rook-ceph", UID: "uid-0"}, {Name: "other"}}
	exports := []rook.Export{{}, {Exists: true}, waitingExport(), readyExport("242.0.0.10"), readyExport("fd42::10"), export(func(e *rook.Export) { e.Identity = "" })}
	deployments := []*appsv1.Deployment{
		monAt("10.96.0.1"), monAt(""), monAt("242.0.0.10"), renamed(monAt("10.96.0.1"), "other"),
		osdWith("-f"), osdWith("--public-addr"), osdWith("--ms-bind-ipv6=false"), osdAt("242.0.0.10"),
		{},
	}
	for _, gaveUp := range []reason.Code{"", reason.HoldTimedOut, reason.HoldFull, reason.ShuttingDown, reason.InternalFault} {
		for _, cluster := range clusters {
			for _, e := range exports {
				for _, incoming := range deployments {
					for _, stored := range deployments {
						d := decide(rook.DeploymentFacts{New: incoming, Stored: stored, Cluster: cluster, Export: e, GaveUp: gaveUp})
						require.Contains(t, []rook.Action{rook.Allow, rook.Rewrite}, d.Action)
						require.NotEmpty(t, d.Code)
					}
				}
			}
		}
	}
}

func TestAnActionHasAName(t *testing.T) {
	require.Equal(t, "store and refuse", rook.StoreAndRefuse.String())
	require.Equal(t, "Action(9)", rook.Action(9).String())
}
