package rookstandin

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

//go:embed crds.yaml
var rookCRDs []byte

// Install installs what Rook's own manifests install: the kinds, the namespaces if they are missing, the
// ServiceAccounts of the operator and of the daemons, and the rights of the operator and of the prepare jobs.
func Install(ctx context.Context, cfg *rest.Config, namespace, operatorNamespace string) error {
	if err := InstallKinds(cfg); err != nil {
		return err
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return fmt.Errorf("make the client that installs the Rook stand-in: %w", err)
	}
	manifest := shapes.Text(nil, "install", shapes.Values{"namespace": namespace, "operatorNamespace": operatorNamespace})
	objects, err := decode[unstructured.Unstructured]([]byte(manifest))
	if err != nil {
		return fmt.Errorf("read what the Rook stand-in installs: %w", err)
	}
	for _, o := range objects {
		if err := c.Create(ctx, o); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

// InstallKinds installs CephCluster, CephConnection and ClientProfile, and waits until the API server serves them.
func InstallKinds(cfg *rest.Config) error {
	crds, err := decode[apiextensionsv1.CustomResourceDefinition](rookCRDs)
	if err != nil {
		return fmt.Errorf("read the CRDs of the Rook stand-in: %w", err)
	}
	if _, err := envtest.InstallCRDs(cfg, envtest.CRDInstallOptions{CRDs: crds}); err != nil {
		return fmt.Errorf("install the CRDs of the Rook stand-in: %w", err)
	}
	return nil
}

// decode reads each document of a stream of YAML.
func decode[T any](data []byte) ([]*T, error) {
	var all []*T
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		o := new(T)
		err := decoder.Decode(o)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
}

// NewCephCluster returns a CephCluster of three mons as a user would write it; each edit may change its spec.
func NewCephCluster(namespace, name string, edits ...func(spec map[string]any)) *unstructured.Unstructured {
	u := shapes.Make[unstructured.Unstructured](nil, "cephCluster", shapes.Values{"namespace": namespace, "name": name})
	for _, edit := range edits {
		edit(u.Object["spec"].(map[string]any))
	}
	return u
}
