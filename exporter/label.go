package exporter

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// labelled is an object of ours that an earlier release made, and did not mark by a label of our own domain.
type labelled struct {
	// service says that it is a Service, otherwise it is a ServiceExport.
	service bool
	uid     types.UID
}

// planLabels marks what an earlier release made. A Service that is being given an address must not be written.
func (p *planner) planLabels() {
	if p.export.Exists && !p.export.Marked {
		p.label = append(p.label, labelled{uid: p.export.UID})
	}
	if p.service != nil && p.daemon.Type.ServiceIsOurs() && !rook.IsMarked(p.service.Labels) && (p.export.Ready() || !p.isYoung(p.service.CreationTimestamp.Time)) {
		p.label = append(p.label, labelled{service: true, uid: p.service.UID})
	}
}

// spareUnmarked removes nothing that is not marked: what is marked in this turn is judged in the next.
func (p *planner) spareUnmarked() {
	unmarkedService := p.service != nil && !rook.IsMarked(p.service.Labels)
	for _, o := range p.remove {
		if o.service && unmarkedService || !o.service && !p.export.Marked {
			p.remove, p.remake, p.notes = nil, false, nil
			p.lookAgain(time.Second)
			return
		}
	}
}

// label marks an object as ours.
func (e *Ensurer) label(ctx context.Context, daemon rook.Daemon, l labelled) error {
	object, served := e.objectOf(daemon, l.service)
	if !served {
		return nil
	}
	metadata := map[string]any{"labels": map[string]string{rook.ManagedLabel: rook.Marks()[rook.ManagedLabel]}}
	if l.uid != "" {
		metadata["uid"] = l.uid
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata})
	if err == nil {
		err = e.writer.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(rook.Manager))
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("mark %s %s/%s as ours: %w", object.Kind, daemon.Namespace, daemon.Name(), err)
	}
	return nil
}
