package exporter

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// asker tells global IPs; it is a *resolver.Resolver.
type asker interface {
	Resolve(ctx context.Context, req resolver.Request) (resolver.Answer, error)
	Membership(ctx context.Context) (resolver.Membership, error)
}

// reconciler gathers the facts of a CephCluster, lets makePlan decide, and carries the plan out. It handles one
// CephCluster at a time, so that its memory needs no lock.
type reconciler struct {
	view    *View
	ensurer *Ensurer
	sources asker
	changes *sourceChanges
	events  recorder.EventRecorder
	metrics *counters
	now     func() time.Time
	grace   time.Duration

	memories map[types.NamespacedName]*memory
}

// Reconcile implements reconcile.Reconciler for a CephCluster.
func (r *reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	object, err := r.find(ctx, req.NamespacedName)
	if err != nil {
		return ctrl.Result{}, err
	}
	enabled, err := r.view.Enabled(ctx, req.Namespace)
	if err != nil {
		return ctrl.Result{}, err
	}
	if object == nil || !enabled || object.GetDeletionTimestamp() != nil {
		delete(r.memories, req.NamespacedName)
		return ctrl.Result{}, nil
	}
	m := r.memories[req.NamespacedName]
	if m == nil {
		m = newMemory()
		r.memories[req.NamespacedName] = m
	}
	t := turn{reconciler: r, object: object, memory: m}
	again, err := t.run(ctx)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("export CephCluster %s: %w", req.NamespacedName, err)
	}
	return ctrl.Result{RequeueAfter: again}, nil
}

// find returns a CephCluster, or nil where there is none or it is not the one that Rook serves in its namespace.
func (r *reconciler) find(ctx context.Context, key types.NamespacedName) (*unstructured.Unstructured, error) {
	found, err := r.view.cephClusters(ctx, key.Namespace)
	if err != nil || len(found) == 0 || found[0].GetName() != key.Name {
		return nil, err
	}
	return found[0].DeepCopy(), nil
}

// turn is one reconcile of one CephCluster.
type turn struct {
	*reconciler
	object *unstructured.Unstructured
	memory *memory
}

func (t turn) run(ctx context.Context) (time.Duration, error) {
	f, err := t.gather(ctx)
	if err != nil {
		return 0, err
	}
	whole := "CephCluster " + f.cluster.Namespace + "/" + f.cluster.Name
	if code := f.cluster.StandAside(); code != "" {
		t.tellOnly(ctx, note{code: code, warning: true, subject: whole})
		return 0, nil
	}
	if _, served := t.view.kinds.Served(resolver.ServiceExport); !served {
		t.tellOnly(ctx, note{code: reason.NoServiceExportKind, warning: true, subject: whole})
		return 0, nil
	}
	t.memory.forget(whole)

	// Asking can take a while. What a mon that is about to be born waits for is done before.
	asked := t.due(f)
	isAsked := func(s step) bool {
		return slices.ContainsFunc(asked, func(q question) bool { return q.daemon.Name() == s.daemon.Name() })
	}
	p := makePlan(f)
	var errs []error
	for _, s := range p.steps {
		if !isAsked(s) {
			errs = append(errs, t.carryOut(ctx, f, s))
		}
	}
	if f.answers, err = t.ask(ctx, f, asked); err != nil {
		return 0, errors.Join(append(errs, err)...)
	}
	p = makePlan(f)
	for _, s := range p.steps {
		if isAsked(s) {
			errs = append(errs, t.carryOut(ctx, f, s))
		}
	}
	if p.reload {
		errs = append(errs, t.reload(ctx, f))
	}
	return sooner(p.again, t.nextTry(f)), errors.Join(errs...)
}

// gather reads the facts.
func (t turn) gather(ctx context.Context) (facts, error) {
	namespace := t.object.GetNamespace()
	deployments, err := t.view.deployments(ctx, namespace)
	if err != nil {
		return facts{}, err
	}
	services, err := t.view.services(ctx, namespace)
	if err != nil {
		return facts{}, err
	}
	exports, err := t.view.list(ctx, resolver.ServiceExport, namespace)
	if err != nil {
		return facts{}, err
	}
	f := facts{
		now:         t.now(),
		grace:       t.grace,
		cluster:     readCluster(t.object, deployments),
		services:    map[string]*corev1.Service{},
		deployments: map[string]*appsv1.Deployment{},
		exports:     map[string]knownExport{},
		inCIDR:      t.globalCIDRs(ctx),
		reloadedAt:  t.memory.reloadedAt,
	}
	if f.endpoints, err = t.view.MonEndpoints(ctx, namespace); err != nil {
		return facts{}, err
	}
	for i := range deployments {
		d := &deployments[i]
		if _, code := rook.Identify(d); code == "" && isControlled(d, f.cluster.UID) {
			f.deployments[d.Name] = d
		}
	}
	for i := range services {
		if service := &services[i]; isDaemonService(service, f.cluster.UID) {
			f.services[service.Name] = service
		}
	}
	for i := range exports {
		export := &exports[i]
		// An export of ours that is being deleted is no longer there for anybody.
		if _, _, ok := rook.ParseName(export.GetName()); ok && export.GetDeletionTimestamp() == nil {
			f.exports[export.GetName()] = knownExport{
				Export:          readExport(export),
				uid:             export.GetUID(),
				resourceVersion: export.GetResourceVersion(),
				owned:           isOwned(export, f.cluster.UID),
			}
		}
	}
	return f, nil
}

// isDaemonService says whether a Service is that of a mon of the cluster, or bears the name of an OSD's.
func isDaemonService(service *corev1.Service, cluster types.UID) bool {
	kind, _, ok := rook.ParseName(service.Name)
	if !ok || service.DeletionTimestamp != nil {
		return false
	}
	if kind == rook.OSD {
		return true
	}
	return service.Labels[rook.AppLabel] == rook.MonApp && isOwned(service, cluster)
}

func isControlled(d *appsv1.Deployment, cluster types.UID) bool {
	owner := metav1.GetControllerOfNoCopy(d)
	return owner != nil && owner.UID == cluster
}

// globalCIDRs returns a function that tells this cluster's global IPs, nil if that cannot be told now.
func (t turn) globalCIDRs(ctx context.Context) func(netip.Addr) bool {
	membership, err := t.sources.Membership(ctx)
	if err != nil {
		logf.FromContext(ctx).Error(err, "The range of global IPs cannot be read")
		return nil
	}
	return func(addr netip.Addr) bool {
		return slices.ContainsFunc(membership.GlobalCIDRs, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
}

// carryOut does what a step says. A refusal that lies in the nature of the case is told as an event and not tried again
// before something changes.
func (t turn) carryOut(ctx context.Context, f facts, s step) error {
	err := t.write(ctx, f, s)
	if refusal, ok := errors.AsType[*reason.Error](err); ok {
		t.tell(ctx, s.daemon.Name(), note{code: refusal.Code, warning: true, subject: s.daemon.String(), detail: refusal.Detail})
		return nil
	}
	if err != nil {
		return err
	}
	if len(s.remove) > 0 || s.create {
		t.memory.forget(s.daemon.String(), s.notes...)
	}
	for _, n := range s.notes {
		t.tell(ctx, s.daemon.Name(), n)
	}
	return nil
}

func (t turn) write(ctx context.Context, f facts, s step) error {
	if s.service != nil {
		if err := t.ensurer.applyService(ctx, s.service); err != nil {
			return err
		}
	}
	if s.mark != nil {
		if err := t.ensurer.markService(ctx, s.daemon, *s.mark); err != nil {
			return err
		}
	}
	if s.create {
		gvk, _ := t.view.kinds.Served(resolver.ServiceExport)
		if err := t.ensurer.createExport(ctx, newExport(gvk, s.daemon, f.cluster)); err != nil {
			return err
		}
	}
	if s.annotate != nil {
		if err := t.ensurer.applyExport(ctx, s.daemon, f.cluster, *s.annotate); err != nil {
			return err
		}
	}
	if len(s.remove) == 0 {
		return nil
	}
	return t.remove(ctx, s)
}

// remove deletes what outlived its daemon, unless the daemon came back a moment ago.
func (t turn) remove(ctx context.Context, s step) error {
	back, err := t.ensurer.isDeployed(ctx, s.daemon)
	if err != nil || back {
		return err
	}
	for _, o := range s.remove {
		if err := t.ensurer.remove(ctx, s.daemon, o); err != nil {
			return err
		}
	}
	t.metrics.orphans.WithLabelValues(s.daemon.Namespace).Inc()
	return nil
}

// reload makes Rook read its mon endpoints anew. The time is recorded first: should the rest fail, it is not tried again
// before its time.
func (t turn) reload(ctx context.Context, f facts) error {
	t.memory.reloadedAt = f.now
	if err := t.ensurer.requestReload(ctx, f.cluster, f.now); err != nil {
		return err
	}
	t.metrics.reloads.WithLabelValues(f.cluster.Namespace).Inc()
	n := note{
		code:    reason.ReloadRequested,
		subject: "CephCluster " + f.cluster.Namespace + "/" + f.cluster.Name,
		detail:  "Rook last wrote " + f.endpoints.Annotations[rook.CorrectedAnnotation],
	}
	t.record(ctx, "", n)
	return nil
}

// elsewhere returns the addresses of the daemons in other namespaces, and their names.
func (t turn) elsewhere(ctx context.Context) (map[netip.Addr]string, error) {
	all, err := t.view.list(ctx, resolver.ServiceExport, "")
	if err != nil {
		return nil, err
	}
	used := map[netip.Addr]string{}
	for i := range all {
		export := &all[i]
		if known := readExport(export); known.Ours && known.GlobalIP.IsValid() && export.GetNamespace() != t.object.GetNamespace() {
			used[known.GlobalIP] = client.ObjectKeyFromObject(export).String()
		}
	}
	return used, nil
}

// sooner returns the shorter of two waits, of which zero is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
