package main

import (
	"context"
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/recorder"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

// actor is who writes. Rook, whose model knows nothing of actors, is the empty one.
type actor string

const (
	actorLeader  actor = "the leader"
	actorReplica actor = "admission"
	actorMCS     actor = "the MCS implementation"
	actorPerson  actor = "somebody"
	actorGarbage actor = "the garbage collector"
	actorScenery actor = "the scenery"
	nobody       actor = ""
)

type actorKey struct{}

func asActor(ctx context.Context, a actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

func actorOf(ctx context.Context) actor {
	a, _ := ctx.Value(actorKey{}).(actor)
	return a
}

func compareNames(a, b types.NamespacedName) int {
	if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// named is how a story names an object.
func named(o client.Object) string {
	return kindOf(o).Kind + " " + o.GetNamespace() + "/" + o.GetName()
}

// ourWriter writes for the replicas of ours, so that Rook sees at once what it watches. Of what nobody does in a story it has nothing.
type ourWriter struct {
	client.Writer
	world *world
}

func (o ourWriter) write(ctx context.Context, object client.Object, write func(context.Context, client.Client) error) error {
	if actorOf(ctx) == nobody {
		ctx = asActor(ctx, actorReplica)
	}
	if o.world.oursFail > 0 {
		o.world.faults["our write fails"]++
		o.world.tell("a write of ours of %s fails", named(object))
		return apierrors.NewInternalError(errors.New("etcd is busy"))
	}
	return write(ctx, o.world.clientOf(object.GetNamespace()))
}

// Create implements client.Writer.
func (o ourWriter) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	return o.write(ctx, object, func(ctx context.Context, c client.Client) error { return c.Create(ctx, object, opts...) })
}

// Update implements client.Writer.
func (o ourWriter) Update(ctx context.Context, object client.Object, opts ...client.UpdateOption) error {
	return o.write(ctx, object, func(ctx context.Context, c client.Client) error { return c.Update(ctx, object, opts...) })
}

// Delete implements client.Writer.
func (o ourWriter) Delete(ctx context.Context, object client.Object, opts ...client.DeleteOption) error {
	return o.write(ctx, object, func(ctx context.Context, c client.Client) error { return c.Delete(ctx, object, opts...) })
}

// Patch implements client.Writer.
func (o ourWriter) Patch(ctx context.Context, object client.Object, patch client.Patch, opts ...client.PatchOption) error {
	return o.write(ctx, object, func(ctx context.Context, c client.Client) error { return c.Patch(ctx, object, patch, opts...) })
}

// Apply implements client.Writer.
func (o ourWriter) Apply(ctx context.Context, configuration runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	object, _ := configuration.(metav1.Object)
	return o.write(ctx, newObject(exportVersion, object.GetNamespace(), object.GetName()), func(ctx context.Context, c client.Client) error {
		return c.Apply(ctx, configuration, opts...)
	})
}

// events takes what the leader reports into the story.
type events struct {
	recorder.EventRecorder
	world *world
}

// Eventf implements recorder.EventRecorder.
func (e events) Eventf(_, related runtime.Object, kind, reason, _, note string, args ...any) {
	if export, ok := related.(client.Object); ok && export != nil {
		key := client.ObjectKeyFromObject(export)
		if e.world.told[key] == nil {
			e.world.told[key] = map[string]bool{}
		}
		e.world.told[key][reason] = true
	}
	e.world.tell("event %s %s: "+note, append([]any{kind, reason}, args...)...)
}

// tellAnswer says what admission answered, where it is more than a yes.
func (w *world) tellAnswer(r *replica, o client.Object, response admission.Response) {
	if w.story == nil {
		return
	}
	reason := response.AuditAnnotations["reason"]
	switch {
	case !response.Allowed:
		w.tell("replica %s refuses %s (%s): %s", r.name, named(o), reason, response.Result.Message)
	case len(response.Patch) > 0:
		w.tell("replica %s corrects %s (%s)", r.name, named(o), reason)
	case reason != "already_right":
		w.tell("replica %s lets %s through (%s)", r.name, named(o), reason)
	}
}
