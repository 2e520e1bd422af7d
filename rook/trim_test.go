package rook_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// fieldsOf names every field that the object has, without the numbers of list entries.
func fieldsOf(t *testing.T, object any) []string {
	t.Helper()
	raw, err := json.Marshal(object)
	require.NoError(t, err)
	var content any
	require.NoError(t, json.Unmarshal(raw, &content))
	fields := map[string]bool{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			for key, child := range v {
				walk(path+"."+key, child)
			}
		case []any:
			for _, child := range v {
				walk(path+"[]", child)
			}
		case nil:
		default:
			fields[strings.TrimPrefix(path, ".")] = true
		}
	}
	walk("", content)
	return slices.Sorted(maps.Keys(fields))
}

func TestWhatIsKeptOfADeploymentIsWhatIsRead(t *testing.T) {
	full := goldenNamed(t, "osd-v1.20.6-already-right").in.DeepCopy()
	full.UID, full.ResourceVersion, full.Generation = "uid", "7", 3
	full.Labels[rook.SkipReconcileLabel] = "true"
	full.Annotations = map[string]string{rook.AskedAnnotation: "242.0.0.7 2026-01-01T00:00:00Z", "others": "big"}
	since := metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	full.Status = appsv1.DeploymentStatus{
		ObservedGeneration: 3, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1, ReadyReplicas: 1,
		Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentProgressing, Message: "long"},
			{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, LastTransitionTime: since, Message: "long"},
		},
	}
	kept := rook.TrimDeployment(full)
	require.Equal(t, rook.ReadRollout(full), rook.ReadRollout(kept))
	require.True(t, rook.ReadRollout(kept).Available)
	require.Equal(t, []string{
		"metadata.annotations.rook-clusterset.io/asked", "metadata.generation", "metadata.labels.app",
		"metadata.labels.ceph.rook.io/do-not-reconcile", "metadata.labels.ceph_daemon_id", "metadata.labels.ceph_daemon_type",
		"metadata.labels.rook-version", "metadata.name", "metadata.namespace", "metadata.ownerReferences[].apiVersion",
		"metadata.ownerReferences[].blockOwnerDeletion", "metadata.ownerReferences[].controller", "metadata.ownerReferences[].kind",
		"metadata.ownerReferences[].name", "metadata.ownerReferences[].uid", "metadata.resourceVersion", "metadata.uid",
		"spec.replicas", "spec.template.spec.containers[].args[]", "spec.template.spec.containers[].name",
		"status.availableReplicas", "status.conditions[].lastTransitionTime", "status.conditions[].status", "status.conditions[].type",
		"status.observedGeneration", "status.replicas", "status.updatedReplicas",
	}, fieldsOf(t, kept))
	require.Len(t, kept.Spec.Template.Spec.Containers[0].Args, 1)
}

func TestADeploymentOfWhichTheRestIsDroppedTellsTheSame(t *testing.T) {
	for _, g := range goldens(t) {
		kept := rook.TrimDeployment(g.in)
		daemon, code := rook.Identify(g.in)
		keptDaemon, keptCode := rook.Identify(kept)
		require.Equal(t, daemon, keptDaemon, g.name)
		require.Equal(t, code, keptCode, g.name)
		addr, ok := rook.Address(g.in)
		keptAddr, keptOK := rook.Address(kept)
		require.Equal(t, addr, keptAddr, g.name)
		require.Equal(t, ok, keptOK, g.name)
		require.Equal(t, g.in.Spec.Template.Spec.HostNetwork, kept.Spec.Template.Spec.HostNetwork, g.name)
		require.Equal(t, g.in.Labels[rook.RookVersionLabel], kept.Labels[rook.RookVersionLabel], g.name)
		require.False(t, rook.IsStopped(kept), g.name)
		g.in.Spec.Replicas = new(int32(0))
		require.True(t, rook.IsStopped(rook.TrimDeployment(g.in)), g.name)
	}
}

func TestWhatIsKeptOfAServiceIsWhatIsRead(t *testing.T) {
	full := rook.OSDService(rook.Daemon{Type: rook.OSD, ID: "7", Namespace: "rook-ceph"}, rook.Cluster{Name: "my-cluster", UID: "uid"})
	full.UID, full.ResourceVersion, full.CreationTimestamp = "uid", "7", metav1.NewTime(noon)
	full.Spec.ClusterIP, full.Spec.ClusterIPs = "10.96.0.7", []string{"10.96.0.7"}
	full.Annotations = map[string]string{rook.OrphanedSinceAnnotation: "2026-01-01T00:00:00Z"}
	want := full.DeepCopy()
	want.TypeMeta = metav1.TypeMeta{}

	full.Annotations["others"] = "big"
	full.Labels["others"] = "big"
	full.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "others"}}
	full.Spec.SessionAffinity = corev1.ServiceAffinityNone
	full.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol}
	require.Equal(t, want, rook.TrimService(full))
}

func TestWhatIsKeptOfACephClusterTellsTheSame(t *testing.T) {
	full := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"external": map[string]any{"enable": true},
			"mon":      map[string]any{"count": int64(5)},
			"network": map[string]any{
				"provider": "host", "hostNetwork": true, "selectors": map[string]any{"public": "rook-ceph/public"},
				"addressRanges": map[string]any{"public": []any{"192.168.0.0/24"}, "cluster": []any{"192.168.1.0/24"}},
				"ipFamily":      "IPv6", "dualStack": true, "multiClusterService": map[string]any{"enabled": true},
				"connections": map[string]any{
					"requireMsgr2": true, "encryption": map[string]any{"enabled": true}, "compression": map[string]any{"enabled": true},
				},
			},
		},
		"status": map[string]any{"phase": "Ready", "version": map[string]any{"version": "18.2.7-0"}},
	}}
	for _, left := range rook.ClusterFields {
		only := &unstructured.Unstructured{Object: map[string]any{}}
		value, found, err := unstructured.NestedFieldCopy(full.Object, left...)
		require.NoError(t, err)
		require.True(t, found, left)
		require.NoError(t, unstructured.SetNestedField(only.Object, value, left...))
		require.NotEqual(t, rook.Cluster{}, rook.ReadCluster(only), "nobody reads %v", left)
	}
	kept := &unstructured.Unstructured{Object: map[string]any{}}
	for _, path := range rook.ClusterFields {
		value, _, _ := unstructured.NestedFieldCopy(full.Object, path...)
		require.NoError(t, unstructured.SetNestedField(kept.Object, value, path...))
	}
	require.Equal(t, rook.ReadCluster(full), rook.ReadCluster(kept))
	require.Equal(t, fieldsOf(t, full.Object), fieldsOf(t, kept.Object))
}

func prepared(status string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph-osd-node-0-status", Labels: map[string]string{"node": "node-0"}},
		Data:       map[string]string{"status": status},
	}
}

func TestACompletedPrepareNamesItsOSDs(t *testing.T) {
	many := strings.Repeat(`{"id":1},`, 5) + strings.Repeat(`{"id":2},`, 5)
	var thousands strings.Builder
	for id := range 2000 {
		thousands.WriteString(`{"id":` + strconv.Itoa(id) + `},`)
	}
	for name, c := range map[string]struct {
		status string
		want   []string
	}{
		"of Rook 1.20.6":                     {`{"osds":[{"id":0,"cluster":"ceph","uuid":"8c","device-class":"hdd","cephxStatus":{}}],"status":"completed","pvc-backed-osd":false,"message":""}`, []string{"0"}},
		"by number":                          {`{"osds":[{"id":10},{"id":9}],"status":"completed"}`, []string{"9", "10"}},
		"each once":                          {`{"osds":[` + strings.TrimSuffix(many, ",") + `],"status":"completed"}`, []string{"1", "2"}},
		"none on a node without disks":       {`{"osds":null,"status":"completed"}`, nil},
		"none before it is completed":        {`{"osds":[{"id":0}],"status":"orchestrating"}`, nil},
		"none with a number that no OSD has": {`{"osds":[{"id":-1},{"id":100000}],"status":"completed"}`, nil},
		"none where a number is none":        {`{"osds":[{"id":"0"}],"status":"completed"}`, nil},
		"none where it cannot be read":       {`{`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			full := prepared(c.status)
			require.Equal(t, c.want, rook.PreparedOSDs(full))
			kept := rook.TrimPrepared(full)
			require.Equal(t, c.want, rook.PreparedOSDs(kept))
			require.Subset(t, []string{"data.status", "metadata.name", "metadata.namespace"}, fieldsOf(t, kept))
		})
	}
	require.Len(t, rook.PreparedOSDs(prepared(`{"osds":[`+strings.TrimSuffix(thousands.String(), ",")+`],"status":"completed"}`)), 1000)
}
