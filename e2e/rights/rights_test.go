// Package rights_test takes each right of the shipped roles away, one after the other, and tells what is missed without it.
package rights_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// row is a right of the shipped roles, and what a user misses without it.
type row struct {
	// right names the verbs and the resource, and the object where it is limited to one.
	right  string
	missed scenario
	// says is what the user reads then.
	says string
	// besides are rights on kinds that tell the same and need not be installed: they are taken away as well, and before.
	besides []string
}

const (
	ingressIPs = "list, watch globalingressips.submariner.io"
	imports    = "list, watch serviceimports.multicluster.x-k8s.io"
	submariner = "list, watch submariners.submariner.io"
	clusters   = "list, watch clusters.submariner.io"
	property   = "list, watch clusterproperties.about.k8s.io"
)

var rows = []row{
	{right: "list, watch namespaces", missed: replicaStarts, says: "cannot list"},
	{right: "list, watch cephclusters.ceph.rook.io", missed: replicaStarts, says: "cannot list"},
	{right: "list, watch deployments.apps", missed: replicaStarts, says: "cannot list"},
	{right: "list, watch services", missed: replicaStarts, says: "cannot list"},
	{right: "list, watch serviceexports.multicluster.x-k8s.io", missed: replicaStarts, says: "cannot list"},
	{right: "list, watch configmaps", missed: replicaStarts, says: "cannot list"},
	{right: "list, watch customresourcedefinitions.apiextensions.k8s.io", missed: replicaStarts, says: "cannot list"},
	{right: "list, watch mutatingwebhookconfigurations.admissionregistration.k8s.io rook-clusterset", missed: replicaStarts, says: "cannot list"},

	{right: "get certificates.cert-manager.io rook-clusterset-serving in rook-clusterset", missed: explained, says: "load the serving certificate"},

	{right: "get services", missed: osdIsBorn, says: "cannot get"},
	{right: "create services", missed: osdIsBorn, says: "cannot create"},
	{right: "patch services", missed: osdIsBorn, says: "cannot patch"},
	{right: "get deployments.apps", missed: osdIsBorn, says: "cannot get"},
	{right: "get serviceexports.multicluster.x-k8s.io", missed: osdIsBorn, says: "cannot get"},
	{right: "create serviceexports.multicluster.x-k8s.io", missed: osdIsBorn, says: "cannot create"},
	{right: "patch serviceexports.multicluster.x-k8s.io", missed: osdIsBorn, says: "cannot patch"},

	{right: imports, missed: osdIsBornAnew, says: "refused", besides: []string{ingressIPs}},
	{right: ingressIPs, missed: osdIsBornAnew, says: "refused", besides: []string{imports}},
	{right: "list servicecidrs.networking.k8s.io", missed: osdIsBornByDNS, says: "cannot list", besides: []string{ingressIPs, imports}},
	{right: submariner, missed: osdIsBornByDNS, says: "refused", besides: []string{ingressIPs, imports, property}},
	{right: property, missed: osdIsBornByDNS, says: "refused", besides: []string{ingressIPs, imports, submariner}},
	{right: clusters, missed: osdIsBornByDNS, says: "refused", besides: []string{ingressIPs, imports, submariner}},

	{right: "get configmaps rook-ceph-mon-endpoints", missed: comesUp, says: "cannot get"},
	{right: "update configmaps rook-ceph-mon-endpoints", missed: comesUp, says: "cannot update"},
	{right: "create configmaps", missed: comesUp, says: "cannot create"},
	{right: "get configmaps rook-clusterset-remembered", missed: comesUp, says: "cannot get"},
	{right: "patch configmaps rook-clusterset-remembered", missed: comesUp, says: "cannot patch"},
	{right: "delete configmaps rook-clusterset-reload", missed: comesUp, says: "cannot delete"},
	{right: "get globalingressips.submariner.io", missed: comesUp, says: "could not be stored"},
	{right: "get serviceimports.multicluster.x-k8s.io", missed: comesUp, says: "could not be stored"},

	{right: "list cephclusteraddresses.rook-clusterset.io", missed: machinesAreTold, says: "cannot list"},
	{right: "create cephclusteraddresses.rook-clusterset.io", missed: machinesAreTold, says: "cannot create"},
	{right: "patch cephclusteraddresses/status.rook-clusterset.io", missed: machinesAreTold, says: "cannot patch"},

	{right: "get namespaces", missed: statusSays, says: "cannot get"},
	{right: "list endpointslices.discovery.k8s.io in rook-clusterset", missed: unserved, says: "NAMESPACE"},

	{right: "delete serviceexports.multicluster.x-k8s.io", missed: orphanGoes, says: "cannot delete"},
	{right: "delete services", missed: orphanGoes, says: "cannot delete"},

	{right: "update deployments/scale.apps", missed: moves, says: "cannot update"},
	{right: "patch deployments.apps", missed: moves, says: "cannot patch"},

	{right: "create events.events.k8s.io", missed: eventTells, says: "cannot create"},
	{right: "patch events.events.k8s.io", missed: eventTells, says: "cannot patch"},

	{right: "create tokenreviews.authentication.k8s.io", missed: metricsAre, says: "500"},
	{right: "create subjectaccessreviews.authorization.k8s.io", missed: metricsAre, says: "500"},

	{right: "create leases.coordination.k8s.io in rook-clusterset", missed: leads, says: "cannot create"},
	{right: "get leases.coordination.k8s.io rook-clusterset-exporter in rook-clusterset", missed: leads, says: "cannot get"},
	{right: "update leases.coordination.k8s.io rook-clusterset-exporter in rook-clusterset", missed: leads, says: "cannot update"},
	{right: "create events in rook-clusterset", missed: leads, says: "cannot create"},
	{right: "patch events in rook-clusterset", missed: leads, says: "cannot patch"},
}

func TestEachRightIsMissed(t *testing.T) {
	h := newHouse(t)
	t.Cleanup(func() {
		if t.Failed() {
			dir, err := h.world.Plane.KeepLogs(t.Name())
			t.Logf("the logs of the replicas are kept in %s (%v)", dir, err)
		}
	})
	var listed []string
	for _, r := range rows {
		listed = append(listed, r.right)
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(h.rights)), listed, "each right of the roles has its row")
	for i, r := range rows {
		t.Run(strings.ReplaceAll("without the right to "+r.right, "/", "_"), func(t *testing.T) {
			h.t = t
			h.without(r.right, r.besides...)
			err := r.missed.run(h)
			require.ErrorContains(t, err, r.says, "nobody misses it: %s", r.missed.what)
			t.Logf("not so: %s: %v", r.missed.what, err)
		})
		// In the end it has to go well, with all that was left undone.
		if i+1 == len(rows) || rows[i+1].missed.what != r.missed.what || len(r.besides) > 0 {
			t.Run("with all others, "+r.missed.what, func(t *testing.T) {
				h.t = t
				h.without("", r.besides...)
				require.NoError(t, r.missed.run(h))
				if len(r.besides) > 0 {
					// A replica that found a kind that it may not read does not look again for a while.
					h.without("")
					require.NoError(t, h.takeOver())
				}
			})
		}
	}
}
