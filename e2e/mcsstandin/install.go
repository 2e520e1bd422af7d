package mcsstandin

import (
	_ "embed"
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	mcscrd "sigs.k8s.io/mcs-api/config/crd"
	"sigs.k8s.io/yaml"
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

//go:embed kinds.yaml
var submarinerKinds []byte

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
	var kinds struct {
		Items []*apiextensionsv1.CustomResourceDefinition `json:"items"`
	}
	if err := yaml.UnmarshalStrict(submarinerKinds, &kinds); err != nil {
		return fmt.Errorf("read the CRDs of Submariner: %w", err)
	}
	return install(cfg, kinds.Items)
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
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(data, crd); err != nil {
			return nil, fmt.Errorf("read the CRDs of the MCS API: %w", err)
		}
		if versions == V1Alpha1Only {
			keepV1Alpha1(crd)
		}
		crds = append(crds, crd)
	}
	return crds, nil
}

// keepV1Alpha1 also takes back what mcs-api v0.2 brought: until then the reason of a condition was optional.
func keepV1Alpha1(crd *apiextensionsv1.CustomResourceDefinition) {
	crd.Spec.Versions = slices.DeleteFunc(crd.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
		return v.Name != "v1alpha1"
	})
	crd.Spec.Versions[0].Storage = true
	condition := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"].Properties["conditions"].Items.Schema
	condition.Required = slices.DeleteFunc(condition.Required, func(name string) bool { return name == "reason" || name == "message" })
	condition.Properties["reason"] = apiextensionsv1.JSONSchemaProps{Type: "string"}
}
