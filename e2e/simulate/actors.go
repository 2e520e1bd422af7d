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

func compareNames(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) }

// named is how a story names an object.
func named(o client.Object) string {
	return kindOf(o).Kind + " " + o.GetNamespace() + "/" + o.GetName()
}

// ourWriter writes for the replicas of ours, so that Rook sees at once what it watches.
type ourWriter struct{ world *world }

func (o ourWriter) to(ctx context.Context, object client.Object) (context.Context, client.Client, error) {
	if actorOf(ctx) == "" {
		ctx = asActor(ctx, actorReplica)
	}
	if o.world.oursFail > 0 {
		o.world.faults["our write fails"]++
		o.world.tell("a write of ours of %s fails", named(object))
		return ctx, nil, apierrors.NewInternalError(errors.New("etcd is busy"))
	}
	return ctx, o.world.clientOf(object.GetNamespace()), nil
}

// Create implements client.Writer.
func (o ourWriter) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	ctx, c, err := o.to(ctx, object)
	if err != nil {
		return err
	}
	return c.Create(ctx, object, opts...)
}

// Update implements client.Writer.
func (o ourWriter) Update(ctx context.Context, object client.Object, opts ...client.UpdateOption) error {
	ctx, c, err := o.to(ctx, object)
	if err != nil {
		return err
	}
	return c.Update(ctx, object, opts...)
}

// Delete implements client.Writer.
func (o ourWriter) Delete(ctx context.Context, object client.Object, opts ...client.DeleteOption) error {
	ctx, c, err := o.to(ctx, object)
	if err != nil {
		return err
	}
	return c.Delete(ctx, object, opts...)
}

// Patch implements client.Writer.
func (o ourWriter) Patch(ctx context.Context, object client.Object, patch client.Patch, opts ...client.PatchOption) error {
	ctx, c, err := o.to(ctx, object)
	if err != nil {
		return err
	}
	return c.Patch(ctx, object, patch, opts...)
}

// Apply implements client.Writer.
func (o ourWriter) Apply(ctx context.Context, configuration runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	object, _ := configuration.(metav1.Object)
	ctx, c, err := o.to(ctx, newObject(exportVersion, object.GetNamespace(), object.GetName()))
	if err != nil {
		return err
	}
	return c.Apply(ctx, configuration, opts...)
}

// DeleteAllOf implements client.Writer.
func (ourWriter) DeleteAllOf(context.Context, client.Object, ...client.DeleteAllOfOption) error {
	return errors.New("nobody deletes all of a kind in a story")
}

// doubtful is the API server as a replica reads it: it does not answer for a while.
type doubtful struct {
	world *world
	live
}

// Get implements client.Reader.
func (d doubtful) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if d.world.liveDown > 0 {
		return apierrors.NewTimeoutError("the API server does not answer", 1)
	}
	return d.live.Get(ctx, key, into, opts...)
}

// List implements client.Reader.
func (d doubtful) List(ctx context.Context, into client.ObjectList, opts ...client.ListOption) error {
	if d.world.liveDown > 0 {
		return apierrors.NewTimeoutError("the API server does not answer", 1)
	}
	return d.live.List(ctx, into, opts...)
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
