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
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// announce writes who is a member of the clusterset and with which range. A kind that is not installed is left out.
func (s *Standin) announce(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: OperatorNamespace}}
	if err := s.client.Create(ctx, namespace); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("create the namespace %s: %w", OperatorNamespace, err)
	}
	own := s.options.GlobalCIDR.String()
	objects := []*unstructured.Unstructured{
		object(SubmarinerKind, OperatorNamespace, "submariner", map[string]any{
			"spec":   map[string]any{"clusterID": s.options.ClusterID, "globalCIDR": own, "version": "0.19.0"},
			"status": map[string]any{"clusterID": s.options.ClusterID, "globalCIDR": own},
		}),
		object(ClusterPropertyKind, "", clusterPropertyName, map[string]any{
			"spec": map[string]any{"value": s.options.ClusterID},
		}),
		clusterObject(s.options.ClusterID, s.options.GlobalCIDR),
	}
	for _, peer := range s.options.Peers {
		objects = append(objects, clusterObject(peer.ClusterID, peer.GlobalCIDR))
	}
	for _, o := range objects {
		if err := s.announceOne(ctx, o); err != nil {
			return fmt.Errorf("create %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

func (s *Standin) announceOne(ctx context.Context, o *unstructured.Unstructured) error {
	status := o.Object["status"]
	err := s.client.Create(ctx, o)
	if meta.IsNoMatchError(err) || apierrors.IsAlreadyExists(err) {
		return nil
	}
	if err != nil || status == nil {
		return err
	}
	o.Object["status"] = status
	return s.client.Status().Update(ctx, o)
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
		s.pool.skip(address)
		s.records[types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}] = &record{
			exportUID:  types.UID(o.GetAnnotations()[exportUIDAnnotation]),
			serviceUID: types.UID(o.GetAnnotations()[serviceUIDAnnotation]),
			own:        address,
		}
	}
	return nil
}

func clusterObject(id string, cidr netip.Prefix) *unstructured.Unstructured {
	return object(ClusterKind, OperatorNamespace, id, map[string]any{"spec": map[string]any{
		"cluster_id":   id,
		"cluster_cidr": []any{"10.244.0.0/16"},
		"service_cidr": []any{"10.96.0.0/16"},
		"global_cidr":  []any{cidr.String()},
		"color_codes":  []any{"blue"},
	}})
}

func object(kind schema.GroupVersionKind, namespace, name string, content map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: content}
	o.SetGroupVersionKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}
