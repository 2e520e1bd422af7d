package shapes

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ListOf returns a list for objects of the kind.
func ListOf(kind schema.GroupVersionKind) *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(kind)
	return list
}

// SecretText reads a key of a Secret; stringData is what a fake API server leaves unfolded.
func SecretText(secret *corev1.Secret, key string) string {
	if text, ok := secret.StringData[key]; ok {
		return text
	}
	return string(secret.Data[key])
}

// CommandLines returns what the containers of a daemon are started with.
func CommandLines(d *appsv1.Deployment) string {
	var lines strings.Builder
	pod := d.Spec.Template.Spec
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		lines.WriteString(c.Name + "\x00" + strings.Join(c.Command, "\x00") + "\x00" + strings.Join(c.Args, "\x00") + "\n")
	}
	return lines.String()
}

// IsCanary says whether the object is a canary, or a pod of one.
func IsCanary(o client.Object) bool {
	_, canary := o.GetLabels()[CanaryLabel]
	return canary
}
