package migration

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

const (
	// longestPause and shortestPause bound the pause between two looks at the clusters.
	longestPause  = 10 * time.Second
	shortestPause = 100 * time.Millisecond
	// looksBeforeStep is how often at least a cluster is looked at before a step, all of them within the time to settle.
	looksBeforeStep = 3
	// stepTimeout ends a step that takes longer, from the look that it rests on: it is less than another leader needs to take over.
	stepTimeout = 5 * time.Second
)

// loop looks at each cluster now and then, on the leader, and does what is next.
type loop struct {
	view      *view.View
	live      *view.View
	installed kinds.Installed
	writer    client.Client
	events    recorder.EventRecorder
	log       logr.Logger
	settings  Settings
	probe     prober
	now       func() time.Time
	term      *recall.Term

	mu sync.Mutex
	// told is what was last said of each namespace.
	told map[string]telling
	// steady is the step of each namespace that waits for calm.
	steady map[string]Steady
}

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (*loop) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable.
func (l *loop) Start(ctx context.Context) error {
	pause := max(min(l.settings.Settle/looksBeforeStep, longestPause), shortestPause)
	for {
		l.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// look takes a turn for each namespace that is switched on.
func (l *loop) look(ctx context.Context) {
	ctx, end, leads := l.term.Bind(ctx)
	defer end()
	if !leads {
		return
	}
	namespaces, err := l.view.EnabledNamespaces(ctx)
	if err != nil {
		l.log.Error(err, "Running clusters are not looked at")
		return
	}
	l.forgetAllBut(namespaces)
	for _, namespace := range namespaces {
		if err := l.turn(ctx, namespace); err != nil && ctx.Err() == nil {
			l.log.Error(err, "The next step is not done", "namespace", namespace)
		}
	}
}

// turn does what is next for the cluster of a namespace, if anything is.
func (l *loop) turn(ctx context.Context, namespace string) error {
	facts, err := l.facts(ctx, l.view, namespace)
	if err != nil {
		return err
	}
	step, why := Next(facts)
	if step.Action == StopMon {
		facts.Probe = l.probe.ask(ctx, facts, step.Daemon)
	}
	if step.Action != Wait {
		// What a cache has can be a moment old: Rook may have begun something since.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, stepTimeout)
		defer cancel()
		probe := facts.Probe
		if facts, err = l.facts(ctx, l.live, namespace); err != nil {
			return err
		}
		facts.Probe = probe
		step, why = Next(facts)
	}
	l.settle(namespace, step, why)
	if step.Action == Wait {
		l.tell(facts, step, why)
		return nil
	}
	if err := l.carryOut(ctx, facts, step); err != nil {
		return fmt.Errorf("%s %s/%s: %w", step.Action, namespace, step.Daemon.Name(), err)
	}
	l.tell(facts, step, why)
	return nil
}

func (l *loop) facts(ctx context.Context, from *view.View, namespace string) (Facts, error) {
	snapshot, err := from.Snapshot(ctx, namespace)
	if err != nil {
		return Facts{}, fmt.Errorf("read namespace %s: %w", namespace, err)
	}
	remembered, err := from.Remembered(ctx, namespace)
	if err != nil {
		return Facts{}, err
	}
	snapshot.List.Stale = len(remembered.Mons) > 0
	l.mu.Lock()
	defer l.mu.Unlock()
	return Facts{
		Snapshot: snapshot, ExportKindServed: from.ExportKindServed(), Settings: l.settings, Now: l.now(), Steady: l.steady[namespace],
	}, nil
}

// settle remembers since when nothing but the wait for calm holds back a step.
func (l *loop) settle(namespace string, step Step, why rook.State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case why.Code != reason.Settling:
		delete(l.steady, namespace)
	case l.steady[namespace].Daemon != step.Daemon.Name():
		l.steady[namespace] = Steady{Daemon: step.Daemon.Name(), Since: l.now()}
	}
}
