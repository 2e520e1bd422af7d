package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// How Rook asks for the address of what it has exported.
const (
	nativeTries    = 20
	nativeInterval = 5 * time.Second
)

// measureNative does for some OSDs what Rook does where spec.network.multiClusterService is enabled: one OSD after the
// other, a Deployment without an address, Service and export, questions to DNS, and the Deployment anew. It is a model:
// neither the rest of Rook's reconcile nor its waits for the update are in it.
func measureNative(ctx context.Context, w *world.World, f form) (time.Duration, error) {
	c, err := measure.NewCluster(ctx, w, "native", nil)
	if err != nil {
		return 0, err
	}
	for id := range f.native {
		w.MCS.SetFault(c.Namespace, measure.OSDName(id), mcsstandin.Fault{Delay: f.allocation})
	}
	started := time.Now()
	for id := range f.native {
		if err := createNativeOSD(ctx, c, id); err != nil {
			return 0, fmt.Errorf("bring up OSD %d as the native mode does: %w", id, err)
		}
	}
	return time.Since(started), nil
}

func createNativeOSD(ctx context.Context, c *measure.Cluster, id int) error {
	if _, err := c.CreateOSD(ctx, "node-0", id); err != nil {
		return err
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: measure.OSDName(id), OwnerReferences: c.OwnerReferences()}}
	service.Spec.Ports = []corev1.ServicePort{{Name: "osd-port-v2", Port: 6800}, {Name: "osd-port-v1", Port: 6801}}
	service.Spec.Selector = map[string]string{"ceph-osd-id": fmt.Sprint(id)}
	if err := c.Rook.Create(ctx, service); err != nil {
		return fmt.Errorf("create its Service: %w", err)
	}
	export := &unstructured.Unstructured{}
	export.SetAPIVersion("multicluster.x-k8s.io/v1alpha1")
	export.SetKind("ServiceExport")
	export.SetNamespace(c.Namespace)
	export.SetName(service.Name)
	if err := c.Rook.Create(ctx, export); err != nil {
		return fmt.Errorf("export its Service: %w", err)
	}
	address, err := lookUp(ctx, c, service.Name)
	if err != nil {
		return err
	}
	d, err := c.OSD("node-0", id)
	if err != nil {
		return err
	}
	osd := &d.Spec.Template.Spec.Containers[0]
	osd.Args = append(osd.Args, "--public-addr="+address.String(), "--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)")
	if err := c.Rook.Update(ctx, d); err != nil {
		return fmt.Errorf("give it its address: %w", err)
	}
	return nil
}

func lookUp(ctx context.Context, c *measure.Cluster, service string) (netip.Addr, error) {
	question := new(dns.Msg).SetQuestion("east."+service+"."+c.Namespace+".svc.clusterset.local.", dns.TypeA)
	for range nativeTries {
		answer, err := dns.ExchangeContext(ctx, question, c.World.MCS.DNSAddr())
		if err != nil {
			return netip.Addr{}, fmt.Errorf("ask DNS: %w", err)
		}
		for _, record := range answer.Answer {
			if a, ok := record.(*dns.A); ok {
				address, _ := netip.AddrFromSlice(a.A.To4())
				return address, nil
			}
		}
		if err := measure.Pause(ctx, nativeInterval); err != nil {
			return netip.Addr{}, err
		}
	}
	return netip.Addr{}, errors.New("DNS never told its address")
}
