package migration

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

const (
	// eventAction is what was being done when there was something to report.
	eventAction = "Migrate"
	// eventLimit is the length of a note beyond which the API server refuses the event.
	eventLimit = 1000
)

// telling is what was last said of a cluster.
type telling struct {
	cluster string
	daemon  string
	code    reason.Code
	since   time.Time
	// mons and osds are how many are to be moved.
	mons, osds int
}

// tell makes an event on the CephCluster, once per change, and what the metrics say.
func (l *loop) tell(f Facts, step Step, why rook.State) {
	now := telling{code: why.Code, since: f.Now}
	if f.Cluster != nil {
		now.cluster = f.Cluster.Name
	}
	if step.Daemon.ID != "" {
		now.daemon = step.Daemon.Name()
	}
	if underWay, moving := f.moving(); moving {
		now.since = underWay.Export.Move.Since
	}
	now.mons, now.osds = MakePlan(f).Count()
	l.mu.Lock()
	before := l.told[f.Namespace]
	same := before.code == now.code && before.daemon == now.daemon
	if same {
		now.since = before.since
	}
	l.told[f.Namespace] = now
	l.mu.Unlock()
	if same || quiet(before.code, why.Code) {
		return
	}
	l.report(f, step, why)
}

func (l *loop) report(f Facts, step Step, why rook.State) {
	cluster := kinds.Object(schema.GroupVersionKind{Group: rook.CephGroup, Version: rook.CephAPIVersion, Kind: rook.CephClusterKind})
	cluster.SetNamespace(f.Namespace)
	cluster.SetName(f.Cluster.Name)
	cluster.SetUID(f.Cluster.UID)
	text := Sentence(f.Cluster.Name, step, why)
	l.log.Info(text, "reason", why.Code, "namespace", f.Namespace)
	kind := corev1.EventTypeNormal
	if slices.Contains(warnings, why.Code) {
		kind = corev1.EventTypeWarning
	}
	l.events.Eventf(cluster, l.export(step.Daemon), kind, why.Code.Event(), eventAction, "%s", reason.Shorten(text, eventLimit))
}

// Sentence says what a step does or waits for.
func Sentence(cluster string, step Step, why rook.State) string {
	if step.Daemon.ID == "" {
		return "CephCluster " + cluster + " " + why.String()
	}
	return step.Daemon.String() + " " + why.String()
}

// export is what an event is related to. Events of one reason on one object would be counted as one otherwise.
func (l *loop) export(daemon rook.Daemon) runtime.Object {
	gvk, served := l.installed.Served(kinds.ServiceExport)
	if daemon.ID == "" || !served {
		return nil
	}
	export := &unstructured.Unstructured{}
	export.SetGroupVersionKind(gvk)
	export.SetNamespace(daemon.Namespace)
	export.SetName(daemon.Name())
	return export
}

// quiet says that a change is no news: what passes by itself after every step, what others tell, and a cluster that never had
// anything to move.
func quiet(before, code reason.Code) bool {
	switch code {
	case reason.Settling, reason.StatusBeforeStep, reason.NamespaceNotEnabled, reason.ClusterUnknown, reason.ClusterDeleting:
		return true
	case reason.MigrationDone:
		return before == ""
	}
	return !slices.Contains(own, code)
}

// own are the codes that nobody else tells of.
var own = []reason.Code{
	reason.MigrationDone, reason.MigrationOff, reason.MigrationPaused, reason.TooFewMons, reason.ExternalMons, reason.FloatingMons,
	reason.MonCheckOff, reason.MonTimeoutZero, reason.ReconcileSkipped, reason.RetryLater, reason.ClusterNotReady, reason.ReloadPending,
	reason.StatusOld, reason.HealthError, reason.MonDown, reason.OSDsUnwell, reason.MonOutOfQuorum, reason.FailoverRunning,
	reason.MonCountDiffers, reason.Unavailable, reason.ProbeUnanswered, reason.MonStopped, reason.MonReplacing, reason.MonStoppedAgain,
	reason.MonMoveUndone, reason.MonNotReplaced, reason.MonBornWrong, reason.MonReplaced, reason.MonLeftBehind, reason.OSDWritten, reason.OSDNotRewritten,
}

// warnings are those with which somebody has to do something.
var warnings = []reason.Code{
	reason.TooFewMons, reason.ExternalMons, reason.FloatingMons, reason.MonCheckOff, reason.MonTimeoutZero, reason.StatusOld,
	reason.ProbeUnanswered, reason.MonMoveUndone, reason.MonNotReplaced, reason.MonBornWrong, reason.MonLeftBehind,
	reason.OSDNotRewritten,
}

// forgetAllBut forgets the clusters of namespaces that are not switched on any more.
func (l *loop) forgetAllBut(namespaces []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for namespace := range l.told {
		if !slices.Contains(namespaces, namespace) {
			delete(l.told, namespace)
			delete(l.steady, namespace)
		}
	}
}
