package mcsstandin

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// The stand-in notes on a GlobalIngressIP whose it is, so that a Service or an export re-created while nobody looked
// is told from the old one.
const (
	exportUIDAnnotation  = "mcsstandin/export-uid"
	serviceUIDAnnotation = "mcsstandin/service-uid"
)

func (s *Standin) setConditions(ctx context.Context, export *mcsv1alpha1.ServiceExport, conditions ...metav1.Condition) error {
	before := export.DeepCopy()
	for _, c := range conditions {
		meta.SetStatusCondition(&export.Status.Conditions, c)
	}
	if equality.Semantic.DeepEqual(before.Status, export.Status) {
		return nil
	}
	err := s.client.Status().Patch(ctx, export, client.MergeFrom(before))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("set the conditions of ServiceExport %s/%s: %w", export.Namespace, export.Name, err)
	}
	return nil
}

func (s *Standin) ensureIngressIP(
	ctx context.Context, key types.NamespacedName, r *record, allocated netip.Addr, c metav1.Condition,
) error {
	o := object(GlobalIngressIPKind, key.Namespace, key.Name, map[string]any{})
	_, err := controllerutil.CreateOrUpdate(ctx, s.client, o, func() error {
		o.SetAnnotations(map[string]string{
			exportUIDAnnotation:  string(r.exportUID),
			serviceUIDAnnotation: string(r.serviceUID),
		})
		o.Object["spec"] = map[string]any{"target": "ClusterIPService", "serviceRef": map[string]any{"name": key.Name}}
		return nil
	})
	if meta.IsNoMatchError(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ensure GlobalIngressIP %s: %w", key, err)
	}
	if c.Type == "" {
		return nil
	}
	return s.setIngressIPStatus(ctx, o, allocated, c)
}

func (s *Standin) setIngressIPStatus(
	ctx context.Context, o *unstructured.Unstructured, allocated netip.Addr, c metav1.Condition,
) error {
	var status struct {
		AllocatedIP string             `json:"allocatedIP,omitempty"`
		Conditions  []metav1.Condition `json:"conditions,omitempty"`
	}
	if current, ok := o.Object["status"].(map[string]any); ok {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(current, &status); err != nil {
			return fmt.Errorf("read the status of GlobalIngressIP %s/%s: %w", o.GetNamespace(), o.GetName(), err)
		}
	}
	address := ""
	if allocated.IsValid() {
		address = allocated.String()
	}
	if !meta.SetStatusCondition(&status.Conditions, c) && status.AllocatedIP == address {
		return nil
	}
	status.AllocatedIP = address
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&status)
	if err != nil {
		return fmt.Errorf("write the status of GlobalIngressIP %s/%s: %w", o.GetNamespace(), o.GetName(), err)
	}
	o.Object["status"] = content
	if err := s.client.Status().Update(ctx, o); err != nil {
		return fmt.Errorf("update the status of GlobalIngressIP %s/%s: %w", o.GetNamespace(), o.GetName(), err)
	}
	return nil
}

// ensureInternalService writes the Service that carries the global IP. The API server takes no special address there, so
// under a fault that tells one it carries the address that was allocated.
func (s *Standin) ensureInternalService(ctx context.Context, key types.NamespacedName, exported *corev1.Service, r *record) error {
	ip := r.told
	if special(ip) || ip.Is6() {
		ip = r.own
	}
	internal := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: InternalServiceName(key.Name)}}
	_, err := controllerutil.CreateOrUpdate(ctx, s.client, internal, func() error {
		internal.Labels = map[string]string{ExportedServiceLabel: key.Name}
		internal.Finalizers = []string{InternalServiceFinalizer}
		internal.Spec.Selector = exported.Spec.Selector
		internal.Spec.Ports = nil
		for _, port := range exported.Spec.Ports {
			port.NodePort = 0
			internal.Spec.Ports = append(internal.Spec.Ports, port)
		}
		internal.Spec.ExternalIPs = []string{ip.String()}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ensure the internal Service of %s: %w", key, err)
	}
	return nil
}

func (s *Standin) ensureClusterImport(ctx context.Context, key types.NamespacedName, service *corev1.Service, r *record) error {
	o := &mcsv1alpha1.ServiceImport{ObjectMeta: metav1.ObjectMeta{
		Namespace: OperatorNamespace, Name: importName(key.Name, key.Namespace, s.options.ClusterID),
	}}
	_, err := controllerutil.CreateOrUpdate(ctx, s.client, o, func() error {
		o.Labels = s.labels(key, s.options.ClusterID)
		o.Annotations = map[string]string{"origin-name": key.Name, "origin-namespace": key.Namespace}
		o.Spec.Type = mcsv1alpha1.ClusterSetIP
		o.Spec.IPs = texts(r.advertised)
		o.Spec.Ports = importPorts(service)
		return nil
	})
	if err != nil {
		return fmt.Errorf("ensure the ServiceImport of %s for this cluster: %w", key, err)
	}
	return nil
}

// ensureAggregatedImport writes the ServiceImport that the broker sends back: it names the clusters and has no IP.
func (s *Standin) ensureAggregatedImport(ctx context.Context, key types.NamespacedName, service *corev1.Service) error {
	o := &mcsv1alpha1.ServiceImport{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	_, err := controllerutil.CreateOrUpdate(ctx, s.client, o, func() error {
		o.Spec.Type = mcsv1alpha1.ClusterSetIP
		o.Spec.IPs = []string{}
		o.Spec.Ports = importPorts(service)
		return nil
	})
	if err != nil {
		return fmt.Errorf("ensure the aggregated ServiceImport %s: %w", key, err)
	}
	before := o.DeepCopy()
	o.Status.Clusters = []mcsv1alpha1.ClusterStatus{{Cluster: s.options.ClusterID}}
	for _, peer := range s.remoteExports(key) {
		o.Status.Clusters = append(o.Status.Clusters, mcsv1alpha1.ClusterStatus{Cluster: peer.clusterID})
	}
	if equality.Semantic.DeepEqual(before.Status, o.Status) {
		return nil
	}
	if err := s.client.Status().Patch(ctx, o, client.MergeFrom(before)); err != nil {
		return fmt.Errorf("set the clusters of the aggregated ServiceImport %s: %w", key, err)
	}
	return nil
}

// ensureSlices writes one EndpointSlice for this cluster and one for each peer that exports the same name.
func (s *Standin) ensureSlices(ctx context.Context, key types.NamespacedName, service *corev1.Service, r *record) error {
	// The API server takes no special address in an EndpointSlice either.
	if !special(r.advertised[0]) {
		if err := s.ensureSlice(ctx, key, service, s.options.ClusterID, r.advertised[:1], r.ready); err != nil {
			return err
		}
	}
	for _, peer := range s.remoteExports(key) {
		if err := s.ensureSlice(ctx, key, service, peer.clusterID, []netip.Addr{peer.address}, true); err != nil {
			return err
		}
	}
	return nil
}

func (s *Standin) ensureSlice(
	ctx context.Context, key types.NamespacedName, service *corev1.Service, clusterID string, addresses []netip.Addr, ready bool,
) error {
	family := discoveryv1.AddressTypeIPv4
	if addresses[0].Is6() {
		family = discoveryv1.AddressTypeIPv6
	}
	wanted := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: key.Namespace, GenerateName: key.Name + "-", Labels: s.labels(key, clusterID),
		},
		AddressType: family,
		Endpoints: []discoveryv1.Endpoint{{
			Addresses:  texts(addresses),
			Conditions: discoveryv1.EndpointConditions{Ready: new(ready)},
		}},
	}
	for _, port := range service.Spec.Ports {
		wanted.Ports = append(wanted.Ports, discoveryv1.EndpointPort{
			Name: new(port.Name), Port: new(port.Port), Protocol: new(port.Protocol),
		})
	}
	list := &discoveryv1.EndpointSliceList{}
	if err := s.client.List(ctx, list, client.InNamespace(key.Namespace), client.MatchingLabels(wanted.Labels)); err != nil {
		return fmt.Errorf("list the exported EndpointSlices of %s: %w", key, err)
	}
	for i := range list.Items {
		found := &list.Items[i]
		if found.AddressType != family {
			if err := s.client.Delete(ctx, found); client.IgnoreNotFound(err) != nil {
				return fmt.Errorf("delete EndpointSlice %s: %w", found.Name, err)
			}
			continue
		}
		if equality.Semantic.DeepEqual(found.Endpoints, wanted.Endpoints) && equality.Semantic.DeepEqual(found.Ports, wanted.Ports) {
			return nil
		}
		found.Endpoints, found.Ports = wanted.Endpoints, wanted.Ports
		if err := s.client.Update(ctx, found); err != nil {
			return fmt.Errorf("update EndpointSlice %s: %w", found.Name, err)
		}
		return nil
	}
	if err := s.client.Create(ctx, wanted); err != nil {
		return fmt.Errorf("create the exported EndpointSlice of %s: %w", key, err)
	}
	return nil
}

// release takes back everything that the export of the name brought; the address is never given out again.
func (s *Standin) release(ctx context.Context, key types.NamespacedName) error {
	s.mu.Lock()
	_, exported := s.records[key]
	s.mu.Unlock()
	if !exported {
		return nil
	}
	internal := &corev1.Service{}
	err := s.client.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: InternalServiceName(key.Name)}, internal)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("get the internal Service of %s: %w", key, err)
	}
	if err == nil {
		if err := s.deleteInternalService(ctx, internal); err != nil {
			return err
		}
	}
	ingress := object(GlobalIngressIPKind, key.Namespace, key.Name, map[string]any{})
	if err := s.client.Delete(ctx, ingress); client.IgnoreNotFound(err) != nil && !meta.IsNoMatchError(err) {
		return fmt.Errorf("delete GlobalIngressIP %s: %w", key, err)
	}
	for _, name := range []types.NamespacedName{
		key, {Namespace: OperatorNamespace, Name: importName(key.Name, key.Namespace, s.options.ClusterID)},
	} {
		o := &mcsv1alpha1.ServiceImport{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
		if err := s.client.Delete(ctx, o); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete ServiceImport %s: %w", name, err)
		}
	}
	slices := &discoveryv1.EndpointSliceList{}
	selector := client.MatchingLabels{sliceManagerLabel: SliceManager, serviceNameLabel: key.Name}
	if err := s.client.List(ctx, slices, client.InNamespace(key.Namespace), selector); err != nil {
		return fmt.Errorf("list the exported EndpointSlices of %s: %w", key, err)
	}
	for i := range slices.Items {
		if err := s.client.Delete(ctx, &slices.Items[i]); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete EndpointSlice %s: %w", slices.Items[i].Name, err)
		}
	}
	s.mu.Lock()
	delete(s.records, key)
	s.mu.Unlock()
	return nil
}

func (s *Standin) deleteInternalService(ctx context.Context, internal *corev1.Service) error {
	before := internal.DeepCopy()
	internal.Finalizers = nil
	if err := s.client.Patch(ctx, internal, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("let go of internal Service %s: %w", internal.Name, err)
	}
	if err := s.client.Delete(ctx, internal); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete internal Service %s: %w", internal.Name, err)
	}
	return nil
}

func (s *Standin) labels(key types.NamespacedName, clusterID string) map[string]string {
	return map[string]string{
		sliceManagerLabel:    SliceManager,
		serviceNameLabel:     key.Name,
		sourceClusterLabel:   clusterID,
		sourceNamespaceLabel: key.Namespace,
	}
}

func (s *Standin) remoteExports(key types.NamespacedName) []remoteExport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]remoteExport(nil), s.remote[key]...)
}

func importPorts(service *corev1.Service) []mcsv1alpha1.ServicePort {
	ports := make([]mcsv1alpha1.ServicePort, 0, len(service.Spec.Ports))
	for _, port := range service.Spec.Ports {
		ports = append(ports, mcsv1alpha1.ServicePort{Name: port.Name, Protocol: port.Protocol, Port: port.Port})
	}
	return ports
}

// special says whether the address is none that a host on a network can have.
func special(a netip.Addr) bool {
	return a.IsUnspecified() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast()
}

func texts(addresses []netip.Addr) []string {
	all := make([]string, 0, len(addresses))
	for _, a := range addresses {
		all = append(all, a.String())
	}
	return all
}
