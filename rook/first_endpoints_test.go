package rook_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func dataOf(c *corev1.ConfigMap) string {
	if c == nil {
		return ""
	}
	return c.Data[rook.EndpointsDataKey]
}

func TestWhatIsStoredForTheFirstMonFollowsFromTheCluster(t *testing.T) {
	type mons = map[string]rook.DaemonFacts
	a, b := newMonWith("242.0.0.1", "10.96.0.1"), newMonWith("242.0.0.2", "10.96.0.2")
	with := func(m rook.DaemonFacts, change func(*rook.DaemonFacts)) rook.DaemonFacts {
		change(&m)
		return m
	}
	for name, c := range map[string]struct {
		live   *corev1.ConfigMap
		mons   mons
		stored string
	}{
		"the first mon, at the address of its export": {endpointsMap(""), mons{"a": a}, "a=242.0.0.1:6789"},
		"one that has the second version of the protocol alone": {
			endpointsMap(""), mons{"a": with(a, func(m *rook.DaemonFacts) { m.Port = 3300 })}, "a=242.0.0.1:3300",
		},
		"one that is stored wrongly": {endpointsMap("a=10.96.0.1:6789"), mons{"a": a}, "a=242.0.0.1:6789"},
		"one whose Service is not as Rook makes it": {
			endpointsMap(""), mons{"a": a, "zz": with(b, func(m *rook.DaemonFacts) { m.Port = 0 })}, "a=242.0.0.1:6789",
		},
		"one whose Service another CephCluster owns": {
			endpointsMap(""), mons{"a": with(a, func(m *rook.DaemonFacts) { m.ServiceOwner = "another" })}, "",
		},
		"one whose Service nobody owns": {endpointsMap(""), mons{"a": with(a, func(m *rook.DaemonFacts) { m.ServiceOwner = "" })}, ""},
		"one at the address of another": {
			endpointsMap(""), mons{"a": a, "b": newMonWith("242.0.0.1", "10.96.0.2")}, "a=242.0.0.1:6789",
		},
		"one that waits for its address is not listed, and no other for it": {
			endpointsMap(""), mons{"a": a, "b": with(b, func(m *rook.DaemonFacts) { m.Export = waitingExport() })}, "a=242.0.0.1:6789",
		},
		"where Rook reaches a mon by what lives, nothing is": {
			endpointsMap("a=242.0.0.1:6789,b=242.0.0.2:6789"), mons{"a": bornMon("242.0.0.1", "10.96.0.1"), "b": bornMon("242.0.0.2", "10.96.0.2"), "d": newMonWith("242.0.0.4", "10.96.0.4")}, "",
		},
		"where the list is lost, nothing is":      {nil, mons{"a": bornMon("242.0.0.1", "10.96.0.1"), "b": b}, ""},
		"what lives stays, though nobody asks it": {endpointsMap("c=10.96.0.3:6789"), mons{"a": a}, "c=10.96.0.3:6789,a=242.0.0.1:6789"},
	} {
		t.Run(name, func(t *testing.T) {
			live := c.live.DeepCopy()
			first := rook.FirstEndpoints(c.live, theCluster, c.mons)
			require.Equal(t, live, c.live)
			require.Equal(t, c.stored, dataOf(first))
			if first == nil {
				return
			}
			wanted := endpointsMap(c.stored)
			require.Equal(t, c.live.ObjectMeta, first.ObjectMeta)
			require.Equal(t, wanted.Data, first.Data)
			require.Nil(t, rook.FirstEndpoints(first, theCluster, c.mons), "nothing more")
		})
	}
}

func TestWhereNoListLivesTheFirstIsComposedAsRookWouldCreateIt(t *testing.T) {
	first := rook.FirstEndpoints(nil, theCluster, map[string]rook.DaemonFacts{"a": newMonWith("242.0.0.1", "10.96.0.1")})
	require.Equal(t, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "rook-ceph", Name: rook.MonEndpointsName, Finalizers: []string{"ceph.rook.io/disaster-protection"},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "my-cluster", UID: "cluster-uid",
				Controller: new(true), BlockOwnerDeletion: new(false),
			}},
		},
		Data: map[string]string{
			"data": "a=242.0.0.1:6789", "maxMonId": "-1", "mapping": `{"node":{}}`, "outOfQuorum": "", "externalMons": "",
			"csi-cluster-config-json": `[{"clusterID":"rook-ceph","monitors":["242.0.0.1:6789"],"namespace":""}]`,
		},
	}, first)
}

func TestTheConfigOfCSIOfOthersStaysWhereAFirstMonIsStored(t *testing.T) {
	live := endpointsMap("")
	mons := map[string]rook.DaemonFacts{"a": newMonWith("242.0.0.1", "10.96.0.1")}
	for text, wanted := range map[string]string{
		`[{"clusterID":"other","monitors":["10.0.0.1:6789"]},{"clusterID":"fs","namespace":"rook-ceph","x":1.0,"monitors":[]}]`: `[{"clusterID":"other","monitors":["10.0.0.1:6789"]},{"clusterID":"fs","monitors":["242.0.0.1:6789"],"namespace":"rook-ceph","x":1.0}]`,
		`[null,{"clusterID":"rook-ceph"}]`: `[null,{"clusterID":"rook-ceph","monitors":["242.0.0.1:6789"]}]`,
		`not JSON`:                         `not JSON`,
		"":                                 "",
	} {
		live.Data[rook.EndpointsCSIKey] = text
		require.Equal(t, wanted, rook.FirstEndpoints(live, theCluster, mons).Data[rook.EndpointsCSIKey])
	}
}
