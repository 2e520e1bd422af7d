package cli

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	crleaderelection "sigs.k8s.io/controller-runtime/pkg/leaderelection"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/rook-clusterset/rook-clusterset/recall"
)

const (
	leaseName = "rook-clusterset-exporter"
	// The times of the lease are those of controller-runtime.
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	retryPeriod   = 2 * time.Second
)

// election stands for the lease, term after term. Losing it ends a term and nothing else: the manager of the library would end
// the process, and with it the webhook, just when the API server has come back from what cost the lease.
type election struct {
	lock resourcelock.Interface
	term *recall.Term
}

// addElection lets the replica lead when it has the lease, or at once where there is no election.
func (o *managerOptions) addElection(mgr ctrl.Manager, term *recall.Term) error {
	if !o.leaderElect {
		term.Begin(context.Background())
		return nil
	}
	lock, err := crleaderelection.NewResourceLock(mgr.GetConfig(), mgr, crleaderelection.Options{
		LeaderElection: true, LeaderElectionID: leaseName, LeaderElectionNamespace: o.namespace, RenewDeadline: renewDeadline,
	})
	if err != nil {
		return fmt.Errorf("set up the leader election: %w", err)
	}
	return mgr.Add(&election{lock: lock, term: term})
}

// NeedLeaderElection keeps the library from waiting for a leader before it stands for the lease.
func (*election) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (e *election) Start(ctx context.Context) error {
	ctx = klog.NewContext(ctx, withoutLostRaces(klog.FromContext(ctx)))
	for ctx.Err() == nil {
		elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
			Lock: e.lock, LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: retryPeriod,
			ReleaseOnCancel: true, Name: leaseName,
			Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: e.term.Begin, OnStoppedLeading: func() {}},
		})
		if err != nil {
			return fmt.Errorf("stand for the lease: %w", err)
		}
		elector.Run(ctx)
	}
	return nil
}

// leaders is a manager whose runnables that need the lease wait for the first term. They are told of its end, and of later
// ones, by the term itself.
type leaders struct {
	ctrl.Manager
	term *recall.Term
}

// Add implements manager.Manager.
func (l leaders) Add(r manager.Runnable) error {
	if needs, ok := r.(manager.LeaderElectionRunnable); ok && !needs.NeedLeaderElection() {
		return l.Manager.Add(r)
	}
	return l.Manager.Add(led{Runnable: r, first: l.term.First()})
}

// led starts when the replica leads for the first time.
type led struct {
	manager.Runnable
	first <-chan struct{}
}

// NeedLeaderElection keeps the library out of it.
func (led) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (l led) Start(ctx context.Context) error {
	select {
	case <-l.first:
		return l.Runnable.Start(ctx)
	case <-ctx.Done():
		return nil
	}
}
