package rook

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Health is what Rook noted last of how Ceph is. It asks once a minute, and copies the checks as Ceph has them (rook v1.20
// pkg/operator/ceph/cluster/cephstatus.go).
type Health struct {
	// Status is HealthOK, HEALTH_WARN or HealthError, and empty as long as nothing was noted.
	Status string
	// Checks are the codes of what Ceph complains of, sorted.
	Checks []string
	// Checked is when Rook asked.
	Checked time.Time
	// Mons is how many mons told their version: those in quorum.
	Mons int
}

// The ends of what Ceph says of its health.
const (
	HealthOK    = "HEALTH_OK"
	HealthError = "HEALTH_ERR"
)

// HealthFields are the paths of what ReadHealth and ReadFailover read of a CephCluster, besides its labels.
var HealthFields = [][]string{
	{"status", "ceph", "health"},
	{"status", "ceph", "lastChecked"},
	{"status", "ceph", "details"},
	{"status", "ceph", "versions", "mon"},
	{"spec", "mon", "count"},
	{"spec", "mon", "externalMonIDs"},
	{"spec", "healthCheck", "daemonHealth", "mon", "disabled"},
	{"spec", "healthCheck", "daemonHealth", "mon", "timeout"},
	{"spec", "healthCheck", "daemonHealth", "mon", "interval"},
}

// ReadHealth returns what the status of a CephCluster says of Ceph.
func ReadHealth(u *unstructured.Unstructured) Health {
	content, _, err := unstructured.NestedMap(u.Object, "status", "ceph")
	if err != nil {
		return Health{}
	}
	h := Health{}
	h.Status, _, _ = unstructured.NestedString(content, "health")
	checked, _, _ := unstructured.NestedString(content, "lastChecked")
	h.Checked = timeOrNone(checked)
	details, _, _ := unstructured.NestedMap(content, "details")
	h.Checks = slices.Sorted(maps.Keys(details))
	versions, _, _ := unstructured.NestedMap(content, "versions", "mon")
	for _, count := range versions {
		h.Mons += wholeNumber(count)
	}
	return h
}

// Has says whether Ceph complains of the check.
func (h Health) Has(check string) bool { return slices.Contains(h.Checks, check) }

// wholeNumber returns a number as JSON may have been decoded, or zero.
func wholeNumber(value any) int {
	switch n := value.(type) {
	case int64:
		return int(n)
	case float64:
		return int(n)
	}
	return 0
}
