package rook

import (
	"time"
)

const (
	// reloadInterval is the least time between two reloads; a full reconcile of Rook takes about as long.
	reloadInterval = 2 * time.Minute
	// failoverLook is when to look again whether a failover has ended.
	failoverLook = 15 * time.Second
	// signOfLife is how long a write vouches for an operator whose Deployment is not known.
	signOfLife = 10 * time.Minute
	// phaseReady is the phase of a CephCluster whose reconcile is done. A reload asked for earlier would only repeat it.
	phaseReady = "Ready"
)

// Operator is what is known of the Deployment of Rook's operator.
type Operator struct {
	// Known says that there is a Deployment of the name that Rook gives it, and Running that a pod of it is ready.
	Known, Running bool
}

// ReloadFacts is what the decision on a reload rests on.
type ReloadFacts struct {
	Cluster    Cluster
	Remembered Remembered
	// Failover is what shows that one is under way (see FailoverUnderWay); it is empty where none is.
	Failover string
	Operator Operator
	// Last is when this process last asked.
	Last time.Time
}

// DecideReload says whether to ask Rook to read its mon endpoints anew, which is so while what it last wrote from its memory
// had to be corrected, and when to look again; zero means never. In a failover a reload would make Rook forget the mon that it
// is about to start, and scale up the one that it has scaled down. An operator that is not there reads everything when it
// starts.
func DecideReload(f ReloadFacts, now time.Time) (reload bool, again time.Duration) {
	switch {
	case !f.Remembered.Stale() || f.Cluster.Phase != phaseReady:
		return false, 0
	case !f.operatorIsThere(now):
		return false, reloadInterval
	case f.Failover != "":
		return false, failoverLook
	}
	last := f.Last
	if f.Remembered.ReloadRequested.After(last) {
		last = f.Remembered.ReloadRequested
	}
	if left := reloadInterval - now.Sub(last); !last.IsZero() && left > 0 {
		return false, max(left, time.Second)
	}
	return true, reloadInterval
}

// operatorIsThere goes by the Deployment. An operator that runs in another way is there while it writes.
func (f ReloadFacts) operatorIsThere(now time.Time) bool {
	if f.Operator.Known {
		return f.Operator.Running
	}
	return now.Sub(f.Remembered.Written) < signOfLife
}

// TokenIsRight says whether Rook has written the token for peers since its memory is right. It writes that in each full
// reconcile, after it has read the mon endpoints and before the phase is Ready. The cluster has to have been read after what is
// remembered.
func TokenIsRight(cluster Cluster, remembered Remembered) bool {
	return !remembered.Stale() && cluster.Phase == phaseReady && !cluster.Deleting
}

// PeerTokenName returns the name of the Secret that a peer is given to mirror from a CephCluster, with the addresses of its
// mons in it.
func PeerTokenName(cluster string) string { return "cluster-peer-token-" + cluster }
