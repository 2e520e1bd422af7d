package rook

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ControlledBy returns the reference by which the CephCluster controls an object whose deletion Rook is to notice. It does not
// block the deletion of the CephCluster, which would take the right to set the finalizers of CephClusters.
func ControlledBy(c Cluster) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion:         CephGroup + "/" + CephAPIVersion,
		Kind:               CephClusterKind,
		Name:               c.Name,
		UID:                c.UID,
		Controller:         new(true),
		BlockOwnerDeletion: new(false),
	}
}

// Disowned returns the owners without CephClusters, and whether there were any: what hangs on the life of a CephCluster is
// collected with it, and every global IP is freed, although its daemons can be made to live on.
func Disowned(owners []metav1.OwnerReference) ([]metav1.OwnerReference, bool) {
	rest := slices.DeleteFunc(slices.Clone(owners), isCephCluster)
	return rest, len(rest) < len(owners)
}

func isCephCluster(owner metav1.OwnerReference) bool {
	return owner.Kind == CephClusterKind && strings.HasPrefix(owner.APIVersion, CephGroup+"/")
}

// rooksManager stands in the label ManagedByLabel of the Services that Rook makes.
const rooksManager = "rook-ceph-operator"

// IsRooks says whether Rook made a Service or ServiceExport in its own multi-cluster mode: a CephCluster owns it, and nobody else
// says that it is theirs (rook v1.19 pkg/operator/k8sutil/service.go).
func IsRooks(manager string, owners []metav1.OwnerReference) bool {
	return slices.ContainsFunc(owners, isCephCluster) && (manager == "" || manager == rooksManager)
}
