package manifests

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// rights are those that a service account has besides what is shipped: the fence has to hold by itself.
func giveRightsOver(t *testing.T, admin client.Client, group, resource string) {
	t.Helper()
	meta := metav1.ObjectMeta{Name: "too-much-of-" + resource}
	require.NoError(t, admin.Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{group}, Resources: []string{resource, resource + "/status"}, Verbs: []string{"*"},
	}}}))
	require.NoError(t, admin.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: "rook-clusterset", Namespace: "rook-clusterset"}},
	}))
}

func addressesOf(namespace, name string, owners ...metav1.OwnerReference) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion("rook-clusterset.io/v1alpha1")
	o.SetKind("CephClusterAddresses")
	o.SetNamespace(namespace)
	o.SetName(name)
	o.SetOwnerReferences(owners)
	return o
}

func TestTheManagerTellsMachinesUnderItsFence(t *testing.T) {
	manager, admin := fenced(t)
	ctx := t.Context()
	require.NoError(t, admin.Create(ctx, one[*apiextensionsv1.CustomResourceDefinition](t, "cephclusteraddresses.rook-clusterset.io"), client.FieldValidation(metav1.FieldValidationStrict)))
	owner := metav1.OwnerReference{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "rook-ceph", UID: "u"}
	require.Eventually(t, func() bool {
		return apierrors.IsInvalid(manager.Create(ctx, addressesOf("off", "rook-ceph", owner)))
	}, time.Minute, 100*time.Millisecond, "the kind is served and fenced")
	made := addressesOf("rook-ceph", "rook-ceph", owner)
	require.NoError(t, manager.Create(ctx, made))
	conditions, _, err := unstructured.NestedSlice(made.Object, "status", "conditions")
	require.NoError(t, err)
	require.Len(t, conditions, 1)
	require.Equal(t, "Unknown", conditions[0].(map[string]any)["status"], "whoever waits for Ready does not take a new object for a ready one")
	status := client.RawPatch(types.MergePatchType, []byte(`{"status":{"observedGeneration":1,"daemons":6,"atGlobalIPs":6,"conditions":[
	  {"type":"Ready","status":"True","reason":"Ok","message":"all 6","observedGeneration":1,"lastTransitionTime":"2026-03-01T12:00:00Z"}]}}`))
	require.NoError(t, manager.Status().Patch(ctx, made, status))
	// One that an admin applied has no owner, and may stand where nothing is switched on.
	for _, namespace := range []string{"rook-ceph", "off"} {
		admins := addressesOf(namespace, "my-cluster")
		require.NoError(t, admin.Create(ctx, admins))
		require.NoError(t, manager.Status().Patch(ctx, admins, status))
	}
	require.ErrorContains(t, manager.Delete(ctx, made.DeepCopy()), "forbidden", "the shipped rights do not reach so far")
	giveRightsOver(t, admin, "rook-clusterset.io", "cephclusteraddresses")
	require.Eventually(t, func() bool { return apierrors.IsInvalid(manager.Delete(ctx, made.DeepCopy())) }, time.Minute, 100*time.Millisecond)
	blocks := owner
	blocks.BlockOwnerDeletion = new(true)
	other := owner
	other.Kind, other.APIVersion = "Secret", "v1"
	held := addressesOf("rook-ceph", "held", metav1.OwnerReference{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "held", UID: "u"})
	held.SetFinalizers([]string{"rook-clusterset.io/held"})
	for name, attempt := range map[string]error{
		"labels of one that is there":      manager.Patch(ctx, made.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`))),
		"one that nothing owns":            manager.Create(ctx, addressesOf("rook-ceph", "a")),
		"one of another name":              manager.Create(ctx, addressesOf("rook-ceph", "b", owner)),
		"one of another kind":              manager.Create(ctx, addressesOf("rook-ceph", "rook-ceph", other)),
		"one that holds back a deletion":   manager.Create(ctx, addressesOf("rook-ceph", "rook-ceph", blocks)),
		"one that holds itself":            manager.Create(ctx, held),
		"one where nothing is switched on": manager.Create(ctx, addressesOf("off", "rook-ceph", owner)),
	} {
		require.True(t, apierrors.IsInvalid(attempt), "%s: %v", name, attempt)
	}
}
