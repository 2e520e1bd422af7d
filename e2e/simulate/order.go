package main

import (
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// order takes out of what Rook writes the order that its maps gave it by chance, which no seed would tell again. That of the
// mon endpoints is as the seed says.
func (w *world) order(o client.Object) {
	switch o := o.(type) {
	case *corev1.ConfigMap:
		if o.Name != rookstandin.EndpointsConfigMap && o.Name != shapes.CSIConfigMap {
			return
		}
		for _, key := range []string{"data", "outOfQuorum"} {
			if entries := strings.Split(o.Data[key], ","); len(entries) > 1 {
				slices.Sort(entries)
				at := w.rng.IntN(len(entries))
				o.Data[key] = strings.Join(slices.Concat(entries[at:], entries[:at]), ",")
			}
		}
		orderCSI(o)
	case *unstructured.Unstructured:
		if monitors, found, err := unstructured.NestedStringSlice(o.Object, "spec", "monitors"); found && err == nil {
			slices.Sort(monitors)
			w.must(unstructured.SetNestedStringSlice(o.Object, monitors, "spec", "monitors"))
		}
	}
}

func orderCSI(o *corev1.ConfigMap) {
	const key = "csi-cluster-config-json"
	var clusters []map[string]any
	if json.Unmarshal([]byte(o.Data[key]), &clusters) != nil {
		return
	}
	for _, cluster := range clusters {
		if monitors, ok := cluster["monitors"].([]any); ok {
			slices.SortFunc(monitors, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		}
	}
	text, err := json.Marshal(clusters)
	if err == nil {
		o.Data[key] = string(text)
	}
}
