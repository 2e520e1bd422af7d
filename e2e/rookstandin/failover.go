package rookstandin

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// failoverMon replaces a mon by a new one, and puts everything back if the new one does not come up.
func (o *Operator) failoverMon(ctx context.Context, failed string) error {
	o.journal.add(FailoverStarted, "", "", "of mon %q", failed)
	index := o.memory.maxMonID + 1
	replacement := o.newMon(index)
	o.goOn("failed to stop the mon for its failover", shapes.MonResource(failed), o.scaleMon(ctx, failed, 0))
	mayBeInQuorum, err := o.bringUp(ctx, []mon{replacement})
	if err != nil {
		o.revertFailover(context.WithoutCancel(ctx), failed, replacement.id, mayBeInQuorum)
		return err
	}
	o.memory.maxMonID = index
	o.journal.add(FailoverSucceeded, "", "", "mon %q takes the place of mon %q", replacement.id, failed)
	return o.removeMon(ctx, failed, true)
}

// bringUp makes the one new mon. It tells whether the mon may have reached the quorum when there is an error.
func (o *Operator) bringUp(ctx context.Context, replacement []mon) (mayBeInQuorum bool, err error) {
	if err := o.assignMons(ctx, replacement); err != nil {
		return false, fmt.Errorf("failed to place new mon on a node: %w", err)
	}
	if err := o.initMonIPs(ctx, replacement); err != nil {
		return false, err
	}
	if o.options.Release.AtLeast(20, 5) {
		if err := o.saveMonConfig(ctx); err != nil {
			return false, fmt.Errorf("failed to save mons before starting the new mon: %w", err)
		}
	}
	if err := o.startDeployments(ctx, replacement, true); err != nil {
		return true, fmt.Errorf("failed to start new mon: %w", err)
	}
	return true, nil
}

func (o *Operator) revertFailover(ctx context.Context, failed, replacement string, mayBeInQuorum bool) {
	o.journal.add(FailoverReverted, "", "", "of mon %q, cleaning up replacement mon %q", failed, replacement)
	o.goOn("failed to restart the failed mon", shapes.MonResource(failed), o.scaleMon(ctx, failed, 1))
	o.goOn("failed to remove the mon from quorum", shapes.MonResource(replacement), o.removeMon(ctx, replacement, mayBeInQuorum))
	o.goOn("failed to revert maxMonId", shapes.MonResource(replacement), o.commitMaxMonID(ctx, o.memory.maxMonID, false))
}

// scaleMon changes the replicas of the Deployment as it is stored, and nothing else.
func (o *Operator) scaleMon(ctx context.Context, id string, replicas int32) error {
	d := &appsv1.Deployment{}
	if err := o.write.get(ctx, o.cluster.Namespace, shapes.MonResource(id), d); err != nil {
		return err
	}
	d.Spec.Replicas = new(replicas)
	return o.write.update(ctx, d)
}

// removeMon takes the mon out of the cluster, of memory and of everything that is stored, its Deployment last.
func (o *Operator) removeMon(ctx context.Context, id string, fromQuorum bool) error {
	if fromQuorum {
		o.goOn("failed to remove the mon from quorum", shapes.MonResource(id), o.commands.RemoveMon(ctx, o.memory.access(), id))
	}
	o.memory.forget(id)
	if err := o.saveMonConfig(ctx); err != nil {
		return fmt.Errorf("failed to save mon config after failing over mon %s: %w", id, err)
	}
	if err := o.savePeerToken(ctx); err != nil {
		return err
	}
	name := metav1.ObjectMeta{Namespace: o.cluster.Namespace, Name: shapes.MonResource(id)}
	for _, object := range []client.Object{
		&corev1.Service{ObjectMeta: name}, &corev1.PersistentVolumeClaim{ObjectMeta: name}, &appsv1.Deployment{ObjectMeta: name},
	} {
		o.remove(ctx, object, "failed to remove what is left of the mon")
	}
	o.journal.add(MonRemoved, "", "", "mon %q", id)
	return nil
}
