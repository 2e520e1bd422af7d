package rook_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestANameTellsTheDaemon(t *testing.T) {
	for name, want := range map[string]rook.Daemon{
		"rook-ceph-mon-a":              {Type: rook.Mon, ID: "a"},
		"rook-ceph-mon-ab":             {Type: rook.Mon, ID: "ab"},
		"rook-ceph-osd-0":              {Type: rook.OSD, ID: "0"},
		"rook-ceph-osd-128":            {Type: rook.OSD, ID: "128"},
		"rook-ceph-mon-a-canary":       {},
		"rook-ceph-osd-prepare-node-a": {},
		"rook-ceph-osd-":               {},
		"rook-ceph-mon":                {},
		"rook-ceph-mgr-a":              {},
		"rook-ceph-osd-a":              {},
		"other-rook-ceph-mon-a":        {},
	} {
		kind, id, ok := rook.ParseName(name)
		require.Equal(t, want, rook.Daemon{Type: kind, ID: id}, name)
		require.Equal(t, want != rook.Daemon{}, ok, name)
		if ok {
			require.Equal(t, name, want.Name())
		}
	}
}

func TestOnlyMonsAndOSDsThatRookWroteAreOurs(t *testing.T) {
	for name, c := range map[string]struct {
		golden string
		change func(d *appsv1.Deployment)
		daemon rook.Daemon
		code   reason.Code
	}{
		"a mon is": {
			golden: "mon-v1.11.11-port-6789", daemon: rook.Daemon{Type: rook.Mon, ID: "a", Namespace: "rook-ceph", Cluster: "rook-ceph"},
		},
		"an OSD is": {
			golden: "osd-v1.20.6-node", daemon: rook.Daemon{Type: rook.OSD, ID: "3", Namespace: "rook-ceph", Cluster: "rook-ceph"},
		},
		"one of a later version of the CephCluster is": {
			golden: "mon-v1.11.11-port-6789", change: func(d *appsv1.Deployment) { d.OwnerReferences[0].APIVersion = "ceph.rook.io/v2" },
			daemon: rook.Daemon{Type: rook.Mon, ID: "a", Namespace: "rook-ceph", Cluster: "rook-ceph"},
		},
		"a canary is not, by its label": {
			golden: "mon-v1.17.9-canary", change: func(d *appsv1.Deployment) { d.Name = "rook-ceph-mon-a" }, code: reason.Canary,
		},
		"a canary is not, by its name": {
			golden: "mon-v1.17.9-canary", change: func(d *appsv1.Deployment) { delete(d.Labels, rook.CanaryLabel) }, code: reason.Canary,
		},
		"a floating mon is not": {golden: "mon-v1.20.6-floating", code: reason.FloatingMon},
		"a mgr is not":          {golden: "mgr-v1.20.6", code: reason.NotRookDaemon},
		"one without labels is not": {
			golden: "mon-v1.11.11-port-6789", change: func(d *appsv1.Deployment) { d.Labels = nil }, code: reason.NotRookDaemon,
		},
		"one whose ID is not that of its name is not": {
			golden: "mon-v1.11.11-port-6789", change: func(d *appsv1.Deployment) { d.Labels[rook.DaemonIDLabel] = "b" }, code: reason.NotRookDaemon,
		},
		"one whose type is not that of its app is not": {
			golden: "mon-v1.11.11-port-6789", change: func(d *appsv1.Deployment) { d.Labels[rook.DaemonTypeLabel] = "osd" }, code: reason.NotRookDaemon,
		},
		"one whose app is not that of its type is not": {
			golden: "mon-v1.11.11-port-6789", change: func(d *appsv1.Deployment) { d.Labels[rook.AppLabel] = rook.OSDApp }, code: reason.NotRookDaemon,
		},
		"one whose name is not that of its app is not": {
			golden: "mon-v1.11.11-port-6789", change: func(d *appsv1.Deployment) { d.Name = "rook-ceph-osd-0" }, code: reason.NotRookDaemon,
		},
		"one without an owner is not": {
			golden: "osd-v1.20.6-node", change: func(d *appsv1.Deployment) { d.OwnerReferences = nil }, code: reason.ForeignOwner,
		},
		"one whose owner does not control it is not": {
			golden: "osd-v1.20.6-node", change: func(d *appsv1.Deployment) { d.OwnerReferences[0].Controller = nil }, code: reason.ForeignOwner,
		},
		"one of another kind of owner is not": {
			golden: "osd-v1.20.6-node", change: func(d *appsv1.Deployment) { d.OwnerReferences[0].Kind = "CephFilesystem" }, code: reason.ForeignOwner,
		},
		"one of a CephCluster of another group is not": {
			golden: "osd-v1.20.6-node", change: func(d *appsv1.Deployment) { d.OwnerReferences[0].APIVersion = "ceph.example.net/v1" }, code: reason.ForeignOwner,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := goldenNamed(t, c.golden).in
			if c.change != nil {
				c.change(d)
			}
			daemon, code := rook.IdentifyOurs(d)
			require.Equal(t, c.code, code)
			require.Equal(t, c.daemon, daemon)
		})
	}
}

func TestADaemonIsKnownByItsNameAndLabelsWhoeverOwnsIt(t *testing.T) {
	for name, c := range map[string]struct {
		owners  func([]metav1.OwnerReference) []metav1.OwnerReference
		cluster string
	}{
		"its CephCluster": {func(o []metav1.OwnerReference) []metav1.OwnerReference { return o }, "rook-ceph"},
		"nobody":          {func([]metav1.OwnerReference) []metav1.OwnerReference { return nil }, ""},
		"something else": {func(o []metav1.OwnerReference) []metav1.OwnerReference {
			o[0].Kind = "CephFilesystem"
			return o
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := goldenNamed(t, "mon-v1.11.11-port-6789").in
			d.OwnerReferences = c.owners(d.OwnerReferences)
			daemon, code := rook.Identify(d)
			require.Empty(t, code)
			require.Equal(t, rook.Daemon{Type: rook.Mon, ID: "a", Namespace: "rook-ceph", Cluster: c.cluster}, daemon)
		})
	}
}

func TestADaemonIsNamedWithItsTypeAndID(t *testing.T) {
	require.Equal(t, `mon "a"`, rook.Daemon{Type: rook.Mon, ID: "a"}.String())
}
