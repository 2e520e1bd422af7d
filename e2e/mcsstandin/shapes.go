package mcsstandin

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
	"sigs.k8s.io/yaml"
)

//go:embed shapes.yaml
var shapesText string

var shapes *template.Template

func init() {
	shapes = template.Must(template.New("shapes").Funcs(template.FuncMap{
		"internal": InternalServiceName,
		"json": func(v any) (string, error) {
			text, err := json.Marshal(v)
			return string(text), err
		},
		"endpoint": func(m Peer) (map[string]any, error) {
			content := map[string]any{}
			return content, yaml.Unmarshal(fill("endpoint", m), &content)
		},
	}).Parse(shapesText))
}

// The objects of an export, in the order in which Submariner writes them.
const (
	globalIngressIP  = "GlobalIngressIP"
	internalService  = "InternalService"
	clusterImport    = "ClusterImport"
	aggregatedImport = "AggregatedImport"
	endpointSlice    = "EndpointSlice"
	brokerImport     = "BrokerImport"
)

// fill returns what a template makes of the data. One that cannot be filled in is a mistake in this package.
func fill(shape string, data any) []byte {
	var text bytes.Buffer
	utilruntime.Must(shapes.ExecuteTemplate(&text, shape, data))
	return text.Bytes()
}

// render returns the objects of a template.
func render(shape string, data any) (objects []*unstructured.Unstructured) {
	for part := range bytes.SplitSeq(fill(shape, data), []byte("\n---\n")) {
		o := &unstructured.Unstructured{}
		utilruntime.Must(yaml.Unmarshal(part, o))
		objects = append(objects, o)
	}
	return objects
}

// exportedService is what the objects of one exported Service are made of.
type exportedService struct {
	// Cluster is the ID of the cluster that exports, and Service what it exports.
	Cluster string
	*corev1.Service
	// Allocation are the conditions of the GlobalIngressIP; nil leaves its status alone.
	Allocation []metav1.Condition
	Allocated  netip.Addr
	// External is the address of the internal Service, Advertised what Lighthouse tells.
	External   netip.Addr
	Advertised []netip.Addr
	// Ready says that a pod behind the Service is.
	Ready bool
	// Copied makes the EndpointSlice one that went by way of the broker.
	Copied bool
	// Exporters are the clusters that export a Service of this name, with the time at which they began.
	Exporters map[string]time.Time
	// VIP is the clusterset IP, if there is one.
	VIP netip.Addr
}

// Type is that of a ServiceImport.
func (e exportedService) Type() mcsv1alpha1.ServiceImportType {
	if e.Service.Spec.ClusterIP == corev1.ClusterIPNone {
		return mcsv1alpha1.Headless
	}
	return mcsv1alpha1.ClusterSetIP
}

// ImportPorts are those of a ServiceImport and of an EndpointSlice.
func (e exportedService) ImportPorts() []mcsv1alpha1.ServicePort {
	ports := []mcsv1alpha1.ServicePort{}
	if e.Type() == mcsv1alpha1.Headless {
		return ports
	}
	for _, port := range e.Service.Spec.Ports {
		ports = append(ports, mcsv1alpha1.ServicePort{
			Name: port.Name, Protocol: port.Protocol, AppProtocol: port.AppProtocol, Port: port.Port,
		})
	}
	return ports
}

// Family is the address type of the EndpointSlice.
func (e exportedService) Family() string {
	if e.Advertised[0].Is6() {
		return "IPv6"
	}
	return "IPv4"
}

// SourceLabels say where an object comes from.
func (e exportedService) SourceLabels() map[string]string {
	return map[string]string{
		serviceNameLabel: e.Service.Name, sourceClusterLabel: e.Cluster, sourceNamespaceLabel: e.Service.Namespace,
	}
}

// SliceLabels are those of the Service, but for what is Kubernetes' own, and those of Lighthouse.
func (e exportedService) SliceLabels() map[string]string {
	labels := map[string]string{}
	for name, value := range e.Service.Labels {
		if !strings.Contains(name, "kubernetes.io/") {
			labels[name] = value
		}
	}
	maps.Copy(labels, e.SourceLabels())
	labels[sliceManagerLabel] = SliceManager
	labels["lighthouse.submariner.io/is-headless"] = strconv.FormatBool(e.Type() == mcsv1alpha1.Headless)
	if e.Copied {
		labels["submariner-io/clusterID"] = e.Cluster
		labels["submariner-io/originatingNamespace"] = e.Service.Namespace
	}
	return labels
}

// Aggregation is what the annotations of an aggregated ServiceImport say.
func (e exportedService) Aggregation() map[string]string {
	annotations := map[string]string{ClustersetIPAnnotation: strconv.FormatBool(e.VIP.IsValid())}
	for id, began := range e.Exporters {
		annotations["timestamp.submariner.io/"+id] = strconv.FormatInt(began.UnixNano(), 10)
	}
	return annotations
}

// Clusters are those that export a Service of the name.
func (e exportedService) Clusters() []mcsv1alpha1.ClusterStatus {
	clusters := []mcsv1alpha1.ClusterStatus{}
	for _, id := range slices.Sorted(maps.Keys(e.Exporters)) {
		clusters = append(clusters, mcsv1alpha1.ClusterStatus{Cluster: id})
	}
	return clusters
}
