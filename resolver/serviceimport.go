package resolver

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

// SourceServiceImport is the name of the source that reads the ServiceImport beside the Service.
const SourceServiceImport = "ServiceImport"

// serviceImport is the ServiceImport of the MCS API. Its addresses stand for all exporters of the name together, so
// they are this cluster's only where it alone exports.
type serviceImport struct {
	objects
	allowClusterIP bool
}

func (serviceImport) Name() string { return SourceServiceImport }

func (serviceImport) Reads() []kinds.Kind { return []kinds.Kind{importKind} }

// importKind is what an MCS implementation makes of the exports of a Service (KEP-1645).
var importKind = kinds.Kind{
	GroupKind: schema.GroupKind{Group: kinds.ServiceExport.Group, Kind: "ServiceImport"},
	Plural:    "serviceimports",
	Versions:  []string{"v1beta1", "v1alpha1"},
	Keep:      keepImport,
	About: func(o metav1.Object) (types.NamespacedName, bool) {
		labels := o.GetLabels()
		if namespace := labels[importNamespaceLabel]; namespace != "" && labels[importServiceLabel] != "" {
			return types.NamespacedName{Namespace: namespace, Name: labels[importServiceLabel]}, true
		}
		return types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}, true
	},
}

// keepImport keeps what is read of a ServiceImport: nothing of one without addresses, such as Submariner makes beside each
// Service, and of one in its own namespace not who exports, for its name says that.
func keepImport(object *unstructured.Unstructured) *unstructured.Unstructured {
	if len(importIPs(object)) == 0 {
		return kinds.KeepIdentity(object)
	}
	if object.GetLabels()[importNamespaceLabel] != "" {
		return keepOfSubmariner(object)
	}
	return keepPlain(object)
}

var (
	keepOfSubmariner = kinds.KeepFields([]string{"spec", "ips"}, []string{"metadata", "labels", importServiceLabel},
		[]string{"metadata", "labels", importNamespaceLabel}, []string{"metadata", "labels", importClusterLabel})
	keepPlain = kinds.KeepFields([]string{"spec", "ips"}, []string{"status", "clusters"},
		[]string{"metadata", "annotations", clustersetIPAnnotation}, []string{"metadata", "annotations", derivedServiceAnnotation})
)

const (
	// clustersetIPAnnotation is "true" where Lighthouse gave all exporters of a name one virtual address (since 0.18).
	clustersetIPAnnotation = "lighthouse.submariner.io/use-clusterset-ip"
	// derivedServiceAnnotation names the Service by which an implementation makes the import reachable in this cluster (the
	// controllers of mcs-api, Cilium); its address is a ClusterIP.
	derivedServiceAnnotation = "multicluster.kubernetes.io/derived-service"
)

func (s serviceImport) Lookup(ctx context.Context, r Request, m Membership) (netip.Addr, error) {
	key := types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
	object, err := s.get(ctx, importKind.GroupKind, key)
	if err != nil {
		return netip.Addr{}, err
	}
	owner := fmt.Sprintf("ServiceImport %s", key)
	if object == nil {
		return netip.Addr{}, reason.Errorf(reason.NoAnswer, "there is no %s", owner)
	}
	ips := importIPs(object)
	if len(ips) == 0 {
		return netip.Addr{}, reason.Errorf(reason.NoAnswer, "%s has no IP", owner)
	}
	annotations := object.GetAnnotations()
	if m.Submariner.Namespace != "" || annotations[clustersetIPAnnotation] == "true" {
		// Submariner fills it only with a virtual address of the whole clusterset, which is no daemon's own.
		return netip.Addr{}, reason.Errorf(reason.NoAnswer, "%s has an IP that Submariner shares between clusters", owner)
	}
	if derived := annotations[derivedServiceAnnotation]; derived != "" && !s.allowClusterIP {
		return netip.Addr{}, reason.Errorf(reason.ServiceAddress, "%s has the ClusterIP %s of the derived Service %s; "+
			"where the networks of the clusters do not overlap, set --allow-cluster-ip", owner, strings.Join(ips, ", "), derived)
	}
	exporters := importExporters(object)
	switch {
	case len(exporters) > 1:
		return netip.Addr{}, reason.Errorf(reason.SeveralExporters, "%s has the clusters %s", owner, strings.Join(exporters, ", "))
	case len(exporters) == 0:
		return netip.Addr{}, reason.Errorf(reason.NoAnswer, "%s names no exporting cluster", owner)
	case m.ClusterID == "":
		return netip.Addr{}, reason.Errorf(reason.NoAnswer,
			"%s is exported by cluster %s, and it is not known whether that is this one: set --cluster-id", owner, exporters[0])
	case exporters[0] != m.ClusterID:
		return netip.Addr{}, reason.Errorf(reason.NoAnswer,
			"%s is exported by cluster %s, and this one is %s", owner, exporters[0], m.ClusterID)
	}
	return oneAddress(ips, m.GlobalCIDRs, owner)
}

func importExporters(object *unstructured.Unstructured) []string {
	clusters, _, _ := unstructured.NestedSlice(object.Object, "status", "clusters")
	var ids []string
	for _, c := range clusters {
		if fields, ok := c.(map[string]any); ok {
			if id, ok := fields["cluster"].(string); ok && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
