package resolver_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

// served is what an API server has installed; a test can add to it.
type served map[schema.GroupKind]string

func (s served) Served(gk schema.GroupKind) (schema.GroupVersionKind, bool) {
	version, ok := s[gk]
	return gk.WithVersion(version), ok
}

func (served) Wait(context.Context) error { return nil }

// kind returns the GroupKind of a kind that the resolver reads.
func kind(name string) schema.GroupKind {
	for _, k := range resolver.Kinds() {
		if k.Kind == name {
			return k.GroupKind
		}
	}
	panic(name)
}

// resolve asks for mon a as the exporter does.
func resolve(ctx context.Context, r *resolver.Resolver) (resolver.Answer, error) {
	m, err := r.Membership(ctx)
	if err != nil {
		return resolver.Answer{}, err
	}
	return r.Resolve(ctx, monA(), m)
}

func everything() served {
	return served{
		kind("ServiceImport"):   "v1alpha1",
		kind("GlobalIngressIP"): "v1",
		kind("Submariner"):      "v1alpha1",
		kind("Cluster"):         "v1",
		kind("ClusterProperty"): "v1alpha1",
	}
}

// world is a cluster that holds the objects and whose DNS, unless the options name one, is nowhere.
type world struct {
	kinds   served
	objects []*unstructured.Unstructured
	options resolver.Options
	// live are what only the API server itself has.
	live []client.Object
	// fault is what reading an object of the kind meets.
	fault map[string]error
	// asked counts what was read of the API server itself.
	asked *int
}

func (w world) resolver(t testing.TB) *resolver.Resolver {
	t.Helper()
	if w.kinds == nil {
		w.kinds = everything()
	}
	if w.options.DNSServer == "" && w.options.ResolvConf == "" {
		w.options.ResolvConf = t.TempDir() + "/none"
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	scheme := runtime.NewScheme()
	for gk, version := range everything() {
		scope := meta.RESTScopeNamespace
		if gk == kind("ClusterProperty") {
			scope = meta.RESTScopeRoot
		}
		gvk := gk.WithVersion(version)
		mapper.Add(gvk, scope)
		scheme.AddKnownTypeWithName(gvk, &unstructured.Unstructured{})
		gvk.Kind += "List"
		scheme.AddKnownTypeWithName(gvk, &unstructured.UnstructuredList{})
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithRESTMapper(mapper)
	for _, o := range w.objects {
		builder = builder.WithObjects(cached(o))
	}
	builder = builder.WithInterceptorFuncs(interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if err := w.fault[o.GetObjectKind().GroupVersionKind().Kind]; err != nil {
				return err
			}
			return c.Get(ctx, key, o, opts...)
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if err := w.fault[list.GetObjectKind().GroupVersionKind().Kind]; err != nil {
				return err
			}
			return c.List(ctx, list, opts...)
		},
	})
	return resolver.New(resolver.Readers{Cached: builder.Build(), Live: w.apiServer(t)}, w.kinds, w.options)
}

// apiServer is what is asked where no cache will do.
func (w world) apiServer(t testing.TB) client.Reader {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(w.live...)
	builder.WithIndex(&corev1.Service{}, "spec.clusterIP", func(o client.Object) []string {
		return []string{o.(*corev1.Service).Spec.ClusterIP}
	})
	return builder.WithInterceptorFuncs(interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if w.asked != nil {
				*w.asked++
			}
			if err := w.fault[fmt.Sprintf("%T", list)]; err != nil {
				return err
			}
			return c.List(ctx, list, opts...)
		},
	}).Build()
}

// cached returns what the caches keep of an object.
func cached(o *unstructured.Unstructured) *unstructured.Unstructured {
	for _, k := range resolver.Kinds() {
		if k.GroupKind == o.GroupVersionKind().GroupKind() {
			kept := k.Keep(o)
			// An API server, be it a fake one, has nothing that is being deleted without them.
			kept.SetFinalizers(o.GetFinalizers())
			return kept
		}
	}
	return o
}

// object reads YAML as the API server would send it.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &o.Object))
	return o
}

func objects(t *testing.T, texts ...string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, text := range texts {
		all = append(all, object(t, text))
	}
	return all
}

// monA is the Service that the tests ask for.
func monA() resolver.Request {
	return resolver.Request{
		Namespace:  "rook-ceph",
		Name:       "rook-ceph-mon-a",
		ClusterIPs: []netip.Addr{netip.MustParseAddr("10.96.7.1")},
	}
}

// requireRefusal asserts the reason and that the detail names what matters.
func requireRefusal(t *testing.T, err error, code reason.Code, particulars ...string) {
	t.Helper()
	var refusal *reason.Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, code, refusal.Code, "%v", err)
	require.True(t, refusal.Code.Known())
	for _, p := range particulars {
		require.Contains(t, refusal.Detail, p)
	}
}

var errFlaky = errors.New("etcd has no leader")

const (
	submarinerA = `
apiVersion: submariner.io/v1alpha1
kind: Submariner
metadata: {name: submariner, namespace: submariner-operator}
spec: {clusterID: cluster-a, globalCIDR: 242.0.0.0/16}
status: {clusterID: cluster-a, globalCIDR: 242.0.0.0/16}
`
	clusterA = `
apiVersion: submariner.io/v1
kind: Cluster
metadata: {name: cluster-a, namespace: submariner-operator}
spec: {cluster_id: cluster-a, global_cidr: [242.0.0.0/16]}
`
	clusterB = `
apiVersion: submariner.io/v1
kind: Cluster
metadata: {name: cluster-b, namespace: submariner-operator}
spec: {cluster_id: cluster-b, global_cidr: [242.1.0.0/16]}
`
	propertyA = `
apiVersion: about.k8s.io/v1alpha1
kind: ClusterProperty
metadata: {name: cluster.clusterset.k8s.io}
spec: {value: cluster-a}
`
	ingressIP = `
apiVersion: submariner.io/v1
kind: GlobalIngressIP
metadata: {name: rook-ceph-mon-a, namespace: rook-ceph}
spec: {target: ClusterIPService, serviceRef: {name: rook-ceph-mon-a}}
status:
  allocatedIP: 242.0.255.253
  conditions:
  - {type: Allocated, status: "True", reason: Success, message: ok, lastTransitionTime: "2026-01-01T00:00:00Z"}
`
	clusterImport = `
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata:
  name: rook-ceph-mon-a-rook-ceph-cluster-a
  namespace: submariner-operator
  labels:
    multicluster.kubernetes.io/service-name: rook-ceph-mon-a
    multicluster.kubernetes.io/source-cluster: cluster-a
    lighthouse.submariner.io/sourceNamespace: rook-ceph
spec: {type: ClusterSetIP, ips: [242.0.255.253]}
`
	serviceImport = `
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata: {name: rook-ceph-mon-a, namespace: rook-ceph}
spec: {type: ClusterSetIP, ips: [242.0.255.253]}
status: {clusters: [{cluster: cluster-a}]}
`
)
