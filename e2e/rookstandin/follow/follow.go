// Package follow sees every stored state of the objects of a list, one by one and in order: unlike an informer it never leaves out a
// state that was soon overwritten.
package follow

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const retry = 100 * time.Millisecond

// See is called with each state, by the context of the start; what was deleted comes as it was last.
type See func(ctx context.Context, event watch.EventType, o client.Object)

type follower struct {
	client client.WithWatch
	// list is what was stored at the start.
	list    client.ObjectList
	options []client.ListOption
	each    See
	watch   watch.Interface
	last    string
	seen    map[types.NamespacedName]uint64
}

// Start begins to follow what such a list holds, and returns what sees to it until the context ends. What is stored at that time
// is seen first.
func Start(ctx context.Context, c client.WithWatch, list client.ObjectList, each See, options ...client.ListOption) (func(), error) {
	f := &follower{client: c, list: list, options: options, each: each, seen: map[types.NamespacedName]uint64{}}
	// The watch comes before the list, so that nothing falls between the two.
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	if err := c.List(ctx, list, options...); err != nil {
		f.watch.Stop()
		return nil, fmt.Errorf("list %T: %w", list, err)
	}
	return func() { f.run(ctx) }, nil
}

func (f *follower) open(ctx context.Context) error {
	options := f.options
	if f.last != "" {
		options = append(slices.Clip(options), &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: f.last}})
	}
	w, err := f.client.Watch(ctx, f.list, options...)
	if err != nil {
		return fmt.Errorf("watch %T: %w", f.list, err)
	}
	f.watch = w
	return nil
}

func (f *follower) run(ctx context.Context) {
	_ = meta.EachListItem(f.list, func(o runtime.Object) error {
		f.pass(ctx, watch.Added, o)
		return nil
	})
	for f.drain(ctx); ctx.Err() == nil; f.drain(ctx) {
		// The API server ends a watch now and then, or has forgotten the version that was seen last.
		for f.open(ctx) != nil {
			f.last = ""
			select {
			case <-ctx.Done():
				return
			case <-time.After(retry):
			}
		}
	}
}

// drain passes what is seen until the watch or the context ends.
func (f *follower) drain(ctx context.Context) {
	defer f.watch.Stop()
	defer context.AfterFunc(ctx, f.watch.Stop)()
	for e := range f.watch.ResultChan() {
		if e.Type == watch.Error {
			f.last = ""
			return
		}
		f.pass(ctx, e.Type, e.Object)
	}
}

// pass leaves out what was seen before.
func (f *follower) pass(ctx context.Context, event watch.EventType, seen runtime.Object) {
	o := seen.(client.Object)
	f.last = o.GetResourceVersion()
	key, revision := client.ObjectKeyFromObject(o), RevisionOf(o)
	switch {
	case event == watch.Bookmark:
		return
	case event == watch.Deleted:
		delete(f.seen, key)
	case revision <= f.seen[key]:
		return
	default:
		f.seen[key] = revision
	}
	f.each(ctx, event, o)
}

// RevisionOf returns the version of the object as the number that it is in etcd, where one counter serves all kinds.
func RevisionOf(o client.Object) uint64 {
	revision, _ := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	return revision
}
