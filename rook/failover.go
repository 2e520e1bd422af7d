package rook

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// FailoverUnderWay returns what shows that Rook is replacing a mon, or is about to, and nothing where every mon is in its place.
// The phase of the CephCluster stays Ready meanwhile, so that the objects have to tell: in a failover Rook notes the mon as
// out of quorum and scales it to 0, makes the Service of the next letter, lists that and creates its Deployment in either
// order, and takes away the first mon's entry, Service and Deployment last (rook v1.20 pkg/operator/ceph/cluster/mon/health.go).
func FailoverUnderWay(cluster Cluster, endpoints *corev1.ConfigMap, mons map[string]DaemonFacts) string {
	if endpoints == nil {
		return ""
	}
	if out := strings.Trim(endpoints.Data[EndpointsOutOfQuorum], ", "); out != "" {
		return fmt.Sprintf("mon %q is out of quorum", out)
	}
	listed := map[string]bool{}
	for id := range Listed(endpoints) {
		if CanBeDaemon(endpoints, id) {
			listed[id] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(mons)) {
		switch m := mons[id]; {
		case m.Deployed && m.Stopped:
			return fmt.Sprintf("mon %q is scaled to 0", id)
		case m.Deployed && !listed[id]:
			return fmt.Sprintf("mon %q has a Deployment and is not listed", id)
		case !m.Deployed && !listed[id] && len(m.ClusterIPs) > 0:
			return fmt.Sprintf("mon %q has a Service and is not listed", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(listed)) {
		// A floating mon, which keeps its ClusterIP, has a Deployment of another kind.
		if m := mons[id]; !m.Deployed && m.Export.Identity != IdentityCluster {
			return fmt.Sprintf("mon %q is listed and has no Deployment", id)
		}
	}
	if wanted := cluster.MonCount; wanted > 0 && len(listed) > wanted {
		return fmt.Sprintf("%d mons are listed where %d are wanted", len(listed), wanted)
	}
	return ""
}
