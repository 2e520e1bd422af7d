package rookstandin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Options configure an Operator. Zero values stand for the defaults that are named.
type Options struct {
	// Config reaches the API server. It is not needed where Client is given.
	Config *rest.Config
	// AsOperator makes the operator, and its prepare jobs, act as the ServiceAccounts that Rook's run as, with the rights
	// that Install gives them; Config must be allowed to impersonate.
	AsOperator bool
	// Client is made from Config by default.
	Client client.WithWatch
	// Namespace is that of the CephCluster, OperatorNamespace that of the operator: both rook-ceph by default.
	Namespace, OperatorNamespace string
	// Release is v1.20.6 by default, CephVersion 20.2.4-0.
	Release     Release
	CephVersion string
	// CSIOperator makes releases 1.15 to 1.19 write a CephConnection or not; by default they do from 1.18 on.
	CSIOperator *bool
	// Nodes are DefaultNodes by default, OSDs are three on nodes.
	Nodes []Node
	OSDs  []OSD
	// Timing has its own defaults.
	Timing Timing
	// Kubelet is FromPods by default.
	Kubelet Kubelet
	// Ceph is StartCeph's by default. An operator that is started again is given the one of before.
	Ceph *Ceph
	// Commands are those of Ceph's model by default. Where they are given there is no model.
	Commands Commands
	// Lookup asks the DNS of the clusterset; only native multi-cluster mode needs it.
	Lookup func(ctx context.Context, name string) (netip.Addr, error)
	// OnEntry, if set, is called with every entry of the journal.
	OnEntry func(Entry)
}

func (o *Options) csiOperator() bool {
	if o.Release.alwaysCSIOperator() {
		return true
	}
	if o.CSIOperator != nil {
		return *o.CSIOperator && o.Release.atLeast(15, 0)
	}
	return o.Release.usesCSIOperator()
}

func (o *Options) setDefaults() error {
	or := func(v *string, fallback string) {
		if *v == "" {
			*v = fallback
		}
	}
	or(&o.Namespace, "rook-ceph")
	or(&o.OperatorNamespace, "rook-ceph")
	or(&o.CephVersion, "20.2.4-0")
	if o.Release == (Release{}) {
		o.Release = Release{Minor: 20, Patch: 6}
	}
	if len(o.Nodes) == 0 {
		o.Nodes = DefaultNodes
	}
	if o.OSDs == nil {
		o.OSDs = []OSD{{ID: "0"}, {ID: "1"}, {ID: "2"}}
	}
	o.Timing = o.Timing.withDefaults()
	if o.Client != nil {
		return nil
	}
	c, err := o.clientOf(o.OperatorNamespace, OperatorServiceAccount)
	if err != nil {
		return err
	}
	o.Client = c
	return nil
}

// clientOf returns a client that acts as the ServiceAccount, if any is to be acted as.
func (o *Options) clientOf(namespace, account string) (client.WithWatch, error) {
	cfg := rest.CopyConfig(o.Config)
	cfg.QPS = -1
	if o.AsOperator {
		cfg.Impersonate = rest.ImpersonationConfig{
			UserName: fmt.Sprintf("system:serviceaccount:%s:%s", namespace, account),
			Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
		}
	}
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return nil, fmt.Errorf("make the client of the Rook stand-in: %w", err)
	}
	return c, nil
}

// Operator is a running stand-in of Rook's operator, for the one CephCluster of a namespace.
type Operator struct {
	options Options
	write   *writer
	// prepareWrite is the client of the prepare jobs.
	prepareWrite *writer
	journal      *Journal
	memory       *memory
	ceph         *Ceph
	commands     Commands
	trigger      chan struct{}
	clock        clock
	// alone is set where nothing else may run beside what is asked of the operator.
	alone   bool
	running sync.WaitGroup

	// named are the OSDs that a prepare job has named; the reconcile alone writes it.
	named map[string]bool

	// orchestration is held by whoever works on the mons: a reconcile or a health check.
	orchestration sync.Mutex
	// The fields down to the next blank line are written under orchestration by the reconcile alone.
	cluster     settings
	fsid        string
	monKey      string
	monOutSince map[string]time.Time

	mu sync.Mutex
	// life is the context of every reconcile and health check until the spec of the CephCluster changes: Rook then
	// aborts what runs and begins anew.
	life  context.Context
	abort context.CancelFunc
	// monitoring is set after the first reconcile that succeeded.
	monitoring bool
	reconciled int
	// adminKey is the key of client.admin.
	adminKey string
}

// newOperator returns an operator that does not run.
func newOperator(options Options) (*Operator, error) {
	if err := options.setDefaults(); err != nil {
		return nil, err
	}
	jobs := options.Client
	if options.AsOperator {
		var err error
		if jobs, err = options.clientOf(options.Namespace, prepareServiceAccount); err != nil {
			return nil, err
		}
	}
	o := &Operator{
		options:     options,
		memory:      newMemory(),
		ceph:        options.Ceph,
		commands:    options.Commands,
		trigger:     make(chan struct{}, 1),
		monOutSince: map[string]time.Time{},
		named:       map[string]bool{},
		clock:       wallClock{},
	}
	o.journal = &Journal{onEntry: options.OnEntry, now: func() time.Time { return o.clock.now() }}
	o.write = &writer{client: options.Client, journal: o.journal}
	o.prepareWrite = &writer{client: jobs, journal: o.journal}
	if o.options.Kubelet == nil {
		o.options.Kubelet = FromPods{Client: options.Client}
	}
	if o.commands == nil {
		o.commands = modelCommands{o.ceph}
	}
	return o, nil
}

// Start runs the operator until the context ends.
func Start(ctx context.Context, options Options) (*Operator, error) {
	o, err := newOperator(options)
	if err != nil {
		return nil, err
	}
	if o.ceph == nil && options.Commands == nil {
		o.ceph, err = StartCeph(ctx, o.options.Client, o.options.Namespace)
		if err != nil {
			return nil, fmt.Errorf("start the Ceph cluster of the Rook stand-in: %w", err)
		}
		o.commands = modelCommands{o.ceph}
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
	return o, nil
}

// Wait returns when everything that Start started has stopped.
func (o *Operator) Wait() { o.running.Wait() }

// Journal returns what the operator did so far.
func (o *Operator) Journal() *Journal { return o.journal }

// Ceph returns the model of the cluster that the operator runs; nil where Ceph is real.
func (o *Operator) Ceph() *Ceph { return o.ceph }

// Memory returns the endpoint of each mon as the operator remembers it now.
func (o *Operator) Memory() map[string]netip.AddrPort {
	all := map[string]netip.AddrPort{}
	for id, info := range o.memory.snapshot() {
		all[id] = info.endpoint
	}
	return all
}

// Reachable says whether the operator reaches its cluster at the addresses that it remembers.
func (o *Operator) Reachable() bool {
	_, err := o.commands.QuorumStatus(context.Background(), o.access())
	return err == nil
}

// Reconciled returns how many reconciles have succeeded.
func (o *Operator) Reconciled() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.reconciled
}

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
	failures := 0
	for {
		var retry <-chan time.Time
		if failures > 0 {
			retry = time.After(o.backoff(failures))
		}
		select {
		case <-ctx.Done():
			return
		case <-o.trigger:
		case <-retry:
		}
		if err := o.reconcile(o.lifetime()); err != nil {
			failures++
		} else {
			failures = 0
		}
	}
}

func (o *Operator) backoff(failures int) time.Duration {
	delay := o.options.Timing.BackoffBase
	for range failures - 1 {
		if delay *= 2; delay >= o.options.Timing.BackoffMax {
			return o.options.Timing.BackoffMax
		}
	}
	return delay
}

func (o *Operator) healthLoop(ctx context.Context) {
	for o.clock.sleep(ctx, o.options.Timing.HealthInterval) == nil {
		o.mu.Lock()
		monitoring := o.monitoring
		o.mu.Unlock()
		if !monitoring {
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
	started := o.clock.now()
	o.journal.add(ReconcileStarted, "CephCluster", u.GetNamespace()+"/"+u.GetName(), "")
	if err := o.reconcileCluster(ctx, u); err != nil {
		if ctx.Err() != nil {
			return err
		}
		o.journal.add(ReconcileFailed, "CephCluster", u.GetNamespace()+"/"+u.GetName(), "%v", err)
		o.emit(ctx, u, corev1.EventTypeWarning, "ReconcileFailed", err.Error())
		return errors.Join(err, o.setCondition(ctx, u, "Progressing", metav1.ConditionFalse, "ClusterProgressing", err.Error()))
	}
	o.journal.add(ReconcileSucceeded, "CephCluster", u.GetNamespace()+"/"+u.GetName(), "after %s", o.clock.now().Sub(started).Round(time.Millisecond))
	o.emit(ctx, u, corev1.EventTypeNormal, "ReconcileSucceeded", "cluster has been configured successfully")
	o.mu.Lock()
	defer o.mu.Unlock()
	o.monitoring = true
	o.reconciled++
	return nil
}

func (o *Operator) reconcileCluster(ctx context.Context, u *unstructured.Unstructured) error {
	if err := o.beginReconcile(ctx, u); err != nil {
		return err
	}
	if err := o.startCluster(ctx, u); err != nil {
		return err
	}
	if o.cluster.external {
		return nil
	}
	if err := o.savePeerToken(ctx); err != nil {
		return err
	}
	if err := o.startMgr(ctx); err != nil {
		return fmt.Errorf("failed to start ceph mgr: %w", err)
	}
	if err := o.setCondition(ctx, u, "Progressing", metav1.ConditionTrue, "ClusterProgressing", "Configuring Ceph OSDs"); err != nil {
		return err
	}
	if err := o.startOSDs(ctx); err != nil {
		return fmt.Errorf("failed to start ceph osds: %w", err)
	}
	if err := o.setCephHealth(ctx, u); err != nil {
		return err
	}
	return o.setCondition(ctx, u, "Ready", metav1.ConditionTrue, "ClusterCreated", "Cluster created successfully")
}

// beginReconcile is the part of a reconcile that goes on while a health check works on the mons.
func (o *Operator) beginReconcile(ctx context.Context, u *unstructured.Unstructured) error {
	if readSettings(u).external {
		return nil
	}
	if err := o.setCondition(ctx, u, "Progressing", metav1.ConditionTrue, "ClusterProgressing", "Detecting Ceph version"); err != nil {
		return err
	}
	if o.options.Timing.DetectVersion > 0 {
		if err := o.clock.sleep(ctx, o.options.Timing.DetectVersion); err != nil {
			return err
		}
	}
	return o.askVersions(ctx)
}

// startCluster is the part of a reconcile that holds the orchestration: everything up to the mons.
func (o *Operator) startCluster(ctx context.Context, u *unstructured.Unstructured) error {
	o.orchestration.Lock()
	defer o.orchestration.Unlock()
	o.cluster = readSettings(u)
	if err := o.setCephVersion(ctx, u); err != nil {
		return err
	}
	if o.cluster.external {
		return o.setCondition(ctx, u, "Connected", metav1.ConditionTrue, "ClusterConnected", "Cluster connected successfully")
	}
	if err := o.setCondition(ctx, u, "Progressing", metav1.ConditionTrue, "ClusterProgressing", "Configuring Ceph Mons"); err != nil {
		return err
	}
	if err := o.ensureConfigOverride(ctx); err != nil {
		return err
	}
	if err := o.initClusterInfo(ctx); err != nil {
		return fmt.Errorf("failed to initialize ceph cluster info: %w", err)
	}
	if err := o.startMons(ctx, o.cluster.monCount); err != nil {
		return fmt.Errorf("failed to start ceph monitors: %w", err)
	}
	return nil
}

// findCluster returns the CephCluster of the namespace, nil if there is none that wants to be reconciled.
func (o *Operator) findCluster(ctx context.Context) (*unstructured.Unstructured, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(CephClusterKind)
	err := o.write.client.List(ctx, list, client.InNamespace(o.options.Namespace))
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("list CephClusters: %w", err)
	}
	if err != nil || len(list.Items) == 0 || list.Items[0].GetDeletionTimestamp() != nil {
		return nil, nil
	}
	u := &list.Items[0]
	if readSettings(u).skipped && o.options.Release.atLeast(18, 9) {
		return nil, nil
	}
	return u, nil
}
