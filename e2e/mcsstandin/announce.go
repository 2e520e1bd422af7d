package mcsstandin

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// announcement is what the objects about the members of the clusterset are made of.
type announcement struct {
	Own     Peer
	Peers   []Peer
	Egress  []netip.Addr
	Gateway netip.Addr
	Now     metav1.Time
}

// Members are this cluster and its peers.
func (a announcement) Members() []Peer { return append([]Peer{a.Own}, a.Peers...) }

// announce writes who is a member of the clusterset and with which range.
func (s *Standin) announce(ctx context.Context) error {
	namespaces := []string{OperatorNamespace}
	if s.options.Broker {
		namespaces = append(namespaces, BrokerNamespace)
	}
	for _, name := range namespaces {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if err := s.client.Create(ctx, namespace); client.IgnoreAlreadyExists(err) != nil {
			return fmt.Errorf("create the namespace %s: %w", name, err)
		}
	}
	a := announcement{Own: Peer{ClusterID: s.options.ClusterID}, Peers: slices.Clone(s.options.Peers), Now: metav1.Now()}
	if s.options.NoGlobalnet {
		for i := range a.Peers {
			a.Peers[i].GlobalCIDR = netip.Prefix{}
		}
	} else {
		a.Own.GlobalCIDR, a.Egress, a.Gateway = s.options.GlobalCIDR, s.egress, s.gateway
	}
	for _, o := range render("Announcement", a) {
		// The others are written once: they keep what Globalnet gave them when it is switched off later.
		changes := o.GetKind() == SubmarinerKind.Kind || o.GetKind() == ClusterKind.Kind
		if !changes && s.client.Get(ctx, client.ObjectKeyFromObject(o), o.DeepCopy()) == nil {
			continue
		}
		if err := s.put(ctx, o); err != nil {
			return fmt.Errorf("announce the members of the clusterset: %w", err)
		}
	}
	return nil
}

// adoptAllocations reads the addresses that were allocated before this process started.
func (s *Standin) adoptAllocations(ctx context.Context) error {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(GlobalIngressIPKind)
	if err := s.client.List(ctx, list); err != nil && !meta.IsNoMatchError(err) {
		return fmt.Errorf("list the GlobalIngressIPs: %w", err)
	}
	for i := range list.Items {
		o := &list.Items[i]
		text, _, _ := unstructured.NestedString(o.Object, "status", "allocatedIP")
		// One without an address yet is adopted too, or its export would leave it behind.
		r := &record{allocation: conditionsOf(o)}
		if address, err := netip.ParseAddr(text); err == nil && s.pool.Reserve(address) == nil {
			r.own = address
		}
		s.records[client.ObjectKeyFromObject(o)] = r
	}
	return nil
}
