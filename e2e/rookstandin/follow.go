package rookstandin

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// follower sees every stored state of the objects of a list, one by one and in order: unlike an informer it never
// leaves out a state that was soon overwritten.
type follower struct {
	client  client.WithWatch
	newList func() client.ObjectList
	options []client.ListOption
	watch   watch.Interface
	first   []client.Object
	last    string
	seen    map[types.NamespacedName]uint64
}

// follow starts to follow; what is stored at that time is seen first.
func follow(ctx context.Context, c client.WithWatch, newList func() client.ObjectList, options ...client.ListOption) (*follower, error) {
	f := &follower{client: c, newList: newList, options: options, seen: map[types.NamespacedName]uint64{}}
	// The watch comes before the list, so that nothing falls between the two.
	if err := f.open(ctx); err != nil {
		return nil, err
	}
	list := newList()
	if err := c.List(ctx, list, options...); err != nil {
		f.watch.Stop()
		return nil, fmt.Errorf("list %T: %w", list, err)
	}
	err := meta.EachListItem(list, func(o runtime.Object) error {
		f.first = append(f.first, o.(client.Object))
		return nil
	})
	return f, err
}

func (f *follower) open(ctx context.Context) error {
	list := f.newList()
	options := f.options
	if f.last != "" {
		options = append(slices.Clip(options),
			&client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: f.last}})
	}
	w, err := f.client.Watch(ctx, list, options...)
	if err != nil {
		return fmt.Errorf("watch %T: %w", list, err)
	}
	f.watch = w
	return nil
}

// run calls each for every state until the context ends.
func (f *follower) run(ctx context.Context, each func(watch.EventType, client.Object)) {
	for _, o := range f.first {
		f.pass(watch.Added, o, each)
	}
	f.first = nil
	for {
		if f.drain(ctx, each) {
			return
		}
		// The API server ends a watch now and then, or has forgotten the version that was seen last.
		for f.open(ctx) != nil {
			f.last = ""
			if sleep(ctx, retryWatch) != nil {
				return
			}
		}
	}
}

// drain returns true when the context has ended.
func (f *follower) drain(ctx context.Context, each func(watch.EventType, client.Object)) bool {
	defer f.watch.Stop()
	for {
		select {
		case <-ctx.Done():
			return true
		case e, ok := <-f.watch.ResultChan():
			if !ok {
				return ctx.Err() != nil
			}
			if e.Type == watch.Error {
				f.last = ""
				return ctx.Err() != nil
			}
			if o, ok := e.Object.(client.Object); ok {
				f.last = o.GetResourceVersion()
				if e.Type != watch.Bookmark {
					f.pass(e.Type, o, each)
				}
			}
		}
	}
}

// pass leaves out what was seen before.
func (f *follower) pass(event watch.EventType, o client.Object, each func(watch.EventType, client.Object)) {
	key := client.ObjectKeyFromObject(o)
	revision := revisionOf(o)
	if event != watch.Deleted && revision <= f.seen[key] {
		return
	}
	f.seen[key] = revision
	if event == watch.Deleted {
		delete(f.seen, key)
	}
	each(event, o)
}

// revisionOf returns the version of the object as the number that it is in etcd, where one counter serves all kinds.
func revisionOf(o client.Object) uint64 {
	revision, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0
	}
	return revision
}
