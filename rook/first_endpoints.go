package rook

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// disasterProtection is the finalizer of the mon endpoints (rook v1.19 pkg/operator/ceph/cluster/mon/mon.go).
const disasterProtection = "ceph.rook.io/disaster-protection"

// FirstEndpoints returns the mon endpoints by which Rook can bring up its first mon: those that live, which may be nil, with
// their entries put right and with the mons to be born, each by the Service that the CephCluster owns and the address of its
// export. It is nil if nothing has to be stored: Rook reaches a mon by what lives, or no mon has its address yet. Of the write
// that asks for it nothing is taken, because anybody who reaches the webhook can send one.
func FirstEndpoints(live *corev1.ConfigMap, cluster Cluster, mons map[string]DaemonFacts) *corev1.ConfigMap {
	if live == nil && slices.ContainsFunc(slices.Collect(maps.Values(mons)), func(m DaemonFacts) bool { return m.Deployed }) {
		// A list that is lost while mons live is for a person to restore.
		return nil
	}
	if live != nil && isAbsurdList(live.Data[EndpointsDataKey]) {
		return nil
	}
	stored := emptyEndpoints(cluster)
	if live != nil {
		stored = live.DeepCopy()
	}
	if stored.Data == nil {
		stored.Data = map[string]string{}
	}
	listed := Listed(stored)
	stored.Data[EndpointsDataKey] = withBirths(stored.Data[EndpointsDataKey], listed, cluster, mons)
	truth := map[string]netip.Addr{}
	for _, r := range (EndpointsFacts{New: stored, Mons: mons}).table() {
		_, isListed := listed[r.ID]
		switch {
		case isListed && r.standing.isReached():
			return nil
		case isListed && r.standing.isCorrected(), r.standing == unborn:
			truth[r.ID] = r.truth
		}
	}
	if len(truth) == 0 {
		return nil
	}
	stored.Data[EndpointsDataKey], _, _ = CorrectEndpoints(withoutWaiting(stored.Data[EndpointsDataKey], listed, truth), truth)
	stored.Data[EndpointsCSIKey] = withMonitors(stored.Data[EndpointsCSIKey], stored.Namespace, stored.Data[EndpointsDataKey])
	return stored
}

// withoutWaiting drops again the mons to be born whose address is not known.
func withoutWaiting(data string, listed, truth map[string]netip.Addr) string {
	kept := slices.DeleteFunc(slices.Collect(entries(data)), func(text string) bool {
		e, err := parseEndpoint(text)
		_, isListed := listed[e.ID]
		_, known := truth[e.ID]
		return err == nil && !isListed && !known
	})
	return strings.Join(kept, ",")
}

// withBirths adds to a list the mons to be born that it lacks, as Rook would write them.
func withBirths(data string, listed map[string]netip.Addr, cluster Cluster, mons map[string]DaemonFacts) string {
	texts := slices.Collect(entries(data))
	for _, id := range slices.Sorted(maps.Keys(mons)) {
		m := mons[id]
		_, isListed := listed[id]
		if isListed || m.Deployed || m.Port == 0 || m.ServiceOwner != cluster.UID || len(m.ClusterIPs) == 0 {
			continue
		}
		texts = append(texts, Endpoint{ID: id, Addr: netip.AddrPortFrom(m.ClusterIPs[0], m.Port)}.String())
	}
	return strings.Join(texts, ",")
}

// emptyEndpoints is what Rook stores of a CephCluster before its first mon.
func emptyEndpoints(cluster Cluster) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       cluster.Namespace,
			Name:            MonEndpointsName,
			OwnerReferences: []metav1.OwnerReference{ControlledBy(cluster)},
			Finalizers:      []string{disasterProtection},
		},
		Data: map[string]string{
			EndpointsDataKey:      "",
			EndpointsMaxMonIDKey:  "-1",
			EndpointsMappingKey:   `{"node":{}}`,
			EndpointsOutOfQuorum:  "",
			EndpointsExternalMons: "",
			EndpointsCSIKey:       `[{"clusterID":"` + cluster.Namespace + `","monitors":[],"namespace":""}]`,
		},
	}
}

// withMonitors gives the cluster of a namespace in a csi-cluster-config-json the monitors of a list. What cannot be read stays.
func withMonitors(text, namespace, data string) string {
	endpoints, _ := ParseEndpoints(data)
	monitors := make([]string, len(endpoints))
	for i, e := range endpoints {
		monitors[i] = e.Addr.String()
	}
	raw, err := json.Marshal(monitors)
	var clusters []map[string]json.RawMessage
	if err != nil || json.Unmarshal([]byte(text), &clusters) != nil {
		return text
	}
	for _, c := range clusters {
		if cmp.Or(textOf(c["namespace"]), textOf(c["clusterID"])) == namespace {
			c[csiMonitorsKey] = raw
		}
	}
	if written, err := json.Marshal(clusters); err == nil {
		return string(written)
	}
	return text
}

func textOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}
