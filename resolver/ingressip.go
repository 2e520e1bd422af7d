package resolver

import (
	"context"
	"fmt"
	"net/netip"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// SourceGlobalIngressIP is the name of the source that reads what Globalnet allocated.
const SourceGlobalIngressIP = "GlobalIngressIP"

// globalIngressIP is the best source of all: Globalnet itself says what it allocated, with no broker, DNS or running
// pod between. So where it says that it did not, no other source is believed: theirs would be an address of before.
type globalIngressIP struct{ objects }

func (globalIngressIP) Name() string { return SourceGlobalIngressIP }

func (s globalIngressIP) Lookup(ctx context.Context, r Request, _ Membership) (netip.Addr, error) {
	key := types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
	object, err := s.get(ctx, GlobalIngressIP, key)
	if err != nil {
		return netip.Addr{}, err
	}
	owner := fmt.Sprintf("%s %s", SourceGlobalIngressIP, key)
	if object == nil {
		return netip.Addr{}, reason.Errorf(reason.NoAnswer, "there is no %s", owner)
	}
	if service := text(object, []string{"spec", "serviceRef", "name"}); service != "" && service != r.Name {
		return netip.Addr{}, reason.Errorf(reason.NoAnswer, "%s is of Service %s", owner, service)
	}
	if object.GetDeletionTimestamp() != nil {
		return netip.Addr{}, reason.Errorf(reason.GlobalIPNotAllocated, "%s is being deleted", owner)
	}
	if c, ok := latest(ingressIPConditions(object), "Allocated"); ok && c.Status == metav1.ConditionFalse {
		return netip.Addr{}, reason.Errorf(reason.GlobalIPNotAllocated, "%s: %s: %s", owner, c.Reason, c.Message)
	}
	ip := text(object, []string{"status", "allocatedIP"})
	if ip == "" {
		return netip.Addr{}, reason.Errorf(reason.GlobalIPNotAllocated, "%s has no allocatedIP yet", owner)
	}
	return parseAddress(ip, owner)
}

// ingressIPConditions returns none where they cannot be read, since only a clear word speaks against an address.
func ingressIPConditions(object *unstructured.Unstructured) []metav1.Condition {
	var typed struct {
		Status struct {
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &typed); err != nil {
		return nil
	}
	return typed.Status.Conditions
}

// latest returns the newest condition of the type: releases of Submariner append rather than replace. Of two that
// changed in the same second the later in the list is the newer.
func latest(conditions []metav1.Condition, conditionType string) (newest metav1.Condition, found bool) {
	for _, c := range conditions {
		if c.Type == conditionType && (!found || !c.LastTransitionTime.Before(&newest.LastTransitionTime)) {
			newest, found = c, true
		}
	}
	return newest, found
}
