package shapes

import "k8s.io/apimachinery/pkg/runtime/schema"

// Names that Rook gives to things.
const (
	// EndpointsConfigMap holds the address of each mon.
	EndpointsConfigMap = "rook-ceph-mon-endpoints"
	// ConfigSecret holds mon_host, which every daemon reads at its start.
	ConfigSecret = "rook-ceph-config"
	// CSIConfigMap holds the addresses of the mons for the CSI drivers, in the namespace of the operator.
	CSIConfigMap = "rook-ceph-csi-config"
	// ActiveMons begins the names of the EndpointSlices of the mons; the family follows.
	ActiveMons = "rook-ceph-active-mons-"
	// IdentitySecret holds the fsid and the keys of the cluster.
	IdentitySecret = "rook-ceph-mon"

	// MonApp and OSDApp are the label app of the daemons; OSDApp names the ServiceAccount of OSDs and prepare jobs too.
	MonApp = "rook-ceph-mon"
	OSDApp = "rook-ceph-osd"
	// CanaryLabel is on the Deployment that is scheduled in the stead of a mon.
	CanaryLabel = "mon_canary"

	// Msgr1Port and Msgr2Port are those of a mon.
	Msgr1Port = 6789
	Msgr2Port = 3300
)

// Keys of EndpointsConfigMap; the last is one of CSIConfigMap too.
const (
	EndpointsKey   = "data"
	MaxMonIDKey    = "maxMonId"
	MappingKey     = "mapping"
	OutOfQuorumKey = "outOfQuorum"
	CSIKey         = "csi-cluster-config-json"
)

// Kinds of Rook and of the CSI operator.
var (
	CephClusterKind    = schema.GroupVersionKind{Group: "ceph.rook.io", Version: "v1", Kind: "CephCluster"}
	CephConnectionKind = schema.GroupVersionKind{Group: "csi.ceph.io", Version: "v1", Kind: "CephConnection"}
)

// MonName returns the name of the mon of that index: a to z, then aa.
func MonName(index int) string {
	name := ""
	for index >= 0 {
		name = string(rune('a'+index%26)) + name
		index = index/26 - 1
	}
	return name
}

// MonIndex is the inverse of MonName; it returns -1 for what is no name of a mon.
func MonIndex(name string) int {
	index := 0
	for _, letter := range name {
		if letter < 'a' || letter > 'z' {
			return -1
		}
		index = index*26 + int(letter-'a') + 1
	}
	return index - 1
}

// MonResource names what is about one mon.
func MonResource(id string) string { return "rook-ceph-mon-" + id }
