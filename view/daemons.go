package view

import (
	"context"
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Objects are those of one daemon: nil, or an export that does not exist, where there is none.
type Objects struct {
	Service    *corev1.Service
	Deployment *appsv1.Deployment
	Export     Export
	// Prepared says that Rook's prepare Job named the OSD, which is about to get its Deployment.
	Prepared bool
}

// Daemon returns the objects of a daemon.
func (v *View) Daemon(ctx context.Context, daemon rook.Daemon) (Objects, error) {
	var o Objects
	var err error
	if o.Deployment, err = v.Deployment(ctx, daemon.Namespace, daemon.Name()); err != nil {
		return Objects{}, err
	}
	if o.Service, err = v.service(ctx, daemon.Namespace, daemon.Name()); err != nil {
		return Objects{}, err
	}
	if o.Export, err = v.export(ctx, daemon.Namespace, daemon.Name()); err != nil {
		return Objects{}, err
	}
	if o.Deployment == nil && daemon.Type.ServiceIsOurs() {
		o.Prepared, err = v.isPrepared(ctx, daemon)
	}
	return o, err
}

// Deployment returns the Deployment of a daemon, or nil.
func (v *View) Deployment(ctx context.Context, namespace, name string) (*appsv1.Deployment, error) {
	return get(ctx, v.cached, namespace, name, "Deployment", &appsv1.Deployment{})
}

// service returns the Service of a daemon, or nil: one that is being deleted is gone.
func (v *View) service(ctx context.Context, namespace, name string) (*corev1.Service, error) {
	service, err := get(ctx, v.cached, namespace, name, "Service", &corev1.Service{})
	if err != nil || service == nil || !isDaemonService(service) {
		return nil, err
	}
	return service, nil
}

// get reads one object, nil where there is none.
func get[T interface {
	*O
	client.Object
}, O any](ctx context.Context, reader client.Reader, namespace, name, kind string, into T) (T, error) {
	if err := reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, into, client.UnsafeDisableDeepCopy); err != nil {
		if kinds.Absent(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("read %s %s/%s: %w", kind, namespace, name, err)
	}
	return into, nil
}

// isDaemonService says whether a Service, by its name and labels, is that of a daemon that lives or will.
func isDaemonService(service *corev1.Service) bool {
	kind, _, ok := rook.ParseName(service.Name)
	app := service.Labels[rook.AppLabel]
	return ok && service.DeletionTimestamp == nil && (app == rook.FloatingMonApp || app == kind.App())
}

// Mons returns what is known of each mon of the namespace that has a Service, a ServiceExport or a Deployment, by its ID.
func (v *View) Mons(ctx context.Context, namespace string) (map[string]rook.DaemonFacts, error) {
	daemons, err := v.daemons(ctx, client.InNamespace(namespace), ofType(rook.Mon))
	if err != nil {
		return nil, err
	}
	mons := make(map[string]rook.DaemonFacts, len(daemons))
	for _, facts := range daemons {
		if err := v.believe(ctx, &facts, false); err != nil {
			return nil, err
		}
		if err := v.addHolder(ctx, &facts); err != nil {
			return nil, err
		}
		mons[facts.Daemon.ID] = facts
	}
	return mons, nil
}

// addHolder adds who holds the address that a daemon is to be born with.
func (v *View) addHolder(ctx context.Context, facts *rook.DaemonFacts) error {
	if facts.Deployed || !facts.Export.Ready() {
		return nil
	}
	claims, err := v.Claims(ctx, facts.Export.GlobalIP)
	facts.HeldBy = rook.HolderAtBirth(facts.Daemon, claims)
	return err
}

// daemons returns what is known of the daemons of one namespace, by name.
func (v *View) daemons(ctx context.Context, namespace client.InNamespace, opts ...client.ListOption) (map[string]rook.DaemonFacts, error) {
	opts = append(opts, namespace)
	exports, err := v.exports(ctx, opts...)
	if err != nil {
		return nil, err
	}
	services, err := v.services(ctx, opts...)
	if err != nil {
		return nil, err
	}
	deployments, err := v.deployments(ctx, opts...)
	if err != nil {
		return nil, err
	}
	return combine(string(namespace), exports, services, deployments), nil
}

// combine joins what the objects of each daemon say.
func combine(namespace string, exports map[string]rook.Export, services []corev1.Service, deployments []appsv1.Deployment) map[string]rook.DaemonFacts {
	daemons := map[string]rook.DaemonFacts{}
	with := func(name string, add func(*rook.DaemonFacts)) {
		kind, id, ok := rook.ParseName(name)
		if !ok {
			return
		}
		facts := daemons[name]
		facts.Daemon = rook.Daemon{Type: kind, ID: id, Namespace: namespace}
		add(&facts)
		daemons[name] = facts
	}
	for name, export := range exports {
		with(name, func(f *rook.DaemonFacts) { f.Export = export })
	}
	for i := range services {
		service := &services[i]
		with(service.Name, func(f *rook.DaemonFacts) {
			f.ClusterIPs = rook.ClusterIPs(service)
			f.Port, f.ServiceOwner = rook.MonPort(service), rook.OwnerCluster(service)
			leaveFloating(f, service)
		})
	}
	for i := range deployments {
		d := &deployments[i]
		switch daemon, code := rook.Identify(d); code {
		case "":
			with(d.Name, func(f *rook.DaemonFacts) {
				f.Daemon.Cluster = daemon.Cluster
				f.Deployed = true
				f.Stopped = rook.IsStopped(d)
				f.Address, _ = rook.Address(d)
			})
		case reason.FloatingMon:
			with(d.Name, func(f *rook.DaemonFacts) { leaveFloating(f, d) })
		}
	}
	return daemons
}

// leaveFloating makes a floating mon one that keeps its ClusterIP: it has no export, and would be taken for a new mon
// whose global IP is awaited.
func leaveFloating(facts *rook.DaemonFacts, object client.Object) {
	if object.GetLabels()[rook.AppLabel] == rook.FloatingMonApp {
		facts.Export.Identity = rook.IdentityCluster
	}
}

// OperatorNamespace returns the namespace of Rook's operator, as the Services that it made for the mons of a CephCluster have it.
// It is empty where there are none, or where they do not agree.
func (v *View) OperatorNamespace(ctx context.Context, namespace string) (string, error) {
	services, err := v.services(ctx, client.InNamespace(namespace), ofType(rook.Mon))
	if err != nil {
		return "", err
	}
	known := map[string]bool{}
	for i := range services {
		if name := services[i].Labels[rook.OperatorNamespaceLabel]; name != "" && rook.MonPort(&services[i]) != 0 {
			known[name] = true
		}
	}
	if len(known) != 1 {
		return "", nil
	}
	return slices.Collect(maps.Keys(known))[0], nil
}

// Names returns the names of the daemons of the namespace of which there is any object, sorted.
func (v *View) Names(ctx context.Context, namespace string) ([]string, error) {
	daemons, err := v.daemons(ctx, client.InNamespace(namespace))
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(daemons)), nil
}

func (v *View) deployments(ctx context.Context, opts ...client.ListOption) ([]appsv1.Deployment, error) {
	list := &appsv1.DeploymentList{}
	if err := v.cached.List(ctx, list, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, fmt.Errorf("list the Deployments of daemons: %w", err)
	}
	return list.Items, nil
}

// services returns the Services of daemons, without those that are being deleted.
func (v *View) services(ctx context.Context, opts ...client.ListOption) ([]corev1.Service, error) {
	list := &corev1.ServiceList{}
	if err := v.cached.List(ctx, list, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		return nil, fmt.Errorf("list the Services of daemons: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(s corev1.Service) bool { return !isDaemonService(&s) }), nil
}
