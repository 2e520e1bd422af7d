package rookstandin

import "k8s.io/apimachinery/pkg/runtime/schema"

// Names that Rook gives to things.
const (
	// EndpointsConfigMap holds the address of each mon.
	EndpointsConfigMap = "rook-ceph-mon-endpoints"
	// ConfigSecret holds mon_host, which every daemon reads at its start.
	ConfigSecret = "rook-ceph-config"
	// CSIConfigMap holds the addresses of the mons for the CSI drivers, in the namespace of the operator.
	CSIConfigMap = "rook-ceph-csi-config"
	// OperatorServiceAccount is the ServiceAccount of the operator.
	OperatorServiceAccount = "rook-ceph-system"

	// ConfigOverride holds the ceph.conf of every daemon: what stands in it is the user's.
	ConfigOverride = "rook-config-override"

	// prepareServiceAccount is that of the jobs which prepare OSDs, and of the OSDs.
	prepareServiceAccount = "rook-ceph-osd"

	monApp         = "rook-ceph-mon"
	osdApp         = "rook-ceph-osd"
	mgrApp         = "rook-ceph-mgr"
	activeMonsName = "rook-ceph-active-mons"
	monSecret      = "rook-ceph-mon"
	monsKeyring    = "rook-ceph-mons-keyring"
	adminKeyring   = "rook-ceph-admin-keyring"
	// peerTokenPrefix goes before the name of the CephCluster in that of the Secret for its peers.
	peerTokenPrefix = "cluster-peer-token-"

	dataKey         = "data"
	maxMonIDKey     = "maxMonId"
	mappingKey      = "mapping"
	outOfQuorumKey  = "outOfQuorum"
	csiKey          = "csi-cluster-config-json"
	externalMonsKey = "externalMons"

	canaryLabel        = "mon_canary"
	skipReconcileLabel = "ceph.rook.io/do-not-reconcile"
	protectionFinal    = "ceph.rook.io/disaster-protection"

	mgrID = "a"

	msgr1Port = 6789
	msgr2Port = 3300
)

// Kinds of Rook and of the CSI operator.
var (
	CephClusterKind    = schema.GroupVersionKind{Group: "ceph.rook.io", Version: "v1", Kind: "CephCluster"}
	CephConnectionKind = schema.GroupVersionKind{Group: "csi.ceph.io", Version: "v1", Kind: "CephConnection"}
	clientProfileKind  = schema.GroupVersionKind{Group: "csi.ceph.io", Version: "v1", Kind: "ClientProfile"}
	serviceExportKind  = schema.GroupVersionKind{Group: "multicluster.x-k8s.io", Version: "v1alpha1", Kind: "ServiceExport"}
)

// monName returns the name of the mon of that index: a to z, then aa.
func monName(index int) string {
	name := ""
	for index >= 0 {
		name = string(rune('a'+index%26)) + name
		index = index/26 - 1
	}
	return name
}

// monIndex is the inverse of monName; it returns -1 for what is no name of a mon.
func monIndex(name string) int {
	index := 0
	for _, letter := range name {
		if letter < 'a' || letter > 'z' {
			return -1
		}
		index = index*26 + int(letter-'a') + 1
	}
	return index - 1
}

func monResource(id string) string { return "rook-ceph-mon-" + id }
func osdResource(id string) string { return "rook-ceph-osd-" + id }
