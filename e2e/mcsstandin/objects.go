package mcsstandin

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"sigs.k8s.io/controller-runtime/pkg/client"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// putIngress writes the GlobalIngressIP with what it says of its address.
func (s *Standin) putIngress(ctx context.Context, r *record, e exportedService, said metav1.Condition) error {
	meta.SetStatusCondition(&r.allocation, said)
	e.Allocation = r.allocation
	return s.putShape(ctx, globalIngressIP, e)
}

func (s *Standin) putShape(ctx context.Context, shape string, e exportedService) error {
	return s.put(ctx, render(shape, e)[0])
}

// distribute writes what the clusters learn of each other by way of the broker.
func (s *Standin) distribute(ctx context.Context, export *mcsv1alpha1.ServiceExport, e exportedService, r *record) error {
	if err := s.putShape(ctx, clusterImport, e); err != nil {
		return err
	}
	var remote []remoteExport
	s.locked(func() { remote = slices.Clone(s.remote[client.ObjectKeyFromObject(export)]) })
	for _, peer := range remote {
		e.Exporters[peer.clusterID] = peer.began
	}
	var err error
	if e.VIP, err = s.vip(export, r); err != nil {
		return err
	}
	shapes := []string{aggregatedImport}
	if s.options.Broker {
		shapes = append(shapes, brokerImport)
	}
	for _, shape := range shapes {
		if err := s.putShape(ctx, shape, e); err != nil {
			return err
		}
	}
	// The API server takes no special address in an EndpointSlice.
	if e.Type() == mcsv1alpha1.ClusterSetIP && !special(e.Advertised[0]) {
		e.Advertised = e.Advertised[:1]
		if err := s.putSlice(ctx, e); err != nil {
			return err
		}
	}
	for _, peer := range remote {
		copied := exportedService{
			Cluster: peer.clusterID, Service: e.Service, Advertised: []netip.Addr{peer.address}, Ready: true, Copied: true,
		}
		if err := s.putSlice(ctx, copied); err != nil {
			return err
		}
	}
	return nil
}

// putSlice writes the one EndpointSlice of a cluster for the Service, and its copy at the broker.
func (s *Standin) putSlice(ctx context.Context, e exportedService) error {
	wanted := render(endpointSlice, e)[0]
	wanted.SetName(wanted.GetGenerateName() + rand.String(5))
	labels := e.SourceLabels()
	labels[sliceManagerLabel] = SliceManager
	list := &discoveryv1.EndpointSliceList{}
	if err := s.client.List(ctx, list, client.InNamespace(e.Namespace), client.MatchingLabels(labels)); err != nil {
		return fmt.Errorf("list the exported EndpointSlices of %s/%s: %w", e.Namespace, e.Name, err)
	}
	for i := range list.Items {
		if string(list.Items[i].AddressType) == e.Family() {
			wanted.SetName(list.Items[i].Name)
		} else if err := s.client.Delete(ctx, &list.Items[i]); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete EndpointSlice %s: %w", list.Items[i].Name, err)
		}
	}
	if err := s.put(ctx, wanted); err != nil || e.Copied || !s.options.Broker {
		return err
	}
	e.Copied = true
	atBroker := render(endpointSlice, e)[0]
	atBroker.SetNamespace(BrokerNamespace)
	atBroker.SetName(wanted.GetName())
	return s.put(ctx, atBroker)
}

// withdraw takes back what Lighthouse wrote for the export of the name.
func (s *Standin) withdraw(ctx context.Context, key types.NamespacedName) error {
	var r *record
	s.locked(func() {
		if r = s.records[key]; r != nil {
			r.registered = false
		}
	})
	if r == nil {
		return nil
	}
	e := exportedService{Cluster: s.options.ClusterID, Service: &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}}
	for _, shape := range []string{clusterImport, aggregatedImport, brokerImport} {
		if err := s.remove(ctx, render(shape, e)[0]); err != nil {
			return err
		}
	}
	for _, namespace := range []string{key.Namespace, BrokerNamespace} {
		selector := client.MatchingLabels{sliceManagerLabel: SliceManager, serviceNameLabel: key.Name, sourceNamespaceLabel: key.Namespace}
		if err := s.client.DeleteAllOf(ctx, &discoveryv1.EndpointSlice{}, client.InNamespace(namespace), selector); err != nil {
			return fmt.Errorf("delete the exported EndpointSlices of %s: %w", key, err)
		}
	}
	return nil
}

// release takes back everything that the export of the name brought, and frees its address.
func (s *Standin) release(ctx context.Context, key types.NamespacedName) error {
	var r *record
	if s.locked(func() { r = s.records[key] }); r == nil {
		return nil
	}
	if err := s.withdraw(ctx, key); err != nil {
		return err
	}
	service := object(corev1.SchemeGroupVersion.WithKind("Service"), key.Namespace, InternalServiceName(key.Name))
	if err := s.remove(ctx, service); err != nil {
		return err
	}
	if err := s.remove(ctx, object(GlobalIngressIPKind, key.Namespace, key.Name)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, key)
	for _, address := range []netip.Addr{r.own, r.spare} {
		s.pool.Free(address)
	}
	s.vips.Free(r.vip)
	return nil
}

// special says whether the address is none that a host on a network can have.
func special(a netip.Addr) bool {
	return a.IsUnspecified() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast()
}
