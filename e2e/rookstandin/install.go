package rookstandin

import (
	"context"
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// Install installs what Rook's own manifests install: the kinds, the namespace if it is missing, the
// ServiceAccounts of the operator and of the daemons, and the rights of the operator and of the prepare jobs.
func Install(ctx context.Context, cfg *rest.Config, namespace string) error {
	if err := InstallKinds(cfg); err != nil {
		return err
	}
	c, err := client.New(cfg, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return fmt.Errorf("make the client that installs the Rook stand-in: %w", err)
	}
	list := shapes.Make[unstructured.UnstructuredList](nil, "install", shapes.Values{"namespace": namespace})
	for i := range list.Items {
		o := &list.Items[i]
		if err := c.Create(ctx, o); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

// InstallKinds installs CephCluster, CephConnection and ClientProfile, and waits until the API server serves them.
func InstallKinds(cfg *rest.Config) error {
	var options envtest.CRDInstallOptions
	list := shapes.Make[apiextensionsv1.CustomResourceDefinitionList](nil, "kinds", nil)
	for i := range list.Items {
		options.CRDs = append(options.CRDs, &list.Items[i])
	}
	if _, err := envtest.InstallCRDs(cfg, options); err != nil {
		return fmt.Errorf("install the CRDs of the Rook stand-in: %w", err)
	}
	return nil
}

// NewCephCluster returns a CephCluster of three mons as a user would write it; each edit may change its spec.
func NewCephCluster(namespace, name string, edits ...func(spec map[string]any)) *unstructured.Unstructured {
	u := shapes.Make[unstructured.Unstructured](nil, "cephCluster", shapes.Values{"namespace": namespace, "name": name})
	for _, edit := range edits {
		edit(u.Object["spec"].(map[string]any))
	}
	return u
}
