package rook

import (
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// Cluster is what is known of a CephCluster.
type Cluster struct {
	Namespace, Name string
	UID             types.UID
	HostNetwork     bool
	// NativeMultiCluster says that Rook itself exports the daemons.
	NativeMultiCluster bool
	External           bool
	// Multus says that the daemons are reached over networks of their own and not over their Services.
	Multus bool
	// AddressRanges says that the daemons are told in which ranges their addresses lie.
	AddressRanges bool
	// IPv6 says that the daemons speak IPv6, and DualStack that they speak IPv4 beside it.
	IPv6, DualStack bool
	// IPv6GlobalIPs says that global IPs here can be IPv6. It stands in our settings: Submariner knows IPv4 alone.
	IPv6GlobalIPs bool
	// Msgr2Only says that the daemons speak only the second version of Ceph's protocol.
	Msgr2Only bool
	// CephVersion is as Rook writes it, for example 18.2.7-0.
	CephVersion string
	Phase       string
	// MonCount is how many mons are wanted; zero means that it does not say.
	MonCount int
	// Deleting says that somebody has asked for the end of the CephCluster.
	Deleting bool
	// RookVersion does not stand in a CephCluster but in the label RookVersionLabel of what Rook makes of it.
	RookVersion string
}

// ReadCluster returns what stands in a CephCluster. Fields that are missing, or not of the type that Rook gives them, count as unset.
func ReadCluster(u *unstructured.Unstructured) Cluster {
	is := func(path ...string) bool {
		value, _, err := unstructured.NestedBool(u.Object, path...)
		return err == nil && value
	}
	text := func(path ...string) string {
		value, _, err := unstructured.NestedString(u.Object, path...)
		if err != nil {
			return ""
		}
		return value
	}
	has := func(path ...string) bool {
		value, _, err := unstructured.NestedFieldNoCopy(u.Object, path...)
		entries, isMap := value.(map[string]any)
		items, isList := value.([]any)
		return err == nil && (isMap && len(entries) > 0 || isList && len(items) > 0)
	}
	count, _, err := unstructured.NestedInt64(u.Object, "spec", "mon", "count")
	if err != nil {
		count = 0
	}
	return Cluster{
		Namespace:          u.GetNamespace(),
		Name:               u.GetName(),
		UID:                u.GetUID(),
		HostNetwork:        text("spec", "network", "provider") == "host" || is("spec", "network", "hostNetwork"),
		NativeMultiCluster: is("spec", "network", "multiClusterService", "enabled"),
		External:           is("spec", "external", "enable"),
		Multus:             text("spec", "network", "provider") == "multus" || has("spec", "network", "selectors"),
		AddressRanges:      has("spec", "network", "addressRanges", "public") || has("spec", "network", "addressRanges", "cluster"),
		IPv6:               text("spec", "network", "ipFamily") == "IPv6",
		DualStack:          is("spec", "network", "dualStack"),
		// Rook's own RequireMsgr2(): encryption and compression exist in the second version alone.
		Msgr2Only: is("spec", "network", "connections", "requireMsgr2") ||
			is("spec", "network", "connections", "encryption", "enabled") ||
			is("spec", "network", "connections", "compression", "enabled"),
		CephVersion: text("status", "version", "version"),
		Phase:       text("status", "phase"),
		MonCount:    int(count),
		Deleting:    u.GetDeletionTimestamp() != nil,
	}
}

// IsReady says that the last reconcile of Rook has succeeded and none is under way.
func (c Cluster) IsReady() bool { return c.Phase == phaseReady }

var (
	// leastRook keeps the addresses of mons in the ConfigMap and gives every OSD its ROOK_POD_IP.
	leastRook = []int{1, 11, 0}
	// leastCeph lets an OSD bind another address than it advertises.
	leastCeph = []int{17, 2, 6}
)

// StandAside returns why the cluster must be left alone, or nothing if it is to be served. A version that is not known
// yet, or that cannot be read, is served: Rook writes it only after its first look at the image.
func (c Cluster) StandAside() reason.Code {
	switch {
	case c.External:
		return reason.ExternalCluster
	case c.NativeMultiCluster:
		return reason.NativeMultiCluster
	case c.HostNetwork:
		return reason.ClusterHostNetwork
	case c.Multus:
		return reason.ClusterMultus
	case c.AddressRanges:
		return reason.ClusterAddressRanges
	case c.IPv6 && !c.DualStack && !c.IPv6GlobalIPs:
		return reason.ClusterSingleStack
	case olderThan(c.RookVersion, leastRook):
		return reason.RookTooOld
	case olderThan(c.CephVersion, leastCeph):
		return reason.CephTooOld
	}
	return ""
}

// olderThan compares the leading numbers of a version such as v1.20.6, 17.2.6-0 or v1.20.0-alpha.0.12.g1234.
func olderThan(version string, least []int) bool {
	core, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), "-")
	parts := strings.Split(core, ".")
	if len(parts) < 2 {
		return false
	}
	numbers := make([]int, len(least))
	for i := range min(len(parts), len(least)) {
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < 0 {
			return false
		}
		numbers[i] = n
	}
	return slices.Compare(numbers, least) < 0
}
