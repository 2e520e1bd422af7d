package view

import (
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Options bounds the caches to what is read, so that memory grows with the number of daemons and with nothing else. A kind
// without an informer is an error rather than a watch that nobody asked for. The kinds are those that others install, and
// the webhook configuration is our own, by name.
func Options(wanted []kinds.Kind, webhookConfiguration string) cache.Options {
	daemons := appIn(rook.MonApp, rook.OSDApp, rook.FloatingMonApp)
	return cache.Options{
		ReaderFailOnMissingInformer: true,
		NewInformer:                 newInformer,
		DefaultTransform:            keep(wanted),
		ByObject: map[client.Object]cache.ByObject{
			&appsv1.Deployment{}: {Label: daemons, Transform: trim(rook.TrimDeployment)},
			&corev1.Service{}:    {Label: daemons, Transform: trim(rook.TrimService)},
			// RBAC allows a watch of objects by name only if it selects them by name.
			&corev1.ConfigMap{}: {
				Field:     fields.OneTermEqualSelector("metadata.name", rook.MonEndpointsName),
				Transform: trim(rook.TrimEndpoints),
			},
			&corev1.Namespace{}: {
				Label:     labels.SelectorFromSet(labels.Set{rook.EnabledLabel: "true"}),
				Transform: trim(trimNamespace),
			},
			&admissionregistrationv1.MutatingWebhookConfiguration{}: {
				Field:     fields.OneTermEqualSelector("metadata.name", webhookConfiguration),
				Transform: cache.TransformStripManagedFields(),
			},
			&apiextensionsv1.CustomResourceDefinition{}: {Transform: trim(trimDefinition)},
		},
	}
}

func appIn(apps ...string) labels.Selector {
	requirement, err := labels.NewRequirement(rook.AppLabel, selection.In, apps)
	utilruntime.Must(err)
	return labels.NewSelector().Add(*requirement)
}

// trim makes a transform of a function over one type.
func trim[T any](what func(T) T) toolscache.TransformFunc {
	return func(object any) (any, error) {
		if typed, ok := object.(T); ok {
			return what(typed), nil
		}
		return object, nil
	}
}

// keep is the transform of kinds that others install, whose version is not known before they are.
func keep(wanted []kinds.Kind) toolscache.TransformFunc {
	byKind := map[schema.GroupKind]kinds.Kind{}
	for _, kind := range wanted {
		byKind[kind.GroupKind] = kind
	}
	return trim(func(object *unstructured.Unstructured) *unstructured.Unstructured {
		if kind, ok := byKind[object.GroupVersionKind().GroupKind()]; ok {
			return kinds.Bound(kind.Keep(object))
		}
		return object
	})
}

func trimNamespace(namespace *corev1.Namespace) *corev1.Namespace {
	trimmed := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:            namespace.Name,
		UID:             namespace.UID,
		ResourceVersion: namespace.ResourceVersion,
		Labels:          map[string]string{rook.EnabledLabel: namespace.Labels[rook.EnabledLabel]},
	}}
	keepSwitches(trimmed, namespace)
	return trimmed
}

// trimDefinition keeps of a CustomResourceDefinition what the watch of kinds reads; the schemas, which are large, are not
// of it.
func trimDefinition(crd *apiextensionsv1.CustomResourceDefinition) *apiextensionsv1.CustomResourceDefinition {
	trimmed := &apiextensionsv1.CustomResourceDefinition{}
	trimmed.Name, trimmed.UID, trimmed.ResourceVersion = crd.Name, crd.UID, crd.ResourceVersion
	for _, v := range crd.Spec.Versions {
		trimmed.Spec.Versions = append(trimmed.Spec.Versions,
			apiextensionsv1.CustomResourceDefinitionVersion{Name: v.Name, Served: v.Served})
	}
	for _, c := range crd.Status.Conditions {
		if c.Type == apiextensionsv1.Established {
			trimmed.Status.Conditions = append(trimmed.Status.Conditions,
				apiextensionsv1.CustomResourceDefinitionCondition{Type: c.Type, Status: c.Status})
		}
	}
	return trimmed
}

// keepCluster keeps of a CephCluster what rook.ReadCluster, rook.ReadHealth and rook.ReadFailover read, and its age.
func keepCluster(cluster *unstructured.Unstructured) *unstructured.Unstructured {
	kept := kinds.KeepIdentity(cluster)
	kept.SetCreationTimestamp(cluster.GetCreationTimestamp())
	for _, path := range rook.ClusterFields {
		kinds.CopyField(kept, cluster, path...)
	}
	for _, path := range rook.HealthFields {
		kinds.CopyField(kept, cluster, path...)
	}
	if skip, ok := cluster.GetLabels()[rook.SkipReconcileLabel]; ok {
		kept.SetLabels(map[string]string{rook.SkipReconcileLabel: skip})
	}
	return kept
}
