package exporter

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// target is what a turn is for: a daemon, by the name that its objects share, or where there is none what all daemons of
// the namespace share.
type target struct{ Namespace, Daemon string }

// Asker answers for global IPs; it is a *resolver.Resolver.
type Asker interface {
	Resolve(ctx context.Context, req resolver.Request, m resolver.Membership) (resolver.Answer, error)
	Membership(ctx context.Context) (resolver.Membership, error)
	Allocated(ctx context.Context, req resolver.Request) (netip.Addr, error)
}

// reconciler takes a turn for each target that something happened to. Turns of several targets run at once.
type reconciler struct {
	view    *view.View
	ensurer *Ensurer
	sources Asker
	changes *recall.Changes
	claims  *claims
	// awaiting are the exports that this process made and that have no address yet.
	awaiting awaiting
	events   recorder.EventRecorder
	metrics  *counters
	now      func() time.Time
	grace    time.Duration
	// wake asks for a turn.
	wake func(target)
	// unreadable names the kinds that are served and may not be read.
	unreadable func() []string

	memories recall.Memories
}

// Reconcile implements reconcile.TypedReconciler.
func (r *reconciler) Reconcile(ctx context.Context, to target) (ctrl.Result, error) {
	cluster, err := r.view.Cluster(ctx, to.Namespace)
	if err != nil {
		return ctrl.Result{}, err
	}
	enabled, err := r.view.EnabledByCache(ctx, to.Namespace)
	if err != nil {
		return ctrl.Result{}, err
	}
	if cluster == nil {
		cluster = &rook.Cluster{Namespace: to.Namespace}
	}
	t := turn{reconciler: r, cluster: *cluster, memory: r.memories.Of(to.Namespace, cluster.UID)}
	if !enabled {
		return ctrl.Result{}, t.runSwitchedOff(ctx, to)
	}
	again, err := t.run(ctx, to)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("export %s of CephCluster %s/%s: %w", whatOf(to), to.Namespace, cluster.Name, err)
	}
	return ctrl.Result{RequeueAfter: again}, nil
}

func whatOf(to target) string {
	if to.Daemon == "" {
		return "the daemons"
	}
	return to.Daemon
}

// turn is one turn of one target.
type turn struct {
	*reconciler
	// cluster has no name where there is no CephCluster.
	cluster rook.Cluster
	memory  *recall.Memory
}

// clusterGone says that there is no CephCluster to begin anything for. What is there already is seen to all the same: its
// daemons may live on, and be taken over by a CephCluster that is created anew.
func (t turn) clusterGone() bool { return t.cluster.Name == "" || t.cluster.Deleting }

func (t turn) run(ctx context.Context, to target) (time.Duration, error) {
	if to.Daemon == "" {
		t.memory.Forget(subjectOff(to.Namespace))
		if t.clusterGone() {
			return 0, t.spread(ctx)
		}
		return t.runCluster(ctx)
	}
	kind, id, ok := rook.ParseName(to.Daemon)
	daemon := rook.Daemon{Type: kind, ID: id, Namespace: to.Namespace, Cluster: t.cluster.Name}
	switch {
	case !ok:
		return 0, nil
	case t.clusterGone():
		return t.runOrphan(ctx, daemon)
	case t.state() != reason.Served:
		// Why is reported in the turn of the cluster.
		return 0, nil
	}
	return t.runDaemon(ctx, daemon)
}

// runOrphan keeps what a daemon has while it lives, and removes what it left.
func (t turn) runOrphan(ctx context.Context, daemon rook.Daemon) (time.Duration, error) {
	f, err := t.begin(ctx, daemon)
	if err != nil {
		return 0, err
	}
	s := makePlanWithoutCluster(f)
	return s.again, t.carryOut(ctx, f, s)
}

func (t turn) state() reason.Code { return t.cluster.State(t.view.ExportKindServed()) }

// runCluster does what the daemons of a namespace share, and has each of them take a turn when that changed.
func (t turn) runCluster(ctx context.Context) (time.Duration, error) {
	whole := "CephCluster " + t.cluster.Namespace + "/" + t.cluster.Name
	if code := t.state(); code != reason.Served {
		t.reportOnly(ctx, "", note{code: code, warning: true, subject: whole})
		return 0, nil
	}
	notes := t.placeNotes(whole, t.place(ctx))
	t.memory.Forget(whole, recalled(notes)...)
	for _, n := range notes {
		t.report(ctx, "", n)
	}
	if err := t.spread(ctx); err != nil {
		return 0, err
	}
	return t.followMemory(ctx)
}

// spread has every daemon take a turn if what all of them depend on is not what it was.
func (t turn) spread(ctx context.Context) error {
	shared := t.cluster
	shared.Phase = ""
	if !t.memory.Reshaped(fmt.Sprintf("%+v %d", shared, t.changes.AboutAll())) {
		return nil
	}
	names, err := t.view.Names(ctx, t.cluster.Namespace)
	if err != nil {
		return err
	}
	for _, name := range names {
		t.wake(target{Namespace: t.cluster.Namespace, Daemon: name})
	}
	return nil
}

// runDaemon does what one daemon wants.
func (t turn) runDaemon(ctx context.Context, daemon rook.Daemon) (time.Duration, error) {
	f, err := t.begin(ctx, daemon)
	if err != nil {
		return 0, err
	}
	if f.export.Valid == metav1.ConditionTrue {
		if next := t.awaiting.end(daemon); next != "" {
			t.wake(target{Namespace: daemon.Namespace, Daemon: next})
		}
	}
	in := t.place(ctx)
	if in.unreadable == nil && len(in.GlobalCIDRs) > 0 {
		f.inCIDR = in.IsGlobal
	}
	if f.answer, err = t.answer(ctx, f, in); err != nil {
		return 0, err
	}
	if f.saysItHasNone() {
		// Where that cannot be read either, the export's own words have to do.
		f.allocated, _ = t.sources.Allocated(ctx, resolver.Request{Namespace: daemon.Namespace, Name: daemon.Name()})
	}
	s := makePlan(f)
	if s.create && !t.awaiting.begin(daemon, f.now) {
		return awaitingFor, nil
	}
	if err := t.carryOut(ctx, f, s); err != nil {
		return 0, err
	}
	if f.export.GlobalIP.IsValid() && !t.memory.InDoubt(daemon.Name()) {
		// It waits for its sources to change.
		return s.again, nil
	}
	return sooner(s.again, t.memory.NextTry(daemon.Name(), f.now)), nil
}

// begin gathers the facts of the daemon whose turn it is. An export that somebody deleted had perhaps not been seen with its address.
func (t turn) begin(ctx context.Context, daemon rook.Daemon) (facts, error) {
	f, err := t.gather(ctx, daemon)
	if err == nil {
		t.wakeAll(t.claims.lose(nameOf(daemon), f.export.UID))
	}
	return f, err
}

// gather reads the facts of a daemon.
func (t turn) gather(ctx context.Context, daemon rook.Daemon) (facts, error) {
	objects, err := t.view.Daemon(ctx, daemon)
	if err != nil {
		return facts{}, err
	}
	f := facts{
		now: t.now(), grace: t.grace, cluster: t.cluster, daemon: daemon,
		export: objects.Export, prepared: objects.Prepared,
	}
	if d := objects.Deployment; d != nil {
		if _, code := rook.Identify(d); code == "" {
			f.deployment = d
		}
	}
	if s := objects.Service; s != nil && s.Labels[rook.AppLabel] == daemon.Type.App() {
		f.service = s
	}
	if daemon.Type.StandsInList() {
		endpoints, err := t.view.MonEndpoints(ctx, daemon.Namespace)
		if err != nil {
			return facts{}, err
		}
		f.listKnown = endpoints != nil
		f.listed = rook.Listed(endpoints)[daemon.ID]
		f.hadDeployment = rook.HasHadDeployment(endpoints, daemon.ID)
	}
	return f, nil
}

// wakeWaiting has those take a turn who wait for an address that the daemon no longer has.
func (t turn) wakeWaiting(f facts, now rook.Export) {
	if had := f.export.GlobalIP; had.IsValid() && now.GlobalIP != had {
		t.wakeAll(t.claims.release(nameOf(f.daemon), had))
	}
}

// wakeAll has those take a turn who were refused a moment ago, and need not wait to ask again.
func (t turn) wakeAll(waiting []types.NamespacedName) {
	for _, one := range waiting {
		t.changes.Add(one)
		t.wake(target{Namespace: one.Namespace, Daemon: one.Name})
	}
}
