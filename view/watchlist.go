package view

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
)

// An API server that lags behind its etcd gives up a stream of all objects as they are now after 3 s (k8s.io/apiserver
// storage/cacher blockTimeout), and client-go asks the same again without an end. So a second stream is asked for of the objects as
// the API server has them, which waits for nothing, and what comes after is watched. That is what a list at resource version 0 is,
// with which informers used to begin, and takes less memory.
const (
	asTheyAreNow = 1
	streams      = 2
)

// errListInstead has client-go list, for whatever reason there are no streams.
var errListInstead = errors.New("the API server streams no objects, so that they are listed")

// newInformer makes an informer that does not wait for an API server that lags behind.
func newInformer(lw toolscache.ListerWatcher, object runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
	both := toolscache.ToListerWatcherWithContext(lw)
	asked := 0
	return toolscache.NewSharedIndexInformer(&toolscache.ListWatch{
		ListWithContextFunc: both.ListWithContext,
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			if options.SendInitialEvents == nil || !*options.SendInitialEvents {
				asked = 0
				return both.WatchWithContext(ctx, options)
			}
			switch asked++; {
			case asked > streams:
				asked = 0
				return nil, errListInstead
			case asked > asTheyAreNow:
				options.ResourceVersion = "0"
			}
			return both.WatchWithContext(ctx, options)
		},
	}, object, resync, indexers)
}
