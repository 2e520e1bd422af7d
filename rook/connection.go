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
	texts := make([]string, len(monitors))
	for i, monitor := range monitors {
		texts[i], _ = monitor.(string)
	}
	r = r.among(standsIn(texts))
	changed := false
	for i, text := range texts {
		if replaced, ok := r.replace(text); ok {
			monitors[i] = replaced
			changed = true
		}
	}
	return changed
}
