package view

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// mostKept is what an object costs a replica that is made to be as large as it gets, of some MiB.
const mostKept = 96 << 10

func size(t *testing.T, object any) int {
	t.Helper()
	raw, err := json.Marshal(object)
	require.NoError(t, err)
	return len(raw)
}

// inflate makes each text of a value long, and each list and map too.
func inflate(value any) any {
	const many, long = 300, 64 << 10
	switch v := value.(type) {
	case string:
		return v + strings.Repeat("x", long)
	case []any:
		var all []any
		for i := range many {
			all = append(all, inflate(v[i%len(v)]))
		}
		return all
	case map[string]any:
		inflated := map[string]any{}
		for key, child := range v {
			inflated[key] = inflate(child)
		}
		for i := range many {
			inflated[fmt.Sprintf("absurd-%d", i)] = "x"
		}
		return inflated
	}
	return value
}

func TestWhatIsAbsurdInTheKindsOfOthersIsCut(t *testing.T) {
	wanted := append(Kinds(), resolver.Kinds()...)
	transform := Options(wanted, "rook-clusterset").DefaultTransform
	for kind, text := range ofOthers {
		t.Run(kind, func(t *testing.T) {
			full := &unstructured.Unstructured{}
			require.NoError(t, yaml.Unmarshal([]byte(text), &full.Object))
			for _, part := range []string{"spec", "status"} {
				if content, there := full.Object[part]; there {
					full.Object[part] = inflate(content)
				}
			}
			annotations := map[string]string{}
			for i := range 300 {
				annotations[fmt.Sprintf("rook-clusterset.io/absurd-%d", i)] = strings.Repeat("x", 1<<10)
			}
			for key := range full.GetAnnotations() {
				annotations[key] = strings.Repeat("x", 32<<10)
			}
			full.SetAnnotations(annotations)
			full.SetOwnerReferences(absurdOwners())
			kept, err := transform(full)
			require.NoError(t, err)
			require.Less(t, size(t, kept), mostKept)
		})
	}
}

// absurdOwners are those of an object that says who owns it at length; a CephCluster does too.
func absurdOwners() []metav1.OwnerReference {
	owners := []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "c", UID: "u"}}
	for i := range 1000 {
		owners = append(owners, metav1.OwnerReference{APIVersion: "v1", Kind: "Pod", Name: fmt.Sprint(i), UID: "u"},
			metav1.OwnerReference{APIVersion: "v1", Kind: "Pod", Name: strings.Repeat("x", 1<<10), UID: "u"})
	}
	return owners
}

func TestWhatIsAbsurdInKubernetesOwnKindsIsCut(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "ns", Name: "rook-ceph-osd-7", OwnerReferences: absurdOwners(), Annotations: map[string]string{}}
	for _, key := range []string{rook.OrphanedSinceAnnotation, rook.AskedAnnotation, rook.MigrateSwitch} {
		meta.Annotations[key] = strings.Repeat("x", 64<<10)
	}
	long := strings.Repeat("x", 512<<10)
	service := &corev1.Service{ObjectMeta: meta}
	service.Spec.Selector = map[string]string{}
	for i := range 1000 {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: fmt.Sprint(i), Port: 6800})
		service.Spec.Selector[fmt.Sprint(i)] = strings.Repeat("x", 63)
	}
	d := &appsv1.Deployment{ObjectMeta: meta}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: "osd", Args: []string{long, "--public-addr=242.0.0.7", long}}}
	endpoints := &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"data": long, "maxMonId": "3", "mapping": long, "forged": long}}
	prepared := &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"status": `{"status":"completed","osds":[` + strings.Repeat(`{"id":1},`, 10_000) + `{"id":2}]}`, "forged": long}}
	for name, tc := range map[string]struct {
		object client.Object
		of     cache.Options
	}{
		"a Service":               {service, Options(nil, "rook-clusterset")},
		"a Deployment":            {d, Options(nil, "rook-clusterset")},
		"the mon endpoints":       {endpoints, Options(nil, "rook-clusterset")},
		"what a prepare Job told": {prepared, PreparedOptions()},
		"a Namespace":             {&corev1.Namespace{ObjectMeta: meta}, Options(nil, "rook-clusterset")},
	} {
		t.Run(name, func(t *testing.T) {
			was := size(t, tc.object)
			for of, by := range tc.of.ByObject {
				if fmt.Sprintf("%T", of) != fmt.Sprintf("%T", tc.object) {
					continue
				}
				kept, err := by.Transform(tc.object)
				require.NoError(t, err)
				require.Greater(t, was, 100<<10)
				require.Less(t, size(t, kept), mostKept/10)
				require.LessOrEqual(t, len(kept.(client.Object).GetOwnerReferences()), 16)
			}
		})
	}
}

func TestAnOwnerBesideAbsurdOnesIsKnown(t *testing.T) {
	kept := rook.TrimService(&corev1.Service{ObjectMeta: metav1.ObjectMeta{OwnerReferences: absurdOwners()}})
	require.Equal(t, "u", string(rook.OwnerCluster(kept)))
}
