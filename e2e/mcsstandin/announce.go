package mcsstandin

import (
	"context"
	"fmt"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// announcement is what the objects about the members of the clusterset are made of.
type announcement struct {
	Own     Peer
	Peers   []Peer
	Egress  []netip.Addr
	Gateway netip.Addr
}

// OwnCIDR is the global range, or nothing without Globalnet.
func (a announcement) OwnCIDR() string {
	if !a.Own.GlobalCIDR.IsValid() {
		return ""
	}
	return a.Own.GlobalCIDR.String()
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
		if err := s.client.Create(ctx, namespace); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create the namespace %s: %w", name, err)
		}
	}
	a := announcement{Own: Peer{s.options.ClusterID, s.options.GlobalCIDR}, Peers: s.options.Peers}
	if s.options.NoGlobalnet {
		a.Own.GlobalCIDR, a.Peers = netip.Prefix{}, nil
		for _, peer := range s.options.Peers {
			a.Peers = append(a.Peers, Peer{ClusterID: peer.ClusterID})
		}
	} else {
		a.Egress, a.Gateway = s.egress, s.gateway
	}
	objects, err := render("Announcement", a)
	if err != nil {
		return err
	}
	for _, o := range objects {
		// The others are written once: they keep what Globalnet gave them when it is switched off later.
		if kind := o.GetKind(); kind != SubmarinerKind.Kind && kind != ClusterKind.Kind {
			if _, found, err := s.stored(ctx, o); found || meta.IsNoMatchError(err) {
				continue
			}
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
	if err := s.client.List(ctx, list); err != nil {
		if meta.IsNoMatchError(err) {
			return nil
		}
		return fmt.Errorf("list the GlobalIngressIPs: %w", err)
	}
	for i := range list.Items {
		o := &list.Items[i]
		text, _, _ := unstructured.NestedString(o.Object, "status", "allocatedIP")
		// One without an address yet is adopted too, or its export would leave it behind.
		address, _ := netip.ParseAddr(text)
		if s.pool.Reserve(address) != nil {
			address = netip.Addr{}
		}
		s.records[types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}] = &record{own: address}
	}
	return nil
}
