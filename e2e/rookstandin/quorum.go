package rookstandin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// quorumStatus asks the cluster, at the addresses in memory. A command that nobody answers takes its time.
func (o *Operator) quorumStatus(ctx context.Context) (ceph.Quorum, error) {
	status, err := o.commands.QuorumStatus(ctx, o.memory.access())
	if errors.Is(err, ceph.ErrNoAnswer) {
		// The model answers at once, be it that nobody answers.
		err = cmp.Or(o.sleep(ctx, o.options.Timing.CommandTimeout), err)
	}
	return status, err
}

// try does it until it succeeds, so many times at most and with a pause between two, and returns the last error.
func (o *Operator) try(ctx context.Context, times int, pause time.Duration, do func() error) error {
	var err error
	for n := range times {
		if n > 0 {
			if slept := o.sleep(ctx, pause); slept != nil {
				return slept
			}
		}
		if err = do(); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// waitForQuorum waits until the mons are in quorum, or only until there is one.
func (o *Operator) waitForQuorum(ctx context.Context, mons []mon, requireAll bool) error {
	ids := make([]string, 0, len(mons))
	for _, m := range mons {
		ids = append(ids, m.id)
	}
	started := o.now()
	o.journal.add(Waiting, "", "", "with %v", ids)
	err := o.try(ctx, o.options.Timing.QuorumTries, o.options.Timing.QuorumInterval, func() error {
		running, err := o.podsRunning(ctx, ids)
		if err != nil {
			return err
		}
		if requireAll && !running {
			return errors.New("the pods of the mons do not run")
		}
		status, err := o.quorumStatus(ctx)
		if err != nil {
			return err
		}
		if missing := slices.DeleteFunc(slices.Clone(ids), status.In); requireAll && len(missing) > 0 {
			return fmt.Errorf("monitors %v are not in quorum list", missing)
		}
		o.journal.add(QuorumReached, "", "", "%v after %s", status.Members, o.now().Sub(started).Round(time.Millisecond))
		return nil
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	o.journal.add(QuorumGivenUp, "", "", "%v", err)
	return fmt.Errorf("exceeded max retry count waiting for monitors to reach quorum: %w", err)
}

func (o *Operator) podsRunning(ctx context.Context, ids []string) (bool, error) {
	for _, id := range ids {
		running, err := o.monRuns(ctx, id)
		if err != nil || !running {
			return false, err
		}
	}
	return true, nil
}

// monRuns says whether a pod of the mon runs.
func (o *Operator) monRuns(ctx context.Context, id string) (bool, error) {
	if o.options.AssumePods != nil {
		d := &appsv1.Deployment{}
		err := o.options.AssumePods.Get(ctx, client.ObjectKey{Namespace: o.cluster.Namespace, Name: shapes.MonResource(id)}, d)
		return err == nil && ptr.Deref(d.Spec.Replicas, 1) > 0, client.IgnoreNotFound(err)
	}
	pods, err := o.pods(ctx, map[string]string{"app": shapes.MonApp, "mon": id})
	return slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning }), err
}

func (o *Operator) pods(ctx context.Context, labels client.MatchingLabels) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	if err := o.write.client.List(ctx, list, client.InNamespace(o.cluster.Namespace), labels); err != nil {
		return nil, fmt.Errorf("list the pods of %v: %w", labels, err)
	}
	return list.Items, nil
}

// command stands for a command that Rook gives to the cluster, which must answer.
func (o *Operator) command(ctx context.Context, failed string) error {
	if _, err := o.quorumStatus(ctx); err != nil {
		return fmt.Errorf("%s: %w", failed, err)
	}
	return nil
}

// setDefaultConfigs is done as soon as the cluster can be asked.
func (o *Operator) setDefaultConfigs(ctx context.Context) error {
	return o.command(ctx, "failed to set Rook and/or user-defined Ceph config options")
}

// okToStopMon waits until the cluster keeps its quorum without the mon. It is asked only where the cluster, and not only the
// operator's memory, has three mons: while it is being born it could not do without any.
func (o *Operator) okToStopMon(ctx context.Context, id string) error {
	err := o.try(ctx, o.options.Timing.OKToStopTries, o.options.Timing.OKToStopInterval, func() error {
		status, err := o.quorumStatus(ctx)
		if err != nil || len(status.Monmap) < 3 {
			return err
		}
		left := len(slices.DeleteFunc(status.Members, func(member string) bool { return member == id }))
		if 2*left <= len(status.Monmap) {
			return fmt.Errorf("%d of %d mons would be left", left, len(status.Monmap))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("mon %s cannot be stopped: %w", id, err)
	}
	return nil
}
