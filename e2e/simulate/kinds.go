package main

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// The kinds that stories are about.
var (
	deploymentKind = schema.GroupKind{Group: "apps", Kind: "Deployment"}
	serviceKind    = schema.GroupKind{Kind: "Service"}
	configMapKind  = schema.GroupKind{Kind: "ConfigMap"}
	secretKind     = schema.GroupKind{Kind: "Secret"}
	namespaceKind  = schema.GroupKind{Kind: "Namespace"}
	sliceKind      = schema.GroupKind{Group: "discovery.k8s.io", Kind: "EndpointSlice"}
	importKind     = schema.GroupKind{Group: kinds.ServiceExport.Group, Kind: "ServiceImport"}
	ingressIPKind  = mcsstandin.GlobalIngressIPKind.GroupKind()
	submarinerKind = mcsstandin.SubmarinerKind.GroupKind()
	clusterKind    = rookstandin.CephClusterKind.GroupKind()
	connectionKind = rookstandin.CephConnectionKind.GroupKind()
)

// exportVersion is that in which exports are written and read.
var exportVersion = kinds.ServiceExport.WithVersion("v1alpha1")

// served are the kinds of others, in the version in which they are read.
var served = installed{
	kinds.ServiceExport: exportVersion,
	importKind:          importKind.WithVersion("v1alpha1"),
	ingressIPKind:       mcsstandin.GlobalIngressIPKind,
	submarinerKind:      mcsstandin.SubmarinerKind,
	clusterKind:         rookstandin.CephClusterKind,
}

// cachedKinds are those that the caches of a replica catch up with, one by one.
var cachedKinds = []schema.GroupKind{
	namespaceKind, deploymentKind, serviceKind, configMapKind, kinds.ServiceExport, clusterKind, ingressIPKind, importKind, submarinerKind,
}

// kindOf returns the kind of an object or, of a list, that of its items.
func kindOf(o runtime.Object) schema.GroupKind {
	switch o.(type) {
	case *appsv1.Deployment, *appsv1.DeploymentList:
		return deploymentKind
	case *corev1.Service, *corev1.ServiceList:
		return serviceKind
	case *corev1.ConfigMap:
		return configMapKind
	case *corev1.Secret:
		return secretKind
	}
	gvk := o.GetObjectKind().GroupVersionKind()
	if gvk.Kind == "" {
		found, err := apiutil.GVKForObject(o, scheme.Scheme)
		if err != nil {
			panic(fmt.Sprintf("of which kind is a %T: %v", o, err))
		}
		gvk = found
	}
	return schema.GroupKind{Group: gvk.Group, Kind: strings.TrimSuffix(gvk.Kind, "List")}
}

// newObject returns an empty object of a kind that others install.
func newObject(gvk schema.GroupVersionKind, namespace, name string) *unstructured.Unstructured {
	u := kinds.Object(gvk)
	u.SetNamespace(namespace)
	u.SetName(name)
	return u
}
