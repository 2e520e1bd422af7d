package rookstandin

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ensureMonService writes the Service of a mon and returns its ClusterIP. Where the Service is missing but the mon has
// an address, Rook asks for a Service with that address.
func (o *Operator) ensureMonService(ctx context.Context, m mon) (netip.Addr, error) {
	var ports []corev1.ServicePort
	if m.endpoint.Port() != msgr2Port {
		ports = append(ports, servicePort("tcp-msgr1", msgr1Port))
	}
	service := &corev1.Service{
		ObjectMeta: o.metaUncontrolled(monResource(m.id)),
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Ports:    append(ports, servicePort("tcp-msgr2", msgr2Port)),
			Selector: o.monLabels(m, false, false),
		},
	}
	service.Labels = o.monLabels(m, false, true)
	if o.cluster.ipFamily != "" {
		service.Spec.IPFamilies = []corev1.IPFamily{corev1.IPFamily(o.cluster.ipFamily)}
	}
	if o.cluster.native {
		service.Spec.PublishNotReadyAddresses = true
	}
	if m.endpoint.Addr().IsValid() {
		err := o.write.get(ctx, o.cluster.namespace, service.Name, &corev1.Service{})
		if apierrors.IsNotFound(err) {
			service.Spec.ClusterIP = m.publicIP()
		}
	}
	return o.createOrUpdateService(ctx, service)
}

// createOrUpdateService creates the Service; one that exists is replaced but for its ClusterIP.
func (o *Operator) createOrUpdateService(ctx context.Context, service *corev1.Service) (netip.Addr, error) {
	fresh := service.DeepCopy()
	err := o.write.create(ctx, service)
	if apierrors.IsAlreadyExists(err) {
		existing := &corev1.Service{}
		if err := o.write.get(ctx, fresh.Namespace, fresh.Name, existing); err != nil {
			return netip.Addr{}, fmt.Errorf("failed to get service %s: %w", fresh.Name, err)
		}
		service = fresh
		service.ResourceVersion = existing.ResourceVersion
		service.Spec.ClusterIP = existing.Spec.ClusterIP
		err = o.write.update(ctx, service)
	}
	if err != nil {
		return netip.Addr{}, fmt.Errorf("failed to create or update service %s: %w", service.Name, err)
	}
	ip, err := netip.ParseAddr(service.Spec.ClusterIP)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("service %s has no ClusterIP: %w", service.Name, err)
	}
	return ip, nil
}

// ensureOSDService writes the Service that an OSD has in native multi-cluster mode.
func (o *Operator) ensureOSDService(ctx context.Context, osd OSD, labels map[string]string) error {
	var ports []corev1.ServicePort
	if !o.cluster.requireMsgr2 {
		ports = append(ports, servicePort("osd-port-v1", 6801))
	}
	service := &corev1.Service{
		ObjectMeta: o.metaUncontrolled(osdResource(osd.ID)),
		Spec: corev1.ServiceSpec{
			Ports:    append(ports, servicePort("osd-port-v2", 6800)),
			Selector: map[string]string{"app": osdApp, "ceph-osd-id": osd.ID},
		},
	}
	service.Labels = labels
	_, err := o.createOrUpdateService(ctx, service)
	return err
}

// export exports a Service as Rook does in native multi-cluster mode, and asks DNS for its address.
func (o *Operator) export(ctx context.Context, service string) (netip.Addr, error) {
	export := &unstructured.Unstructured{Object: map[string]any{}}
	export.SetGroupVersionKind(serviceExportKind)
	export.SetNamespace(o.cluster.namespace)
	export.SetName(service)
	export.SetOwnerReferences(o.metaUncontrolled(service).OwnerReferences)
	if err := o.write.create(ctx, export); err != nil && !apierrors.IsAlreadyExists(err) {
		return netip.Addr{}, fmt.Errorf("failed to export service %q: %w", service, err)
	}
	if o.options.Lookup == nil {
		return netip.Addr{}, fmt.Errorf("failed to look up service %q: no DNS was given", service)
	}
	name := fmt.Sprintf("%s.%s.%s.svc.clusterset.local", o.cluster.clusterID, service, o.cluster.namespace)
	var last error
	for range o.options.Timing.LookupTries {
		address, err := o.options.Lookup(ctx, name)
		if err == nil {
			return address, nil
		}
		last = err
		if err := o.clock.sleep(ctx, o.options.Timing.LookupInterval); err != nil {
			return netip.Addr{}, err
		}
	}
	return netip.Addr{}, fmt.Errorf("failed to get exported IP of service %q: %w", service, last)
}

func servicePort(name string, port int32) corev1.ServicePort {
	return corev1.ServicePort{Name: name, Port: port, TargetPort: intstr.FromInt32(port), Protocol: corev1.ProtocolTCP}
}
