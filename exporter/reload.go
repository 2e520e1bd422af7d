package exporter

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// followMemory asks for a reload while Rook remembers its mons wrongly, and tells when the token for peers, which Rook writes
// from the same memory, is right again. What changes Rook's memory is a reconcile, which ends with another phase of the
// CephCluster and so with a turn.
func (t turn) followMemory(ctx context.Context) (time.Duration, error) {
	remembered, err := t.view.Remembered(ctx, t.cluster.Namespace)
	if err != nil {
		return 0, err
	}
	if !remembered.Stale() {
		return t.followToken(ctx, remembered)
	}
	f, err := t.reloadFacts(ctx, remembered)
	if err != nil {
		return 0, err
	}
	reload, again := rook.DecideReload(f, t.now())
	if !reload {
		return again, nil
	}
	return again, t.reload(ctx, remembered)
}

func (t turn) reloadFacts(ctx context.Context, remembered rook.Remembered) (rook.ReloadFacts, error) {
	namespace := t.cluster.Namespace
	f := rook.ReloadFacts{Cluster: t.cluster, Remembered: remembered, Last: t.memory.LastReload()}
	mons, err := t.view.Mons(ctx, namespace)
	if err != nil {
		return f, err
	}
	endpoints, err := t.view.MonEndpoints(ctx, namespace)
	if err != nil {
		return f, err
	}
	f.Failover = rook.FailoverUnderWay(t.cluster, endpoints, mons)
	f.Operator, err = t.view.Operator(ctx, remembered.Operator)
	return f, err
}

// reload makes Rook read its mon endpoints anew. The time is recorded first: should the rest fail, it is not tried again
// before its time.
func (t turn) reload(ctx context.Context, remembered rook.Remembered) error {
	now := t.now()
	t.memory.NoteReload(now)
	after := remembered
	after.ReloadRequested = now
	if err := t.ensurer.NoteRemembered(ctx, t.cluster.Namespace, remembered, after); err != nil {
		return err
	}
	if err := t.ensurer.requestReload(ctx, t.cluster); err != nil {
		return err
	}
	t.metrics.reloads.WithLabelValues(t.cluster.Namespace).Inc()
	t.record(ctx, "", note{
		code:    reason.ReloadRequested,
		subject: "CephCluster " + t.cluster.Namespace + "/" + t.cluster.Name,
		detail:  "Rook last wrote " + rook.FormatEndpoints(remembered.Mons),
	})
	return nil
}

// followToken notes since when the token for peers is right, and says so. The CephCluster is read after what is remembered,
// and that is written only if it is still so: the token must not be taken for right that is about to be wrong.
func (t turn) followToken(ctx context.Context, remembered rook.Remembered) (time.Duration, error) {
	if remembered.Version == "" || !remembered.TokenRight.IsZero() || !rook.TokenIsRight(t.cluster, remembered) {
		return 0, nil
	}
	cluster, err := t.view.LatestCluster(ctx, t.cluster.Namespace)
	if err != nil || cluster == nil || !rook.TokenIsRight(*cluster, remembered) {
		return 0, err
	}
	after := remembered
	after.TokenRight = t.now()
	err = t.ensurer.noteRemembered(ctx, t.cluster.Namespace, remembered.Version, remembered, after)
	if apierrors.IsConflict(err) {
		return time.Second, nil
	}
	if err != nil {
		return 0, err
	}
	t.record(ctx, "", note{
		code:    reason.PeerTokenRight,
		subject: "Secret " + t.cluster.Namespace + "/" + rook.PeerTokenName(t.cluster.Name),
	})
	return 0, nil
}

// requestReload creates and deletes a ConfigMap of the CephCluster: Rook reconciles when something that its CephCluster
// controls is deleted.
func (e *Ensurer) requestReload(ctx context.Context, cluster rook.Cluster) error {
	key := cluster.Namespace + "/" + rook.ReloadName
	signal := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
		Namespace:       cluster.Namespace,
		Name:            rook.ReloadName,
		Labels:          rook.Marks(),
		OwnerReferences: []metav1.OwnerReference{rook.ControlledBy(cluster)},
	}}
	// One that is there already was left by a leader that stopped in between.
	if err := e.writer.Create(ctx, signal, client.FieldOwner(rook.Manager)); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create ConfigMap %s: %w", key, err)
	}
	if err := e.writer.Delete(ctx, signal); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete ConfigMap %s: %w", key, err)
	}
	return nil
}
