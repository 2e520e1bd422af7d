package rook

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Failover is how Rook replaces the mons of a CephCluster (rook v1.20 pkg/operator/ceph/cluster/mon/health.go). Variables of
// the operator, which cannot be seen here, go before Timeout and Interval.
type Failover struct {
	// Mons is how many there are to be; zero where the CephCluster does not say.
	Mons int
	// External says that some of them run outside of Kubernetes.
	External bool
	// Off says that nobody looks after them.
	Off bool
	// Timeout is how long a mon is out of quorum before it is replaced; zero means for ever.
	Timeout time.Duration
	// Interval passes between two looks.
	Interval time.Duration
	// Skipped says that the CephCluster is not reconciled at present.
	Skipped bool
}

// What Rook takes where a CephCluster says nothing.
const (
	defaultMonTimeout  = 10 * time.Minute
	defaultMonInterval = 45 * time.Second
)

// ReadFailover returns what stands in a CephCluster. A duration that cannot be read is Rook's own.
func ReadFailover(u *unstructured.Unstructured) Failover {
	count, _, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "mon", "count")
	external, _, _ := unstructured.NestedSlice(u.Object, "spec", "mon", "externalMonIDs")
	check, _, _ := unstructured.NestedMap(u.Object, "spec", "healthCheck", "daemonHealth", "mon")
	off, _, _ := unstructured.NestedBool(check, "disabled")
	_, skipped := u.GetLabels()[SkipReconcileLabel]
	return Failover{
		Mons:     wholeNumber(count),
		External: len(external) > 0,
		Off:      off,
		Timeout:  durationIn(check, "timeout", defaultMonTimeout),
		Interval: durationIn(check, "interval", defaultMonInterval),
		Skipped:  skipped,
	}
}

func durationIn(content map[string]any, key string, fallback time.Duration) time.Duration {
	text, _, _ := unstructured.NestedString(content, key)
	if duration, err := time.ParseDuration(text); err == nil && duration >= 0 {
		return duration
	}
	return fallback
}
