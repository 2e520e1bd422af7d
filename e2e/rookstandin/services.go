package rookstandin

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// ensureMonService writes the Service of a mon and returns its ClusterIP. Where the Service is missing but the mon has
// an address, Rook asks for a Service with that address.
func (o *Operator) ensureMonService(ctx context.Context, m mon) (netip.Addr, error) {
	v := o.monValues(m)
	if m.endpoint.Addr().IsValid() {
		err := o.write.get(ctx, o.cluster.Namespace, shapes.MonResource(m.id), &corev1.Service{})
		if apierrors.IsNotFound(err) {
			v["clusterIP"] = m.endpoint.Addr().String()
		}
	}
	return o.createOrUpdateService(ctx, shapes.Make[corev1.Service](o.cluster, "monService", v))
}

// createOrUpdateService creates the Service; one that exists is replaced but for its ClusterIP.
func (o *Operator) createOrUpdateService(ctx context.Context, service *corev1.Service) (netip.Addr, error) {
	fresh := service.DeepCopy()
	err := o.write.create(ctx, service)
	if apierrors.IsAlreadyExists(err) {
		existing := &corev1.Service{}
		if err = o.write.get(ctx, fresh.Namespace, fresh.Name, existing); err == nil {
			service = fresh
			service.ResourceVersion, service.Spec.ClusterIP = existing.ResourceVersion, existing.Spec.ClusterIP
			err = o.write.update(ctx, service)
		}
	}
	if err != nil {
		return netip.Addr{}, err
	}
	ip, err := netip.ParseAddr(service.Spec.ClusterIP)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("service %s has no ClusterIP: %w", service.Name, err)
	}
	return ip, nil
}

// export exports a Service as Rook does in native multi-cluster mode, and asks DNS for its address.
func (o *Operator) export(ctx context.Context, service string) (netip.Addr, error) {
	export := shapes.Make[unstructured.Unstructured](o.cluster, "serviceExport", shapes.Values{"name": service})
	if err := o.write.create(ctx, export); err != nil && !apierrors.IsAlreadyExists(err) {
		return netip.Addr{}, err
	}
	if o.options.Lookup == nil {
		return netip.Addr{}, fmt.Errorf("failed to look up service %q: no DNS was given", service)
	}
	name := fmt.Sprintf("%s.%s.%s.svc.clusterset.local", o.cluster.Spec.Network.MultiClusterService.ClusterID, service, o.cluster.Namespace)
	var address netip.Addr
	err := o.try(ctx, o.options.Timing.LookupTries, o.options.Timing.LookupInterval, func() (err error) {
		address, err = o.options.Lookup(ctx, name)
		return err
	})
	if err != nil {
		return netip.Addr{}, fmt.Errorf("failed to get exported IP of service %q: %w", service, err)
	}
	return address, nil
}
