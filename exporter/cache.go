package exporter

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// rookLastApplied holds a copy of the whole Deployment, which Rook reads and we do not.
const rookLastApplied = "banzaicloud.com/last-applied"

// CacheOptions bounds the caches to what is read, so that memory grows with the number of daemons and with nothing else.
// A kind without an informer is an error rather than a watch that nobody asked for.
func CacheOptions() cache.Options {
	daemons := appIn(rook.MonApp, rook.OSDApp, rook.FloatingMonApp)
	return cache.Options{
		ReaderFailOnMissingInformer: true,
		DefaultTransform:            cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&appsv1.Deployment{}: {Label: daemons, Transform: trimDeployment},
			&corev1.Service{}:    {Label: daemons, Transform: cache.TransformStripManagedFields()},
			// RBAC allows a watch of objects by name only if it selects them by name.
			&corev1.ConfigMap{}: {
				Field:     fields.OneTermEqualSelector("metadata.name", rook.MonEndpointsName),
				Transform: cache.TransformStripManagedFields(),
			},
			&corev1.Namespace{}: {
				Label:     labels.SelectorFromSet(labels.Set{rook.EnabledLabel: "true"}),
				Transform: cache.TransformStripManagedFields(),
			},
			&admissionregistrationv1.MutatingWebhookConfiguration{}: {
				Field:     fields.OneTermEqualSelector("metadata.name", rook.Manager),
				Transform: cache.TransformStripManagedFields(),
			},
			&apiextensionsv1.CustomResourceDefinition{}: {Transform: trimDefinition},
		},
	}
}

func appIn(apps ...string) labels.Selector {
	requirement, err := labels.NewRequirement(rook.AppLabel, selection.In, apps)
	utilruntime.Must(err)
	return labels.NewSelector().Add(*requirement)
}

func trimDeployment(object any) (any, error) {
	if d, ok := object.(*appsv1.Deployment); ok {
		d.ManagedFields = nil
		delete(d.Annotations, rookLastApplied)
	}
	return object, nil
}

// trimDefinition keeps of a CustomResourceDefinition what Kinds reads; the schemas, which are large, are not of it.
func trimDefinition(object any) (any, error) {
	crd, ok := object.(*apiextensionsv1.CustomResourceDefinition)
	if !ok {
		return object, nil
	}
	trimmed := &apiextensionsv1.CustomResourceDefinition{TypeMeta: crd.TypeMeta}
	trimmed.Name, trimmed.UID, trimmed.ResourceVersion = crd.Name, crd.UID, crd.ResourceVersion
	for _, v := range crd.Spec.Versions {
		trimmed.Spec.Versions = append(trimmed.Spec.Versions,
			apiextensionsv1.CustomResourceDefinitionVersion{Name: v.Name, Served: v.Served})
	}
	trimmed.Status.Conditions = crd.Status.Conditions
	return trimmed, nil
}
