package kinds

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Conditions returns what was reported of an object of others, whichever version it was read in. A status that cannot be read
// counts as never reported. It is read of every export at every decision, and so without the reflection of a converter.
func Conditions(object *unstructured.Unstructured) []metav1.Condition {
	status, _ := object.Object["status"].(map[string]any)
	reported, _ := status["conditions"].([]any)
	var conditions []metav1.Condition
	for _, r := range reported {
		fields, isObject := r.(map[string]any)
		c, readable := condition(fields)
		if !isObject || !readable {
			return nil
		}
		conditions = append(conditions, c)
	}
	return conditions
}

func condition(fields map[string]any) (metav1.Condition, bool) {
	readable := true
	text := func(key string) string {
		s, isText := fields[key].(string)
		readable = readable && (isText || fields[key] == nil)
		return s
	}
	c := metav1.Condition{Type: text("type"), Status: metav1.ConditionStatus(text("status")), Reason: text("reason"), Message: text("message")}
	if at := text("lastTransitionTime"); at != "" {
		t, err := time.Parse(time.RFC3339, at)
		readable = readable && err == nil
		c.LastTransitionTime = metav1.NewTime(t.Local())
	}
	switch generation := fields["observedGeneration"].(type) {
	case nil:
	case int64:
		c.ObservedGeneration = generation
	case float64:
		c.ObservedGeneration = int64(generation)
	default:
		readable = false
	}
	return c, readable
}

// Latest returns the newest condition of the type, or nil: releases of Submariner append rather than replace. Of two that
// changed in the same second the later in the list is the newer.
func Latest(conditions []metav1.Condition, conditionType string) *metav1.Condition {
	var newest *metav1.Condition
	for i := range conditions {
		c := &conditions[i]
		if c.Type == conditionType && (newest == nil || !c.LastTransitionTime.Before(&newest.LastTransitionTime)) {
			newest = c
		}
	}
	return newest
}
