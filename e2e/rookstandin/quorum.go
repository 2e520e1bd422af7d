package rookstandin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// quorumStatus asks the cluster, at the addresses in memory. A command that nobody answers takes its time.
func (o *Operator) quorumStatus(ctx context.Context) (ceph.Quorum, error) {
	status, err := o.commands.QuorumStatus(ctx, o.access())
	if !errors.Is(err, ceph.ErrNoAnswer) {
		return status, err
	}
	// The model answers at once, be it that nobody answers.
	if slept := o.clock.sleep(ctx, o.options.Timing.CommandTimeout); slept != nil {
		return ceph.Quorum{}, slept
	}
	return ceph.Quorum{}, err
}

// access returns how the operator reaches the cluster now.
func (o *Operator) access() ceph.Access {
	o.mu.Lock()
	defer o.mu.Unlock()
	return ceph.Access{Dial: o.memory.dial(), AdminKey: o.adminKey}
}

// waitForQuorum waits until the mons are in quorum, or only until there is one.
func (o *Operator) waitForQuorum(ctx context.Context, mons []mon, requireAll bool) error {
	ids := make([]string, 0, len(mons))
	for _, m := range mons {
		ids = append(ids, m.id)
	}
	started := o.clock.now()
	o.journal.add(Waiting, "", "", "with %v", ids)
	last := errors.New("the pods of the mons do not run")
	for try := range o.options.Timing.QuorumTries {
		if try > 0 {
			if err := o.clock.sleep(ctx, o.options.Timing.QuorumInterval); err != nil {
				return err
			}
		}
		running, err := o.podsRunning(ctx, ids)
		if err != nil {
			last = err
			continue
		}
		if requireAll && !running {
			continue
		}
		status, err := o.quorumStatus(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			last = err
			continue
		}
		if missing := slices.DeleteFunc(slices.Clone(ids), status.In); requireAll && len(missing) > 0 {
			last = fmt.Errorf("monitors %v are not in quorum list", missing)
			continue
		}
		o.journal.add(QuorumReached, "", "", "%v after %s", status.Members, o.clock.now().Sub(started).Round(time.Millisecond))
		return nil
	}
	o.journal.add(QuorumGivenUp, "", "", "%v", last)
	return fmt.Errorf("exceeded max retry count waiting for monitors to reach quorum: %w", last)
}

func (o *Operator) podsRunning(ctx context.Context, ids []string) (bool, error) {
	for _, id := range ids {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: o.cluster.Namespace, Name: shapes.MonResource(id)}}
		d.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": shapes.MonApp, "mon": id}}
		running, err := o.options.Kubelet.Running(ctx, d)
		if err != nil || !running {
			return false, err
		}
	}
	return true, nil
}

// setDefaultConfigs stands for the commands that Rook gives to the cluster as soon as it can: it must answer.
func (o *Operator) setDefaultConfigs(ctx context.Context) error {
	if _, err := o.quorumStatus(ctx); err != nil {
		return fmt.Errorf("failed to set Rook and/or user-defined Ceph config options: %w", err)
	}
	return nil
}

// okToStopMon waits until the cluster keeps its quorum without the mon. It is asked only where the cluster, and not only the
// operator's memory, has three mons: while it is being born it could not do without any.
func (o *Operator) okToStopMon(ctx context.Context, id string) error {
	var last error
	for try := range o.options.Timing.OKToStopTries {
		if try > 0 {
			if err := o.clock.sleep(ctx, o.options.Timing.OKToStopInterval); err != nil {
				return err
			}
		}
		status, err := o.quorumStatus(ctx)
		if err != nil {
			last = err
			continue
		}
		if len(status.Monmap) < 3 {
			return nil
		}
		left := len(slices.DeleteFunc(slices.Clone(status.Members), func(member string) bool { return member == id }))
		if 2*left > len(status.Monmap) {
			return nil
		}
		last = fmt.Errorf("%d of %d mons would be left", left, len(status.Monmap))
	}
	return fmt.Errorf("mon %s cannot be stopped: %w", id, last)
}
