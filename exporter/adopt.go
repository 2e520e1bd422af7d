package exporter

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// adopted is an object that Rook made in its own multi-cluster mode, and that is ours now that the mode is off: its address is
// advertised, and with another object it would be another.
type adopted struct {
	// service says that it is a Service, otherwise it is a ServiceExport.
	service bool
	uid     types.UID
	// owners are those that it keeps.
	owners []metav1.OwnerReference
}

// planAdoption takes over what Rook left. It says whether there was anything: the next turn goes on from there.
func (p *planner) planAdoption() bool {
	if p.service != nil && p.daemon.Type.ServiceIsOurs() && rook.IsRooks(p.service.Labels[rook.ManagedByLabel], p.service.OwnerReferences) {
		rest, _ := rook.Disowned(p.service.OwnerReferences)
		p.adopt = append(p.adopt, adopted{service: true, uid: p.service.UID, owners: rest})
	}
	if p.export.Exists && rook.IsRooks(p.export.Manager, p.export.Owners) {
		rest, _ := rook.Disowned(p.export.Owners)
		p.adopt = append(p.adopt, adopted{uid: p.export.UID, owners: rest})
	}
	return len(p.adopt) > 0
}

// adopt marks an object as ours, and takes it from the CephCluster.
func (e *Ensurer) adopt(ctx context.Context, daemon rook.Daemon, a adopted) error {
	object, served := e.objectOf(daemon, a.service)
	if !served {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": a.uid, "labels": rook.Marks(), "ownerReferences": a.owners,
	}})
	if err == nil {
		err = e.writer.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(rook.Manager))
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("take over %s %s/%s from Rook: %w", object.Kind, daemon.Namespace, daemon.Name(), err)
	}
	return nil
}
