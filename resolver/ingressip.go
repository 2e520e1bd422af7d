package resolver

import (
	"context"
	"fmt"
	"net/netip"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

// SourceGlobalIngressIP is the name of the source that reads what Globalnet allocated.
const SourceGlobalIngressIP = "GlobalIngressIP"

// globalIngressIP is the best source of all: Globalnet itself says what it allocated, with no broker, DNS or running
// pod between. So where it says that it did not, no other source is believed: theirs would be an address of before.
type globalIngressIP struct{ objects }

func (globalIngressIP) Name() string { return SourceGlobalIngressIP }

func (globalIngressIP) Reads() []kinds.Kind { return []kinds.Kind{ingressIPKind} }

// ingressIPKind is what Globalnet makes of each ServiceExport, under the name of its Service (submariner 0.19
// pkg/globalnet/controllers).
var ingressIPKind = kinds.Kind{
	GroupKind: schema.GroupKind{Group: submarinerGroup, Kind: "GlobalIngressIP"},
	Plural:    "globalingressips",
	Versions:  []string{"v1"},
	Keep:      keepIngressIP,
	About: func(o metav1.Object) (types.NamespacedName, bool) {
		return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}, true
	},
}

// keepIngressIP keeps what Lookup reads, and of that only what speaks against the address: there is one for each daemon.
func keepIngressIP(object *unstructured.Unstructured) *unstructured.Unstructured {
	kept := kinds.KeepIdentity(object)
	kinds.CopyField(kept, object, "status", "allocatedIP")
	if text(object, serviceRefName) != object.GetName() {
		kinds.CopyField(kept, object, serviceRefName...)
	}
	if c := kinds.Latest(kinds.Conditions(object), allocated); c != nil && c.Status == metav1.ConditionFalse {
		kinds.CopyField(kept, object, "status", "conditions")
	}
	return kept
}

var serviceRefName = []string{"spec", "serviceRef", "name"}

const (
	allocated = "Allocated"
	// mostSaid is how much is told on of what Globalnet says.
	mostSaid = 1 << 10
)

func (s globalIngressIP) Lookup(ctx context.Context, r Request, _ Membership) (netip.Addr, error) {
	key := types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
	object, err := s.get(ctx, ingressIPKind.GroupKind, key)
	if err != nil {
		return netip.Addr{}, err
	}
	owner := fmt.Sprintf("%s %s", SourceGlobalIngressIP, key)
	if object == nil {
		return netip.Addr{}, reason.Errorf(reason.NoAnswer, "there is no %s", owner)
	}
	if service := text(object, serviceRefName); service != "" && service != r.Name {
		return netip.Addr{}, reason.Errorf(reason.NoAnswer, "%s is of Service %s", owner, service)
	}
	if object.GetDeletionTimestamp() != nil {
		return netip.Addr{}, reason.Errorf(reason.GlobalIPNotAllocated, "%s is being deleted", owner)
	}
	if c := kinds.Latest(kinds.Conditions(object), allocated); c != nil && c.Status == metav1.ConditionFalse {
		return netip.Addr{}, reason.Errorf(reason.GlobalIPNotAllocated, "%s: %s", owner, reason.Shorten(c.Reason+": "+c.Message, mostSaid))
	}
	ip := text(object, []string{"status", "allocatedIP"})
	if ip == "" {
		return netip.Addr{}, reason.Errorf(reason.GlobalIPNotAllocated, "%s has no allocatedIP yet", owner)
	}
	return parseAddress(ip, owner)
}

// Allocated returns what Globalnet allocated for the Service, whether that may be believed or not.
func (r *Resolver) Allocated(ctx context.Context, req Request) (netip.Addr, error) {
	from := r.objects
	if req.Latest {
		from = r.latestObjects
	}
	return globalIngressIP{from}.Lookup(ctx, req, Membership{})
}
