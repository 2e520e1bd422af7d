package scenarios_test

import (
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// get reads an object that is there.
func get[T client.Object](s *story, namespace, name string, into T) T {
	s.t.Helper()
	require.NoError(s.t, s.World.Plane.Client.Get(s.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, into))
	return into
}

// has says whether the object is there, and reads it if it is.
func (s *story) has(namespace, name string, into client.Object) bool {
	s.t.Helper()
	err := s.World.Plane.Client.Get(s.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, into)
	require.NoError(s.t, client.IgnoreNotFound(err))
	return err == nil
}

func (s *story) deployment(name string) *appsv1.Deployment {
	s.t.Helper()
	return get(s, s.Namespace, name, &appsv1.Deployment{})
}

// list returns the objects of the namespace that are of the kind.
func (s *story) list(apiVersion, kind string, of ...client.ListOption) []unstructured.Unstructured {
	s.t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion(apiVersion)
	list.SetKind(kind + "List")
	require.NoError(s.t, s.World.Plane.Client.List(s.t.Context(), list, append(of, client.InNamespace(s.Namespace))...))
	return list.Items
}

func (s *story) exports() []unstructured.Unstructured {
	s.t.Helper()
	return s.list("multicluster.x-k8s.io/v1beta1", "ServiceExport")
}

// isExported says whether the daemon has a ServiceExport.
func (s *story) isExported(name string) bool {
	s.t.Helper()
	_, err := s.Export(s.t.Context(), name)
	require.NoError(s.t, client.IgnoreNotFound(err))
	return err == nil
}

// noted returns what stands in an annotation of ours on the ServiceExport of a daemon; nothing as long as there is none.
func (s *story) noted(name, annotation string) string {
	export, err := s.Export(s.t.Context(), name)
	if err != nil {
		return ""
	}
	return export.GetAnnotations()["rook-clusterset.io/"+annotation]
}
