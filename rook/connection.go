package rook

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// CorrectCephConnection replaces the addresses in spec.monitors of a CephConnection, which Rook writes as IP:port, and
// says whether there were any to replace.
func CorrectCephConnection(u *unstructured.Unstructured, r Replacements) bool {
	field, _, err := unstructured.NestedFieldNoCopy(u.Object, "spec", "monitors")
	if err != nil {
		return false
	}
	monitors, _ := field.([]any)
	changed := false
	for i, monitor := range monitors {
		text, _ := monitor.(string)
		if replaced, ok := r.replace(text); ok {
			monitors[i] = replaced
			changed = true
		}
	}
	return changed
}
