package exporter

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// KindsServed says which kinds that others install are there.
type KindsServed interface {
	resolver.Kinds
	// Wait returns once that is known.
	Wait(ctx context.Context) error
}

// View is what is known of the daemons of a namespace, read from the caches. What is not there is nil or zero; an error
// means that it cannot be told.
type View struct {
	reader client.Reader
	kinds  KindsServed
}

// NewView returns a View over the manager's cache. The manager's client serves too if it reads unstructured objects from
// the cache, which it does not by default.
func NewView(reader client.Reader, kinds KindsServed) *View {
	return &View{reader: reader, kinds: kinds}
}

// Enabled says whether the namespace is switched on.
func (v *View) Enabled(ctx context.Context, namespace string) (bool, error) {
	found := &corev1.Namespace{}
	if err := v.reader.Get(ctx, types.NamespacedName{Name: namespace}, found); err != nil {
		if absent(err) {
			return false, nil
		}
		return false, fmt.Errorf("read Namespace %s: %w", namespace, err)
	}
	return found.Labels[rook.EnabledLabel] == "true", nil
}

// EnabledNamespaces returns the namespaces that are switched on, sorted.
func (v *View) EnabledNamespaces(ctx context.Context) ([]string, error) {
	list := &corev1.NamespaceList{}
	if err := v.reader.List(ctx, list, client.UnsafeDisableDeepCopy, client.MatchingLabels{rook.EnabledLabel: "true"}); err != nil {
		return nil, fmt.Errorf("list the enabled namespaces: %w", err)
	}
	names := make([]string, 0, len(list.Items))
	for _, namespace := range list.Items {
		names = append(names, namespace.Name)
	}
	slices.Sort(names)
	return names, nil
}

// Cluster returns the CephCluster of the namespace, of which Rook allows one.
func (v *View) Cluster(ctx context.Context, namespace string) (*rook.Cluster, error) {
	found, err := v.cephClusters(ctx, namespace)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	deployments, err := v.deployments(ctx, namespace)
	if err != nil {
		return nil, err
	}
	cluster := readCluster(&found[0], deployments)
	return &cluster, nil
}

// readCluster completes what a CephCluster tells by the version of Rook, which stands on the Deployments.
func readCluster(u *unstructured.Unstructured, deployments []appsv1.Deployment) rook.Cluster {
	cluster := rook.ReadCluster(u)
	for _, d := range deployments {
		version := d.Labels[rook.RookVersionLabel]
		if version == "" {
			continue
		}
		cluster.RookVersion = version
		// While Rook is upgraded some Deployments still tell the old version: one that tells a good one is enough.
		if cluster.StandAside() != reason.RookTooOld {
			break
		}
	}
	return cluster
}

// cephClusters returns the CephClusters of a namespace, the oldest first; of all namespaces if none is named.
func (v *View) cephClusters(ctx context.Context, namespace string) ([]unstructured.Unstructured, error) {
	found, err := v.list(ctx, CephCluster, namespace)
	slices.SortStableFunc(found, func(a, b unstructured.Unstructured) int {
		if byAge := a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time); byAge != 0 {
			return byAge
		}
		return strings.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName())
	})
	return found, err
}

// Deployment returns the Deployment of a daemon, or nil.
func (v *View) Deployment(ctx context.Context, namespace, name string) (*appsv1.Deployment, error) {
	d := &appsv1.Deployment{}
	if err := v.reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, d); err != nil {
		if absent(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("read Deployment %s/%s: %w", namespace, name, err)
	}
	return d, nil
}

// MonEndpoints returns the ConfigMap in which Rook keeps the address of each mon, or nil.
func (v *View) MonEndpoints(ctx context.Context, namespace string) (*corev1.ConfigMap, error) {
	endpoints := &corev1.ConfigMap{}
	if err := v.reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: rook.MonEndpointsName}, endpoints); err != nil {
		if absent(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("read ConfigMap %s/%s: %w", namespace, rook.MonEndpointsName, err)
	}
	return endpoints, nil
}

// Export returns what is known of the ServiceExport of that name.
func (v *View) Export(ctx context.Context, namespace, name string) (rook.Export, error) {
	gvk, served, err := v.served(ctx, resolver.ServiceExport)
	if err != nil || !served {
		return rook.Export{}, err
	}
	export := objectOf(gvk)
	if err := v.reader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, export); err != nil {
		if absent(err) {
			return rook.Export{}, nil
		}
		return rook.Export{}, fmt.Errorf("read ServiceExport %s/%s: %w", namespace, name, err)
	}
	return readExport(export), nil
}

// Exports returns what is known of every ServiceExport of the namespace, by its name.
func (v *View) Exports(ctx context.Context, namespace string) (map[string]rook.Export, error) {
	found, err := v.list(ctx, resolver.ServiceExport, namespace)
	if err != nil {
		return nil, err
	}
	exports := make(map[string]rook.Export, len(found))
	for i := range found {
		exports[found[i].GetName()] = readExport(&found[i])
	}
	return exports, nil
}

// Mons returns what is known of each mon of the namespace that has a Service, a ServiceExport or a Deployment, by its ID.
func (v *View) Mons(ctx context.Context, namespace string) (map[string]rook.DaemonFacts, error) {
	exports, err := v.Exports(ctx, namespace)
	if err != nil {
		return nil, err
	}
	services, err := v.services(ctx, namespace)
	if err != nil {
		return nil, err
	}
	deployments, err := v.deployments(ctx, namespace)
	if err != nil {
		return nil, err
	}
	mons := map[string]rook.DaemonFacts{}
	for name, export := range exports {
		if kind, id, ok := rook.ParseName(name); ok && kind == rook.Mon {
			mons[id] = rook.DaemonFacts{Export: export}
		}
	}
	for i := range services {
		service := &services[i]
		if kind, id, ok := rook.ParseName(service.Name); ok && kind == rook.Mon {
			mon := mons[id]
			mon.ClusterIPs = clusterIPs(service)
			mons[id] = leaveFloating(mon, service)
		}
	}
	for i := range deployments {
		d := &deployments[i]
		daemon, code := rook.Identify(d)
		switch {
		case code == "" && daemon.Type == rook.Mon:
			mon := mons[daemon.ID]
			mon.Deployed = true
			mon.Address, _ = rook.Address(d)
			mons[daemon.ID] = mon
		case code == reason.FloatingMon:
			if _, id, ok := rook.ParseName(d.Name); ok {
				mons[id] = leaveFloating(mons[id], d)
			}
		}
	}
	return mons, nil
}

// MonClusterIPs returns the namespace of the mon whose Service has the ClusterIP, for all namespaces, switched on or not.
func (v *View) MonClusterIPs(ctx context.Context) (map[netip.Addr]string, error) {
	services, err := v.services(ctx, "")
	if err != nil {
		return nil, err
	}
	holders := map[netip.Addr]string{}
	for i := range services {
		if kind, _, ok := rook.ParseName(services[i].Name); ok && kind == rook.Mon {
			for _, ip := range clusterIPs(&services[i]) {
				holders[ip] = services[i].Namespace
			}
		}
	}
	return holders, nil
}

// leaveFloating makes a floating mon one that keeps its ClusterIP: it has no export, and would be taken for a new mon
// whose global IP is awaited.
func leaveFloating(mon rook.DaemonFacts, object client.Object) rook.DaemonFacts {
	if object.GetLabels()[rook.AppLabel] == rook.FloatingMonApp {
		mon.Export.Identity = rook.IdentityCluster
	}
	return mon
}

// deployments returns the Deployments of daemons in a namespace. They are the cache's own and must not be changed.
func (v *View) deployments(ctx context.Context, namespace string) ([]appsv1.Deployment, error) {
	list := &appsv1.DeploymentList{}
	if err := v.reader.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the Deployments of %s: %w", namespace, err)
	}
	return list.Items, nil
}

// services returns the Services of daemons in a namespace. They are the cache's own and must not be changed.
func (v *View) services(ctx context.Context, namespace string) ([]corev1.Service, error) {
	list := &corev1.ServiceList{}
	if err := v.reader.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the Services of %s: %w", namespace, err)
	}
	return list.Items, nil
}

// list returns the objects of a kind, none if it is not installed. They are the cache's own and must not be changed.
func (v *View) list(ctx context.Context, gk schema.GroupKind, namespace string) ([]unstructured.Unstructured, error) {
	gvk, served, err := v.served(ctx, gk)
	if err != nil || !served {
		return nil, err
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := v.reader.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		if absent(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("list the %ss of %s: %w", gk.Kind, namespace, err)
	}
	return list.Items, nil
}

func (v *View) served(ctx context.Context, gk schema.GroupKind) (schema.GroupVersionKind, bool, error) {
	if err := v.kinds.Wait(ctx); err != nil {
		return schema.GroupVersionKind{}, false, err
	}
	gvk, ok := v.kinds.Served(gk)
	return gvk, ok, nil
}

func readExport(export *unstructured.Unstructured) rook.Export {
	return rook.ReadExport(export, resolver.Conditions(export))
}

// clusterIPs returns the Service's own addresses.
func clusterIPs(service *corev1.Service) []netip.Addr {
	texts := service.Spec.ClusterIPs
	if len(texts) == 0 {
		texts = []string{service.Spec.ClusterIP}
	}
	var addrs []netip.Addr
	for _, text := range texts {
		if addr, err := netip.ParseAddr(text); err == nil {
			addrs = append(addrs, addr.Unmap())
		}
	}
	return addrs
}

// absent says whether an object is not there, be it that its kind was removed a moment ago.
func absent(err error) bool {
	_, notCached := errors.AsType[*cache.ErrResourceNotCached](err)
	return notCached || apierrors.IsNotFound(err)
}
