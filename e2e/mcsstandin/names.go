package mcsstandin

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Names that Submariner gives to things.
const (
	// OperatorNamespace is the namespace of Submariner itself and of the ServiceImports of each cluster.
	OperatorNamespace = "submariner-operator"
	// ExportedServiceLabel on an internal Service names the Service that was exported.
	ExportedServiceLabel = "submariner.io/exportedServiceRef"
	// InternalServiceFinalizer keeps an internal Service until its global IP has been taken back.
	InternalServiceFinalizer = "submariner.io/globalnet-internal-service"
	// SliceManager is the value of endpointslice.kubernetes.io/managed-by on the EndpointSlices of lighthouse.
	SliceManager = "lighthouse-agent.submariner.io"

	serviceNameLabel     = "multicluster.kubernetes.io/service-name"
	sourceClusterLabel   = "multicluster.kubernetes.io/source-cluster"
	sourceNamespaceLabel = "lighthouse.submariner.io/sourceNamespace"
	sliceManagerLabel    = "endpointslice.kubernetes.io/managed-by"

	clusterPropertyName = "cluster.clusterset.k8s.io"
)

// Kinds of Submariner and of the About API.
var (
	GlobalIngressIPKind = schema.GroupVersionKind{Group: "submariner.io", Version: "v1", Kind: "GlobalIngressIP"}
	SubmarinerKind      = schema.GroupVersionKind{Group: "submariner.io", Version: "v1alpha1", Kind: "Submariner"}
	ClusterKind         = schema.GroupVersionKind{Group: "submariner.io", Version: "v1", Kind: "Cluster"}
	ClusterPropertyKind = schema.GroupVersionKind{Group: "about.k8s.io", Version: "v1alpha1", Kind: "ClusterProperty"}
)

// InternalServiceName returns the name of the Service that carries the global IP of the exported Service as an
// external IP.
func InternalServiceName(service string) string {
	sum := sha256.Sum256([]byte(service))
	return "submariner-" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:32]
}

// importName returns the name of the ServiceImport of one cluster in OperatorNamespace.
func importName(service, namespace, clusterID string) string {
	return service + "-" + namespace + "-" + clusterID
}
