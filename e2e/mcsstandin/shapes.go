package mcsstandin

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
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
			var text bytes.Buffer
			if err := shapes.ExecuteTemplate(&text, "endpoint", m); err != nil {
				return nil, err
			}
			content := map[string]any{}
			return content, yaml.Unmarshal(text.Bytes(), &content)
		},
	}).Parse(shapesText))
}

// Shape names an object that Submariner writes for an export.
type Shape string

// The objects of an export, in the order in which Submariner writes them.
const (
	GlobalIngressIP  Shape = "GlobalIngressIP"
	InternalService  Shape = "InternalService"
	ClusterImport    Shape = "ClusterImport"
	AggregatedImport Shape = "AggregatedImport"
	EndpointSlice    Shape = "EndpointSlice"
	BrokerImport     Shape = "BrokerImport"
)

// Export is what the objects of one exported Service are made of.
type Export struct {
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

// Render returns an object of the export; its condition, if it has one, without the time of its last transition. It asks nobody and changes nothing.
func Render(shape Shape, e Export) (*unstructured.Unstructured, error) {
	objects, err := render(string(shape), e)
	if err != nil {
		return nil, err
	}
	return objects[0], nil
}

func render(shape string, data any) ([]*unstructured.Unstructured, error) {
	var text bytes.Buffer
	if err := shapes.ExecuteTemplate(&text, shape, data); err != nil {
		return nil, fmt.Errorf("make %s: %w", shape, err)
	}
	var objects []*unstructured.Unstructured
	for part := range strings.SplitSeq(text.String(), "\n---\n") {
		content, err := yaml.YAMLToJSON([]byte(part))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", shape, err)
		}
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON(content); err != nil {
			return nil, fmt.Errorf("read %s: %w", shape, err)
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// Type is that of a ServiceImport.
func (e Export) Type() mcsv1alpha1.ServiceImportType {
	if e.Service.Spec.ClusterIP == corev1.ClusterIPNone {
		return mcsv1alpha1.Headless
	}
	return mcsv1alpha1.ClusterSetIP
}

// ImportPorts are those of a ServiceImport and of an EndpointSlice.
func (e Export) ImportPorts() []mcsv1alpha1.ServicePort {
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
func (e Export) Family() string {
	if e.Advertised[0].Is6() {
		return "IPv6"
	}
	return "IPv4"
}

// SourceLabels say where an object comes from.
func (e Export) SourceLabels() map[string]string {
	return map[string]string{
		serviceNameLabel: e.Service.Name, sourceClusterLabel: e.Cluster, sourceNamespaceLabel: e.Service.Namespace,
	}
}

// SliceLabels are those of the Service, but for what is Kubernetes' own, and those of Lighthouse.
func (e Export) SliceLabels() map[string]string {
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
func (e Export) Aggregation() map[string]string {
	annotations := map[string]string{ClustersetIPAnnotation: strconv.FormatBool(e.VIP.IsValid())}
	for id, began := range e.Exporters {
		annotations["timestamp.submariner.io/"+id] = strconv.FormatInt(began.UnixNano(), 10)
	}
	return annotations
}

// Clusters are those that export a Service of the name.
func (e Export) Clusters() []mcsv1alpha1.ClusterStatus {
	clusters := []mcsv1alpha1.ClusterStatus{}
	for _, id := range slices.Sorted(maps.Keys(e.Exporters)) {
		clusters = append(clusters, mcsv1alpha1.ClusterStatus{Cluster: id})
	}
	return clusters
}
