package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// live reads what the API server has now, which does not answer as long as it is down for whoever asks. Of what nobody asks a
// client for in a story it has nothing.
type live struct {
	client.WithWatch
	store *store
	down  *int
}

func (l live) answers() error {
	if l.down != nil && *l.down > 0 {
		return apierrors.NewTimeoutError("the API server does not answer", 1)
	}
	return nil
}

// Get implements client.Reader.
func (l live) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	if err := l.answers(); err != nil {
		return err
	}
	gk := kindOf(into)
	found := l.store.get(gk, key)
	if found == nil {
		return notFound(gk, key.Name)
	}
	fill(into, found.DeepCopyObject())
	return nil
}

// List implements client.Reader.
func (l live) List(_ context.Context, into client.ObjectList, opts ...client.ListOption) error {
	if err := l.answers(); err != nil {
		return err
	}
	options := (&client.ListOptions{}).ApplyOptions(opts)
	var found []runtime.Object
	for _, o := range l.store.all(kindOf(into), options.Namespace) {
		if matches(o, options, func(field string) []string { return liveField(o, field) }) {
			found = append(found, o.DeepCopyObject())
		}
	}
	return meta.SetList(into, found)
}

// liveField is what the API server itself finds objects by.
func liveField(o client.Object, field string) []string {
	if service, ok := o.(*corev1.Service); ok && field == "spec.clusterIP" {
		return []string{service.Spec.ClusterIP}
	}
	panic(fmt.Sprintf("the API server finds no %T by %s", o, field))
}

// lagging reads what a replica has seen so far.
type lagging struct {
	store *store
	rules map[schema.GroupKind]*rule
	// seen is the version up to which the cache of a name has caught up.
	seen map[string]int64
}

func (l lagging) cacheOf(gk schema.GroupKind) *rule {
	if r := l.rules[gk]; r != nil {
		return r
	}
	panic(fmt.Sprintf("there is no cache of %s", gk))
}

// Get implements client.Reader.
func (l lagging) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	gk := kindOf(into)
	r := l.cacheOf(gk)
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if h := l.store.ofKind(gk).find(key); h != nil {
		if kept := r.keep(h.at(l.seen[r.name])); kept != nil {
			fill(into, kept)
			return nil
		}
	}
	return notFound(gk, key.Name)
}

// List implements client.Reader.
func (l lagging) List(_ context.Context, into client.ObjectList, opts ...client.ListOption) error {
	options := (&client.ListOptions{}).ApplyOptions(opts)
	r := l.cacheOf(kindOf(into))
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	var found []runtime.Object
	for _, h := range l.store.ofKind(r.kind).histories {
		if options.Namespace != "" && options.Namespace != h.key.Namespace {
			continue
		}
		at := h.at(l.seen[r.name])
		if kept := r.keep(at); kept != nil && matches(kept, options, func(field string) []string { return r.indexed(at, kept, field) }) {
			found = append(found, kept)
		}
	}
	return meta.SetList(into, found)
}

func matches(o client.Object, options *client.ListOptions, valuesOf func(string) []string) bool {
	if options.LabelSelector != nil && !options.LabelSelector.Matches(labels.Set(o.GetLabels())) {
		return false
	}
	if options.FieldSelector == nil {
		return true
	}
	for _, requirement := range options.FieldSelector.Requirements() {
		if !slices.Contains(valuesOf(requirement.Field), requirement.Value) {
			return false
		}
	}
	return true
}

// fill gives a target what was found.
func fill(into client.Object, found runtime.Object) {
	switch into := into.(type) {
	case *metav1.PartialObjectMetadata:
		accessor, err := meta.Accessor(found)
		if err != nil {
			panic(err)
		}
		copied := meta.AsPartialObjectMetadata(accessor)
		copied.TypeMeta = into.TypeMeta
		*into = *copied
	case *unstructured.Unstructured:
		u, ok := found.(*unstructured.Unstructured)
		if !ok {
			panic(fmt.Sprintf("a %T is read as unstructured", found))
		}
		into.Object = u.Object
	default:
		reflect.ValueOf(into).Elem().Set(reflect.ValueOf(found).Elem())
	}
}

func resourceOf(gk schema.GroupKind) schema.GroupResource {
	return schema.GroupResource{Group: gk.Group, Resource: gk.Kind}
}

func notFound(gk schema.GroupKind, name string) error {
	return apierrors.NewNotFound(resourceOf(gk), name)
}

func conflict(gk schema.GroupKind, name, why string) error {
	return apierrors.NewConflict(resourceOf(gk), name, errors.New(why))
}
