package migration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// carryOut does a step. What is noted comes first, so that a leader that comes later knows of what this one began.
func (l *loop) carryOut(ctx context.Context, f Facts, step Step) error {
	i := slices.IndexFunc(f.Daemons, func(d rook.DaemonFacts) bool { return d.Daemon == step.Daemon })
	if i < 0 {
		return fmt.Errorf("%s is not there", step.Daemon)
	}
	daemon := f.Daemons[i]
	switch step.Action {
	case StopMon:
		if err := l.note(ctx, step); err != nil {
			return err
		}
		return l.scale(ctx, daemon, 0)
	case StartMon:
		if err := l.note(ctx, step); err != nil {
			return err
		}
		return l.scale(ctx, daemon, 1)
	case NoteMove:
		return l.note(ctx, step)
	case WriteOSD:
		return l.write(ctx, daemon, rook.Asked{For: daemon.Export.GlobalIP, At: f.Now})
	case Wait:
	}
	return nil
}

// note writes what is noted of a mon on its export.
func (l *loop) note(ctx context.Context, step Step) error {
	gvk, served := l.installed.Served(kinds.ServiceExport)
	if !served {
		return fmt.Errorf("no ServiceExport can be written")
	}
	var value *string
	if text := step.Move.String(); text != "" {
		value = &text
	}
	return l.annotate(ctx, gvk, step.Daemon, "", rook.MoveAnnotation, value)
}

// write has admission give an OSD its global IP: it rewrites what it is asked of, be it a write of one annotation.
func (l *loop) write(ctx context.Context, osd rook.DaemonFacts, asked rook.Asked) error {
	gvk := appsv1.SchemeGroupVersion.WithKind("Deployment")
	return l.annotate(ctx, gvk, osd.Daemon, osd.Rollout.Version, rook.AskedAnnotation, new(asked.String()))
}

// annotate sets one annotation of an object of a daemon, if the object still has the version, where one is given; nil takes the
// annotation away.
func (l *loop) annotate(ctx context.Context, gvk schema.GroupVersionKind, daemon rook.Daemon, version, key string, value *string) error {
	metadata := map[string]any{"annotations": map[string]*string{key: value}}
	if version != "" {
		metadata["resourceVersion"] = version
	}
	patch, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	object := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: daemon.Namespace, Name: daemon.Name()}}
	object.SetGroupVersionKind(gvk)
	if err := l.writer.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(rook.Manager)); err != nil {
		return fmt.Errorf("annotate %s %s/%s: %w", gvk.Kind, daemon.Namespace, daemon.Name(), err)
	}
	return nil
}

// scale changes the number of pods of a mon, if its Deployment is the one that was decided on.
func (l *loop) scale(ctx context.Context, mon rook.DaemonFacts, replicas int32) error {
	meta := metav1.ObjectMeta{Namespace: mon.Daemon.Namespace, Name: mon.Daemon.Name(), ResourceVersion: mon.Rollout.Version}
	scale := &autoscalingv1.Scale{ObjectMeta: meta, Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}
	err := l.writer.SubResource("scale").Update(ctx, &appsv1.Deployment{ObjectMeta: meta}, client.WithSubResourceBody(scale), client.FieldOwner(rook.Manager))
	if err != nil {
		return fmt.Errorf("scale Deployment %s/%s to %d: %w", meta.Namespace, meta.Name, replicas, err)
	}
	return nil
}
