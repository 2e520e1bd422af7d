package kinds

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
	mcsv1beta1 "sigs.k8s.io/mcs-api/pkg/apis/v1beta1"
)

// Conditions returns what an MCS implementation reported of a ServiceExport, whichever version it was read in.
// A status that cannot be read counts as never reported.
func Conditions(export *unstructured.Unstructured) []metav1.Condition {
	status, _ := export.Object["status"].(map[string]any)
	converter := runtime.DefaultUnstructuredConverter
	if export.GroupVersionKind().Version == mcsv1alpha1.GroupVersion.Version {
		var typed mcsv1alpha1.ServiceExportStatus
		if err := converter.FromUnstructured(status, &typed); err != nil {
			return nil
		}
		return typed.Conditions
	}
	var typed mcsv1beta1.ServiceExportStatus
	if err := converter.FromUnstructured(status, &typed); err != nil {
		return nil
	}
	return typed.Conditions
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
