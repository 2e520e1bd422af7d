package mcsstandin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	mcscrd "sigs.k8s.io/mcs-api/config/crd"
)

// MCSVersions says in which versions the kinds of multicluster.x-k8s.io are installed.
type MCSVersions int

const (
	// V1Beta1 serves v1alpha1 and v1beta1 and stores v1beta1, as mcs-api v0.5 does.
	V1Beta1 MCSVersions = iota
	// V1Alpha1Only serves and stores v1alpha1 alone and allows a condition without a reason, as the CRDs that
	// Submariner 0.19 installs do.
	V1Alpha1Only
)

// Install installs every kind of the stand-in and waits until the API server serves them.
func Install(cfg *rest.Config, versions MCSVersions) error {
	if err := InstallMCS(cfg, versions); err != nil {
		return err
	}
	return InstallSubmariner(cfg)
}

// InstallMCS installs ServiceExport and ServiceImport and waits until the API server serves them.
func InstallMCS(cfg *rest.Config, versions MCSVersions) error {
	crds, err := MCSCRDs(versions)
	if err != nil {
		return err
	}
	return install(cfg, crds)
}

// InstallSubmariner installs the kinds of Submariner and ClusterProperty and waits until the API server serves them.
func InstallSubmariner(cfg *rest.Config) error {
	return install(cfg, []*apiextensionsv1.CustomResourceDefinition{
		looseCRD(GlobalIngressIPKind, "globalingressips", apiextensionsv1.NamespaceScoped, true),
		looseCRD(SubmarinerKind, "submariners", apiextensionsv1.NamespaceScoped, true),
		looseCRD(ClusterKind, "clusters", apiextensionsv1.NamespaceScoped, false),
		looseCRD(EndpointKind, "endpoints", apiextensionsv1.NamespaceScoped, false),
		looseCRD(GatewayKind, "gateways", apiextensionsv1.NamespaceScoped, false),
		looseCRD(EgressIPKind, "clusterglobalegressips", apiextensionsv1.ClusterScoped, true),
		looseCRD(ClusterPropertyKind, "clusterproperties", apiextensionsv1.ClusterScoped, false),
	})
}

// looseCRD takes any content.
func looseCRD(
	kind schema.GroupVersionKind, plural string, scope apiextensionsv1.ResourceScope, status bool,
) *apiextensionsv1.CustomResourceDefinition {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	crd.Name = plural + "." + kind.Group
	crd.Annotations = map[string]string{"api-approved.kubernetes.io": "unapproved, a stand-in for tests"}
	version := apiextensionsv1.CustomResourceDefinitionVersion{
		Name: kind.Version, Served: true, Storage: true,
		Schema: &apiextensionsv1.CustomResourceValidation{
			OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(true)},
		},
	}
	if status {
		version.Subresources = &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}}
	}
	crd.Spec = apiextensionsv1.CustomResourceDefinitionSpec{
		Group: kind.Group, Scope: scope, Versions: []apiextensionsv1.CustomResourceDefinitionVersion{version},
		Names: apiextensionsv1.CustomResourceDefinitionNames{
			Plural: plural, Singular: strings.ToLower(kind.Kind), Kind: kind.Kind, ListKind: kind.Kind + "List",
		},
	}
	return crd
}

func install(cfg *rest.Config, crds []*apiextensionsv1.CustomResourceDefinition) error {
	if _, err := envtest.InstallCRDs(cfg, envtest.CRDInstallOptions{CRDs: crds}); err != nil {
		return fmt.Errorf("install the CRDs of the MCS stand-in: %w", err)
	}
	return nil
}

// MCSCRDs returns the CRDs of ServiceExport and ServiceImport out of the module of the MCS API.
func MCSCRDs(versions MCSVersions) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, data := range [][]byte{mcscrd.ServiceExportCRD, mcscrd.ServiceImportCRD} {
		decoded, err := decodeCRDs(data)
		if err != nil {
			return nil, fmt.Errorf("read the CRDs of the MCS API: %w", err)
		}
		crds = append(crds, decoded...)
	}
	if versions == V1Alpha1Only {
		for _, crd := range crds {
			keepV1Alpha1(crd)
		}
	}
	return crds, nil
}

func keepV1Alpha1(crd *apiextensionsv1.CustomResourceDefinition) {
	crd.Spec.Versions = slices.DeleteFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
		return v.Name != "v1alpha1"
	})
	for i := range crd.Spec.Versions {
		v := &crd.Spec.Versions[i]
		v.Storage = true
		allowEmptyReason(v.Schema.OpenAPIV3Schema)
	}
}

// allowEmptyReason takes back what mcs-api v0.2 brought: until then the reason of a condition was optional.
func allowEmptyReason(properties *apiextensionsv1.JSONSchemaProps) {
	status, ok := properties.Properties["status"]
	if !ok {
		return
	}
	conditions, ok := status.Properties["conditions"]
	if !ok || conditions.Items == nil || conditions.Items.Schema == nil {
		return
	}
	item := conditions.Items.Schema
	item.Required = slices.DeleteFunc(item.Required, func(name string) bool { return name == "reason" || name == "message" })
	reason := item.Properties["reason"]
	reason.MinLength, reason.Pattern = nil, ""
	item.Properties["reason"] = reason
}

func decodeCRDs(data []byte) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	var crds []*apiextensionsv1.CustomResourceDefinition
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		switch err := decoder.Decode(crd); {
		case errors.Is(err, io.EOF):
			return crds, nil
		case err != nil:
			return nil, err
		case crd.Name != "":
			crds = append(crds, crd)
		}
	}
}
