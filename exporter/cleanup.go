package exporter

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/go-logr/logr"

	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

const (
	// longestCleanup and shortestCleanup bound the pause between two looks at what can be let go of.
	longestCleanup  = time.Minute
	shortestCleanup = 500 * time.Millisecond
)

// cleaner lets go, in namespaces that were switched off and are to be cleaned up, of what no daemon advertises any more. It runs
// on the leader.
type cleaner struct {
	view    *view.View
	ensurer *Ensurer
	metrics *counters
	term    *recall.Term
	log     logr.Logger
	now     func() time.Time
	grace   time.Duration
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*cleaner) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable.
func (c *cleaner) Start(ctx context.Context) error {
	pause := min(max(c.grace/4, shortestCleanup), longestCleanup)
	for {
		if err := c.look(ctx); err != nil && ctx.Err() == nil {
			c.log.Error(err, "What was left is not cleaned up")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

func (c *cleaner) look(ctx context.Context) error {
	ctx, end, leads := c.term.Bind(ctx)
	defer end()
	if !leads {
		return nil
	}
	namespaces, err := c.view.NamespacesToCleanUp(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, namespace := range namespaces {
		exports, err := c.view.Exports(ctx, namespace)
		if err != nil {
			return err
		}
		for name := range exports {
			if err := c.turn(ctx, namespace, name); err != nil {
				failed = append(failed, fmt.Errorf("clean up %s/%s: %w", namespace, name, err))
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	return errors.Join(failed...)
}

// turn is for one daemon, by what the API server itself says: an address that is freed never comes back.
func (c *cleaner) turn(ctx context.Context, namespace, name string) error {
	kind, id, ok := rook.ParseName(name)
	if !ok {
		return nil
	}
	daemon := rook.Daemon{Type: kind, ID: id, Namespace: namespace}
	latest, object, err := c.view.LatestExport(ctx, daemon)
	if err != nil || !latest.Export.Exists || !latest.Export.Ours {
		return err
	}
	endpoints, certain, err := c.view.LatestMonEndpoints(ctx, namespace)
	if err != nil || !certain {
		return err
	}
	latest.Listed = rook.Listed(endpoints)[id]
	if !kind.StandsInList() {
		latest.Listed = netip.Addr{}
	}
	if object.Deployment != nil {
		latest.Rollout = rook.ReadRollout(object.Deployment)
	}
	claims, err := c.view.ClaimsAnywhere(ctx, latest.Export.GlobalIP)
	if err != nil {
		return err
	}
	since, remove := decideCleanup(latest, claims, c.now(), c.grace)
	if !remove || !latest.Export.Marked {
		if since.Equal(latest.Export.OrphanedSince) && latest.Export.Marked {
			return nil
		}
		wanted := latest.Export
		wanted.OrphanedSince = since
		return c.ensurer.applyExport(ctx, daemon, wanted)
	}
	return c.remove(ctx, daemon, object)
}

// decideCleanup returns since when nobody advertises what an export has, zero if somebody does, and whether it is to go.
func decideCleanup(d rook.DaemonFacts, claims []rook.Claim, now time.Time, grace time.Duration) (since time.Time, remove bool) {
	at := d.Export.GlobalIP
	inUse := slices.ContainsFunc(claims, func(c rook.Claim) bool { return c.Advertised })
	switch {
	case at.IsValid() && (inUse || d.Address == at || d.Listed == at):
		return time.Time{}, false
	case d.Address.IsValid() && !slices.Contains(d.ClusterIPs, d.Address) && !d.Rollout.HostNetwork:
		// Nobody else gives it that address, whatever the export tells: of what Rook exported in its own mode it can tell nothing yet.
		return time.Time{}, false
	case d.Deployed && d.Export.Pinned && !d.Address.IsValid():
		// It was put to sleep, and wakes where it was.
		return time.Time{}, false
	case d.Export.OrphanedSince.IsZero():
		return now.UTC().Truncate(time.Second), false
	}
	return d.Export.OrphanedSince, now.Sub(d.Export.OrphanedSince) >= grace
}

// remove deletes the Service of an OSD, then the export: as long as that stands, the removal is tried again.
func (c *cleaner) remove(ctx context.Context, daemon rook.Daemon, objects view.Objects) error {
	if service := objects.Service; service != nil && daemon.Type.ServiceIsOurs() && ours(service) {
		if !rook.IsMarked(service.Labels) {
			// An earlier release made it. Once it is marked, it goes in another turn.
			return c.ensurer.label(ctx, daemon, labelled{service: true, uid: service.UID})
		}
		if err := c.ensurer.remove(ctx, daemon, orphan{service: true, uid: service.UID, resourceVersion: service.ResourceVersion}); err != nil {
			return err
		}
	}
	if err := c.ensurer.remove(ctx, daemon, orphan{uid: objects.Export.UID, resourceVersion: objects.Export.ResourceVersion}); err != nil {
		return err
	}
	c.metrics.orphans.WithLabelValues(daemon.Namespace).Inc()
	c.log.Info("Let go of what no daemon advertises", "namespace", daemon.Namespace, "daemon", daemon.Name())
	return nil
}
