package rookstandin

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// checkMonHealth looks after the mons between two reconciles. It never reloads the addresses: what is in memory is all
// it knows.
func (o *Operator) checkMonHealth(ctx context.Context) error {
	o.orchestration.Lock()
	defer o.orchestration.Unlock()
	if len(o.memory.snapshot()) == 0 {
		return nil
	}
	status, err := o.quorumStatus(ctx)
	if err != nil {
		return errors.Join(errors.New("failed to get mon quorum status"), err)
	}
	wanted := o.cluster.Spec.Mon.Count
	unknown := o.memory.snapshot()
	allIn := true
	for _, id := range slices.Sorted(maps.Keys(status.Monmap)) {
		in := status.In(id)
		if _, known := unknown[id]; known {
			delete(unknown, id)
		} else if in && len(status.Members) > wanted {
			return o.removeMon(ctx, id, true)
		}
		allIn = allIn && in
		if in {
			delete(o.monOutSince, id)
		}
		if err := o.track(ctx, id, in); err != nil {
			return err
		}
		if !in && o.timedOut(id) {
			return o.failMon(ctx, len(status.Monmap), id)
		}
	}
	if allIn {
		if err := o.track(ctx, "", true); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(unknown)) {
		// A mon that is not in the monmap of Ceph fails over at once.
		return o.failMon(ctx, len(o.memory.snapshot()), id)
	}
	if len(status.Monmap) < wanted {
		return o.startMons(ctx, wanted)
	}
	if allIn && len(status.Monmap) > wanted && (wanted > 1 || len(status.Monmap) != 2) {
		return o.removeMon(ctx, o.extraMon(), true)
	}
	if allIn && len(status.Monmap) == wanted {
		o.deleteCanaries(ctx)
	}
	return nil
}

// extraMon returns the mon that goes where there are too many: the second that is found on a node, or else the last.
func (o *Operator) extraMon() string {
	extra := ""
	onNode := map[string]bool{}
	for _, m := range o.knownMons() {
		extra = m.id
		if node := o.memory.mapping[m.id]; node != nil {
			if onNode[node.Name] {
				return m.id
			}
			onNode[node.Name] = true
		}
	}
	return extra
}

// timedOut says whether the mon has been out of quorum for too long.
func (o *Operator) timedOut(id string) bool {
	timeout := o.options.Timing.MonOutTimeout
	if own, err := time.ParseDuration(o.cluster.Spec.HealthCheck.DaemonHealth.Mon.Timeout); err == nil {
		timeout = own
	}
	since, ok := o.monOutSince[id]
	if !ok {
		o.monOutSince[id] = o.now()
		return false
	}
	return o.now().Sub(since) > timeout
}

// track notes in memory and in the ConfigMap whether a mon is in quorum; without a name, that all are.
func (o *Operator) track(ctx context.Context, id string, inQuorum bool) error {
	changed := false
	var out []string
	for known, info := range o.memory.snapshot() {
		if id != "" && known != id {
			continue
		}
		if info.OutOfQuorum == inQuorum {
			info.OutOfQuorum = !inQuorum
			o.memory.set(known, info)
			changed = true
		}
		if !inQuorum {
			out = append(out, known)
		}
	}
	if !changed {
		return nil
	}
	o.memory.writeConf()
	return o.changeEndpoints(ctx, shapes.OutOfQuorumKey, strings.Join(out, ","))
}

// failMon removes a mon that is one too many, or replaces it.
func (o *Operator) failMon(ctx context.Context, mons int, id string) error {
	o.goOn("failed to track the failed mon", shapes.MonResource(id), o.track(ctx, id, false))
	if mons > o.cluster.Spec.Mon.Count {
		return o.removeMon(ctx, id, true)
	}
	return o.failoverMon(ctx, id)
}
