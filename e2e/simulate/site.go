package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
)

// site is a namespace with a CephCluster, and the Rook that looks after it.
type site struct {
	world     *world
	namespace string
	mons      int
	osds      []string
	ceph      *ceph.Cluster
	rook      *rookClient
	model     *rookstandin.Model
	// waited is how much of the model's time has gone by in the world.
	waited time.Duration
	// monitoring is set once a reconcile has succeeded; reconciled counts those.
	monitoring bool
	reconciled int
	// stopped is set while no operator runs.
	stopped bool
	// killed are the mons that somebody made fail.
	killed map[string]bool
	// healthAt is when the mons are looked at next.
	healthAt time.Time
}

// rookTiming has Rook's own waits, with fewer tries.
var rookTiming = rookstandin.Timing{
	QuorumTries: 4, QuorumInterval: 5 * time.Second, CommandTimeout: 15 * time.Second,
	CanaryTries: 3, CanaryInterval: 5 * time.Second, OKToStopTries: 2, OKToStopInterval: 60 * time.Second,
	PrepareJob: time.Second, UpdateInterval: 2 * time.Second, UpdateTimeout: time.Minute,
	BackoffBase: 5 * time.Second, BackoffMax: time.Minute,
	HealthInterval: healthInterval, MonOutTimeout: 2 * time.Minute, DetectVersion: 2 * time.Second,
}

const healthInterval = 45 * time.Second

func newSite(w *world, namespace string, mons int, osds ...string) *site {
	return &site{world: w, namespace: namespace, mons: mons, osds: osds, ceph: ceph.New(), killed: map[string]bool{}}
}

// start starts an operator. One that was there before is gone, with all that it remembered.
func (s *site) start(ctx context.Context) error {
	if s.rook != nil {
		s.rook.gone = true
	}
	s.rook = &rookClient{apiServer: s.world.api, site: s}
	options := rookstandin.Options{
		Client: s.rook, Namespace: s.namespace, OperatorNamespace: operatorNamespace, Timing: rookTiming, Ceph: s.ceph,
		AssumePods: s.world.api, Release: s.world.release,
	}
	for _, id := range s.osds {
		options.OSDs = append(options.OSDs, rookstandin.OSD{ID: id})
	}
	if s.world.story != nil {
		options.OnEntry = s.tell
	}
	model, err := rookstandin.NewModel(ctx, options)
	if err != nil {
		return fmt.Errorf("start Rook of %s: %w", s.namespace, err)
	}
	s.model, s.waited, s.monitoring, s.stopped = model, 0, false, false
	s.model.Operator().Reconcile()
	return nil
}

func (s *site) tell(e rookstandin.Entry) {
	switch e.Event {
	case rookstandin.Wrote, rookstandin.Unchanged, rookstandin.Waiting, rookstandin.PrepareReported, rookstandin.Updated:
	default:
		s.world.tell("Rook of %s: %s %s %s %s", s.namespace, e.Event, e.Kind, e.Object, e.Message)
	}
}

// wanted says whether Rook has something to do now.
func (s *site) wanted() bool {
	return !s.stopped && (s.model.Wanted() || s.monitoring && !s.world.now.Before(s.healthAt))
}

// act is a reconcile or a look at the mons.
func (s *site) act(ctx context.Context) {
	if s.model.Wanted() {
		s.world.tell("Rook of %s reconciles", s.namespace)
		if s.model.Reconcile(ctx) == nil {
			s.monitoring = true
			s.reconciled++
		}
	} else {
		s.world.tell("Rook of %s looks at its mons", s.namespace)
		// The model waits before it looks, so that this time is Rook's alone.
		_ = s.model.CheckHealth(ctx)
		s.waited += healthInterval
	}
	s.healthAt = s.world.now.Add(healthInterval)
	s.world.passFor(s)
	if s.rook.gone && !s.stopped {
		s.world.faults["operator restarted at work"]++
		s.world.must(s.start(ctx))
	}
}

// cluster returns the CephCluster as it is stored, nil if there is none.
func (s *site) cluster() client.Object {
	return s.world.store.get(clusterKind, types.NamespacedName{Namespace: s.namespace, Name: clusterName})
}

// rookClient is the API server as Rook reaches it. Each write takes time, in which others act.
type rookClient struct {
	*apiServer
	site *site
	// gone is set once the operator has ended: nothing that it still wants to do is done.
	gone bool
}

func (c *rookClient) before(ctx context.Context, o client.Object) error {
	if actorOf(ctx) != nobody {
		return nil
	}
	if c.gone {
		return context.Canceled
	}
	w := c.site.world
	w.passFor(c.site)
	w.order(o)
	if w.faulty && w.rng.IntN(400) == 0 {
		w.tell("the operator of %s ends before it writes %s", c.site.namespace, named(o))
		c.gone = true
		return context.Canceled
	}
	return nil
}

// Get implements client.Reader.
func (c *rookClient) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if c.gone && actorOf(ctx) == nobody {
		return context.Canceled
	}
	return c.apiServer.Get(ctx, key, into, opts...)
}

// Create implements client.Writer.
func (c *rookClient) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	if err := c.before(ctx, o); err != nil {
		return err
	}
	return c.apiServer.Create(ctx, o, opts...)
}

// Update implements client.Writer.
func (c *rookClient) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	if err := c.before(ctx, o); err != nil {
		return err
	}
	return c.apiServer.Update(ctx, o, opts...)
}

// Delete implements client.Writer.
func (c *rookClient) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	if err := c.before(ctx, o); err != nil {
		return err
	}
	return c.apiServer.Delete(ctx, o, opts...)
}
