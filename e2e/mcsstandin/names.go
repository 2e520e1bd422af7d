package mcsstandin

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Names that Submariner gives to things.
const (
	// OperatorNamespace is the namespace of Submariner itself and of the ServiceImports of each cluster.
	OperatorNamespace = "submariner-operator"
	// BrokerNamespace is the namespace of the broker, in the cluster that has it.
	BrokerNamespace = "submariner-k8s-broker"
	// ExportedServiceLabel on an internal Service names the Service that was exported.
	ExportedServiceLabel = "submariner.io/exportedServiceRef"
	// SliceManager is the value of endpointslice.kubernetes.io/managed-by on the EndpointSlices of lighthouse.
	SliceManager = "lighthouse-agent.submariner.io"
	// ClustersetIPAnnotation on a ServiceExport asks for a clusterset IP, on a ServiceImport it says that there is one.
	ClustersetIPAnnotation = "lighthouse.submariner.io/use-clusterset-ip"

	serviceNameLabel     = "multicluster.kubernetes.io/service-name"
	sourceClusterLabel   = "multicluster.kubernetes.io/source-cluster"
	sourceNamespaceLabel = "lighthouse.submariner.io/sourceNamespace"
	sliceManagerLabel    = "endpointslice.kubernetes.io/managed-by"
)

// Kinds of Submariner and of the About API.
var (
	GlobalIngressIPKind = submarinerKind("v1", "GlobalIngressIP")
	SubmarinerKind      = submarinerKind("v1alpha1", "Submariner")
	ClusterKind         = submarinerKind("v1", "Cluster")
	EndpointKind        = submarinerKind("v1", "Endpoint")
	GatewayKind         = submarinerKind("v1", "Gateway")
	EgressIPKind        = submarinerKind("v1", "ClusterGlobalEgressIP")
	ClusterPropertyKind = schema.GroupVersionKind{Group: "about.k8s.io", Version: "v1alpha1", Kind: "ClusterProperty"}
)

func submarinerKind(version, kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "submariner.io", Version: version, Kind: kind}
}

// InternalServiceName returns the name of the Service that carries the global IP of the exported Service as an
// external IP.
func InternalServiceName(service string) string {
	sum := sha256.Sum256([]byte(service))
	return "submariner-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:32]
}

// conditionsOf returns the conditions of an object; none, where they are malformed.
func conditionsOf(o *unstructured.Unstructured) []metav1.Condition {
	var content struct {
		Status struct {
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	_ = runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &content)
	return content.Status.Conditions
}

func object(kind schema.GroupVersionKind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}
