package rookstandin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// Operator is a running stand-in of Rook's operator, for the one CephCluster of a namespace.
type Operator struct {
	options Options
	write   *writer
	// prepareWrite is the client of the prepare jobs.
	prepareWrite *writer
	journal      *Journal
	memory       *memory
	commands     ceph.Commands
	trigger      chan struct{}
	running      sync.WaitGroup
	// alone is set where nothing else may run beside what is asked of the operator; waited is what it has waited then.
	alone  bool
	waited time.Duration

	// named are the OSDs that a prepare job has named; the reconcile alone writes it.
	named map[string]bool

	// orchestration is held by whoever works on the mons: a reconcile or a health check.
	orchestration sync.Mutex
	// The fields down to the next blank line are written under orchestration by the reconcile alone.
	cluster     *shapes.Cluster
	fsid        string
	monOutSince map[string]time.Time

	mu sync.Mutex
	// life is the context of every reconcile and health check until the spec of the CephCluster changes: Rook then
	// aborts what runs and begins anew.
	life  context.Context
	abort context.CancelFunc

	// monitoring is set after the first reconcile that succeeded, silent by a story.
	monitoring, silent atomic.Bool
	reconciled         atomic.Int64
}

// newOperator returns an operator that does not run.
func newOperator(options Options) (*Operator, error) {
	options.setDefaults()
	jobs, err := options.clientOf(options.Namespace, shapes.OSDApp)
	if err != nil {
		return nil, err
	}
	options.Client, err = options.clientOf(options.OperatorNamespace, OperatorServiceAccount)
	if err != nil {
		return nil, err
	}
	o := &Operator{
		options:     options,
		memory:      newMemory(),
		commands:    options.Commands,
		trigger:     make(chan struct{}, 1),
		monOutSince: map[string]time.Time{},
		named:       map[string]bool{},
		cluster:     &shapes.Cluster{Namespace: options.Namespace},
	}
	o.journal = &Journal{onEntry: options.OnEntry, now: o.now}
	o.write = &writer{client: options.Client, journal: o.journal}
	o.prepareWrite = &writer{client: jobs, journal: o.journal}
	if o.commands == nil {
		o.commands = options.Ceph
	}
	return o, nil
}

// Start runs the operator until the context ends.
func Start(ctx context.Context, options Options) (*Operator, error) {
	o, err := newOperator(options)
	if err != nil {
		return nil, err
	}
	if options.Ceph == nil && options.Commands == nil {
		o.options.Ceph, err = ceph.Start(ctx, o.options.Client, o.options.Namespace)
		if err != nil {
			return nil, fmt.Errorf("start the Ceph cluster of the Rook stand-in: %w", err)
		}
		o.commands = o.options.Ceph
	}
	if u, err := o.findCluster(ctx); err != nil || u == nil {
		o.controlCSI(ctx)
	}
	o.restart(ctx)
	if err := o.watchTriggers(ctx); err != nil {
		return nil, fmt.Errorf("watch for what makes the Rook stand-in reconcile: %w", err)
	}
	o.running.Go(func() { o.reconcileLoop(ctx) })
	o.running.Go(func() { o.healthLoop(ctx) })
	if o.options.Timing.StatusInterval > 0 {
		o.running.Go(func() { o.statusLoop(ctx) })
	}
	return o, nil
}

// Wait returns when everything that Start started has stopped.
func (o *Operator) Wait() { o.running.Wait() }

// Journal returns what the operator did so far.
func (o *Operator) Journal() *Journal { return o.journal }

// Memory returns the endpoint of each mon as the operator remembers it now.
func (o *Operator) Memory() map[string]netip.AddrPort {
	all := map[string]netip.AddrPort{}
	for id, info := range o.memory.snapshot() {
		all[id] = info.Endpoint
	}
	return all
}

// Reachable says whether the operator reaches its cluster at the addresses that it remembers.
func (o *Operator) Reachable() bool {
	_, err := o.commands.QuorumStatus(context.Background(), o.memory.access())
	return err == nil
}

// Reconciled returns how many reconciles have succeeded.
func (o *Operator) Reconciled() int { return int(o.reconciled.Load()) }

// Reconcile makes the operator reconcile as an event of its own would.
func (o *Operator) Reconcile() {
	select {
	case o.trigger <- struct{}{}:
	default:
	}
}

// FailOver makes the operator replace the mon now, as the health check does once it has been out of quorum for long.
func (o *Operator) FailOver(ctx context.Context, id string) error {
	o.orchestration.Lock()
	defer o.orchestration.Unlock()
	return o.failMon(ctx, len(o.memory.snapshot()), id)
}

func (o *Operator) reconcileLoop(ctx context.Context) {
	var retry <-chan time.Time
	pauses := o.backoff()
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.trigger:
		case <-retry:
		}
		if o.reconcile(o.lifetime()) == nil {
			retry, pauses = nil, o.backoff()
		} else {
			retry = time.After(pauses.Step())
		}
	}
}

// backoff tells the pauses after one failure and the next.
func (o *Operator) backoff() *wait.Backoff {
	return &wait.Backoff{Duration: o.options.Timing.BackoffBase, Factor: 2, Steps: math.MaxInt, Cap: o.options.Timing.BackoffMax}
}

func (o *Operator) healthLoop(ctx context.Context) {
	for o.sleep(ctx, o.options.Timing.HealthInterval) == nil {
		if !o.monitoring.Load() {
			continue
		}
		if err := o.checkMonHealth(o.lifetime()); err != nil && ctx.Err() == nil {
			o.journal.add(HealthCheckFailed, "", "", "%v", err)
		}
	}
}

// lifetime returns the context of what begins now.
func (o *Operator) lifetime() context.Context {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.life
}

// restart aborts what runs now, in the operator whose context is given.
func (o *Operator) restart(ctx context.Context) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.abort != nil {
		o.abort()
	}
	o.life, o.abort = context.WithCancel(ctx)
}

// reconcile is one full reconcile of the CephCluster.
func (o *Operator) reconcile(ctx context.Context) error {
	u, err := o.findCluster(ctx)
	if err != nil || u == nil {
		return err
	}
	started, name := o.now(), u.GetNamespace()+"/"+u.GetName()
	o.journal.add(ReconcileStarted, "CephCluster", name, "")
	if err := o.reconcileCluster(ctx, u); err != nil {
		if ctx.Err() != nil {
			return err
		}
		o.journal.add(ReconcileFailed, "CephCluster", name, "%v", err)
		o.emit(ctx, u, corev1.EventTypeWarning, "ReconcileFailed", err.Error())
		return errors.Join(err, o.setCondition(ctx, u, "Progressing", metav1.ConditionFalse, "ClusterProgressing", err.Error()))
	}
	o.journal.add(ReconcileSucceeded, "CephCluster", name, "after %s", o.now().Sub(started).Round(time.Millisecond))
	o.emit(ctx, u, corev1.EventTypeNormal, "ReconcileSucceeded", "cluster has been configured successfully")
	o.monitoring.Store(true)
	o.reconciled.Add(1)
	return nil
}

// step is one of several that are taken in order, with what is said where it fails.
type step struct {
	failed string
	take   func(ctx context.Context) error
}

// inOrder takes the steps until one fails.
func inOrder(ctx context.Context, steps ...step) error {
	for _, s := range steps {
		if err := s.take(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.failed, err)
		}
	}
	return nil
}

func (o *Operator) reconcileCluster(ctx context.Context, u *unstructured.Unstructured) error {
	progress := func(about string) step {
		return step{"failed to tell the progress", func(ctx context.Context) error {
			return o.setCondition(ctx, u, "Progressing", metav1.ConditionTrue, "ClusterProgressing", about)
		}}
	}
	// Up to the version it goes on while a health check works on the mons; from there to the mons nobody else may.
	err := inOrder(ctx, progress("Detecting Ceph version"), step{"failed to detect the version", o.detectVersion})
	if err != nil {
		return err
	}
	o.orchestration.Lock()
	err = inOrder(ctx,
		step{"failed to read the cluster", func(ctx context.Context) error { return o.readCluster(ctx, u) }},
		progress("Configuring Ceph Mons"),
		step{"failed to create the config override", o.ensureConfigOverride},
		step{"failed to initialize ceph cluster info", o.initClusterInfo},
		step{"failed to start ceph monitors", func(ctx context.Context) error { return o.startMons(ctx, o.cluster.Spec.Mon.Count) }},
	)
	o.orchestration.Unlock()
	if err != nil {
		return err
	}
	return inOrder(ctx,
		step{"failed to update cluster rbd bootstrap peer token", o.savePeerToken},
		step{"failed to start ceph mgr", o.startMgr},
		progress("Configuring Ceph OSDs"),
		step{"failed to start ceph osds", o.startOSDs},
		step{"failed to tell the health", func(ctx context.Context) error {
			health := o.cephStatus(ctx)
			return o.changeStatus(ctx, u, func(s *clusterStatus) {
				s.Ceph, s.ObservedGeneration = health, o.cluster.Generation
			})
		}},
		step{"failed to tell that it is ready", func(ctx context.Context) error {
			return o.setCondition(ctx, u, "Ready", metav1.ConditionTrue, "ClusterCreated", "Cluster created successfully")
		}},
	)
}

func (o *Operator) readCluster(ctx context.Context, u *unstructured.Unstructured) error {
	var err error
	o.cluster, err = shapes.Read(shapes.Operator{
		Release: o.options.Release, CephVersion: o.options.CephVersion, OperatorNamespace: o.options.OperatorNamespace,
	}, u)
	if err != nil {
		return err
	}
	return o.changeStatus(ctx, u, func(s *clusterStatus) {
		s.Version = map[string]string{"image": o.cluster.Spec.CephVersion.Image, "version": o.options.CephVersion}
	})
}

// findCluster returns the CephCluster of the namespace, nil if there is none that wants to be reconciled.
func (o *Operator) findCluster(ctx context.Context) (*unstructured.Unstructured, error) {
	list := shapes.ListOf(CephClusterKind)
	err := o.write.client.List(ctx, list, client.InNamespace(o.options.Namespace))
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("list CephClusters: %w", err)
	}
	if err != nil || len(list.Items) == 0 || list.Items[0].GetDeletionTimestamp() != nil {
		return nil, nil
	}
	return &list.Items[0], nil
}
