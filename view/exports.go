package view

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Export is a ServiceExport and what a deletion of this very one needs.
type Export struct {
	rook.Export
	UID             types.UID
	ResourceVersion string
	Owners          []metav1.OwnerReference
	// Manager is who it says made it.
	Manager string
}

// Export returns what is known of the ServiceExport of that name. An address that is in doubt it has not.
func (v *View) Export(ctx context.Context, namespace, name string) (rook.Export, error) {
	export, err := v.export(ctx, namespace, name)
	if err != nil || !export.Ready() || v.doubts == nil {
		return export.Export, err
	}
	deployment, err := v.Deployment(ctx, namespace, name)
	if err != nil {
		return rook.Export{}, err
	}
	service, err := v.service(ctx, namespace, name)
	if err != nil {
		return rook.Export{}, err
	}
	facts := one(namespace, name, export.Export, service, deployment)
	err = v.believe(ctx, &facts, false)
	return facts.Export, err
}

func (v *View) export(ctx context.Context, namespace, name string) (Export, error) {
	found, err := v.kinds.Get(ctx, kinds.ServiceExport, types.NamespacedName{Namespace: namespace, Name: name})
	if err != nil || found == nil {
		return Export{}, err
	}
	return readExport(found), nil
}

// Exports returns what is known of every ServiceExport of the namespace, by its name.
func (v *View) Exports(ctx context.Context, namespace string) (map[string]rook.Export, error) {
	return v.exports(ctx, client.InNamespace(namespace))
}

func (v *View) exports(ctx context.Context, opts ...client.ListOption) (map[string]rook.Export, error) {
	found, err := v.kinds.List(ctx, kinds.ServiceExport, opts...)
	if err != nil {
		return nil, err
	}
	exports := make(map[string]rook.Export, len(found))
	for i := range found {
		if export := readExport(&found[i]); export.Exists {
			exports[found[i].GetName()] = export.Export
		}
	}
	return exports, nil
}

// readExport takes an export that is being deleted for gone: nobody may build on it.
func readExport(export *unstructured.Unstructured) Export {
	if export.GetDeletionTimestamp() != nil {
		return Export{}
	}
	conditions := kinds.Conditions(export)
	latest := func(of string) *metav1.Condition { return kinds.Latest(conditions, of) }
	return Export{
		Export:          rook.ReadExport(export, latest(rook.ValidCondition), latest(rook.ReadyCondition), latest(rook.ConflictCondition)),
		UID:             export.GetUID(),
		ResourceVersion: export.GetResourceVersion(),
		Owners:          export.GetOwnerReferences(),
		Manager:         export.GetLabels()[rook.ManagedByLabel],
	}
}

// keepExport keeps of a ServiceExport what readExport reads.
func keepExport(export *unstructured.Unstructured) *unstructured.Unstructured {
	kept := kinds.KeepIdentity(export)
	kept.SetCreationTimestamp(export.GetCreationTimestamp())
	if marks := rook.OnlyMarks(export.GetLabels()); len(marks) > 0 {
		kept.SetLabels(marks)
	}
	if annotations := rook.OfExports(export.GetAnnotations()); len(annotations) > 0 {
		kept.SetAnnotations(annotations)
	}
	if owners := rook.TrimOwners(export.GetOwnerReferences()); len(owners) > 0 {
		kept.SetOwnerReferences(owners)
	}
	if conditions := keepConditions(kinds.Conditions(export)); len(conditions) > 0 {
		kept.Object["status"] = map[string]any{"conditions": conditions}
	}
	return kept
}

// keepConditions keeps the newest condition Valid, and of those beside it what speaks against the export.
func keepConditions(conditions []metav1.Condition) []any {
	var kept []any
	if valid := kinds.Latest(conditions, rook.ValidCondition); valid != nil {
		kept = append(kept, conditionContent(valid))
	}
	for _, of := range []string{rook.ReadyCondition, rook.ConflictCondition} {
		if c := kinds.Latest(conditions, of); rook.SpeaksAgainst(c) {
			kept = append(kept, conditionContent(c))
		}
	}
	return kept
}

// mostSaid is how much is kept of what an MCS implementation says; it is told on in an annotation.
const mostSaid = 1 << 10

func conditionContent(c *metav1.Condition) map[string]any {
	content := map[string]any{"type": c.Type, "status": string(c.Status)}
	if c.Status != metav1.ConditionTrue || c.Type == rook.ConflictCondition {
		// Nobody asks why an export is Valid.
		content["reason"], content["message"] = reason.Shorten(c.Reason, mostSaid), reason.Shorten(c.Message, mostSaid)
	}
	return content
}
