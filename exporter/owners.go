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

// disowned is an object of ours that is not to end with a CephCluster.
type disowned struct {
	// service says that it is a Service, otherwise it is a ServiceExport.
	service bool
	uid     types.UID
	// owners are those that it keeps.
	owners []metav1.OwnerReference
}

// planDisowning takes away the owner that earlier releases gave. The Service of a mon is Rook's.
func (p *planner) planDisowning() {
	if p.service != nil && p.daemon.Type.ServiceIsOurs() {
		if rest, owned := rook.Disowned(p.service.OwnerReferences); owned {
			p.disown = append(p.disown, disowned{service: true, uid: p.service.UID, owners: rest})
		}
	}
	if rest, owned := rook.Disowned(p.export.Owners); owned {
		p.disown = append(p.disown, disowned{uid: p.export.UID, owners: rest})
	}
}

// disown is a patch and no application: what was created with an owner keeps it when it is applied without.
func (e *Ensurer) disown(ctx context.Context, daemon rook.Daemon, d disowned) error {
	object, served := e.objectOf(daemon, d.service)
	if !served {
		return nil
	}
	metadata := map[string]any{"ownerReferences": d.owners}
	if d.uid != "" {
		metadata["uid"] = d.uid
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata})
	if err == nil {
		err = e.writer.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(rook.Manager))
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("take the owner of %s %s/%s away: %w", object.Kind, daemon.Namespace, daemon.Name(), err)
	}
	return nil
}
