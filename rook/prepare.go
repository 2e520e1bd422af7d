package rook

import (
	"encoding/json"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// What Rook's prepare Job writes of the OSDs that it made ready on a node or a PVC, before Rook writes the first of their
// Deployments (rook v1.11 to v1.20 pkg/operator/ceph/cluster/osd/status.go).
const (
	// PrepareStatusLabel with the value PrepareStatusValue stands on the ConfigMap rook-ceph-osd-<node>-status, besides
	// AppLabel with OSDApp.
	PrepareStatusLabel = "status"
	PrepareStatusValue = "provisioning"

	prepareStatusKey = "status"
	prepareCompleted = "completed"

	// mostPrepared bounds how many OSDs one prepare can name, and mostOSDID their numbers: no node has so many, and no
	// cluster known, so that more is nothing that Rook wrote.
	mostPrepared = 1000
	mostOSDID    = 99999
)

type prepareStatus struct {
	OSDs   []preparedOSD `json:"osds"`
	Status string        `json:"status"`
}

type preparedOSD struct {
	ID int `json:"id"`
}

// PreparedOSDs returns the IDs of the OSDs that a completed prepare names, sorted by number; none where it is not
// completed or cannot be read.
func PreparedOSDs(configMap *corev1.ConfigMap) []string {
	var texts []string
	for _, id := range preparedIDs(configMap) {
		texts = append(texts, strconv.Itoa(id))
	}
	return texts
}

func preparedIDs(configMap *corev1.ConfigMap) []int {
	var status prepareStatus
	if err := json.Unmarshal([]byte(configMap.Data[prepareStatusKey]), &status); err != nil || status.Status != prepareCompleted {
		return nil
	}
	var ids []int
	for _, osd := range status.OSDs {
		if len(ids) == mostPrepared {
			break
		}
		if osd.ID >= 0 && osd.ID <= mostOSDID && !slices.Contains(ids, osd.ID) {
			ids = append(ids, osd.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// TrimPrepared returns what PreparedOSDs reads of a ConfigMap.
func TrimPrepared(configMap *corev1.ConfigMap) *corev1.ConfigMap {
	trimmed := &corev1.ConfigMap{ObjectMeta: trimMeta(configMap.ObjectMeta)}
	status := prepareStatus{Status: prepareCompleted}
	for _, id := range preparedIDs(configMap) {
		status.OSDs = append(status.OSDs, preparedOSD{ID: id})
	}
	if len(status.OSDs) == 0 {
		return trimmed
	}
	if text, err := json.Marshal(status); err == nil {
		trimmed.Data = map[string]string{prepareStatusKey: string(text)}
	}
	return trimmed
}
