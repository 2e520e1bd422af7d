package addresses

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// patchOf returns the patch that writes a status, of the object as it was read and no other.
func patchOf(object *unstructured.Unstructured, status Status) (client.Patch, error) {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]string{"resourceVersion": object.GetResourceVersion(), "uid": string(object.GetUID())},
		"status":   status,
	})
	if err != nil {
		return nil, fmt.Errorf("write a status as JSON: %w", err)
	}
	return client.RawPatch(types.MergePatchType, patch), nil
}

// tell logs that Ready changed.
func (l *loop) tell(name string, before, after Status) {
	was, is := meta.FindStatusCondition(before.Conditions, Ready), meta.FindStatusCondition(after.Conditions, Ready)
	if is != nil && (was == nil || was.Status != is.Status || was.Reason != is.Reason) {
		l.log.Info("The addresses of a CephCluster", "cephCluster", name, "ready", is.Status, "reason", is.Reason, "message", is.Message)
	}
}
