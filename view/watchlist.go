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

// streams is how many times in a row an informer asks for all objects as events before it lists them. An API server that lags
// behind its etcd gives each up after 3 s (k8s.io/apiserver storage/cacher blockTimeout), and client-go asks the same again
// without an end; a list is answered from etcd itself then. The stream is asked for first, for a list is large in memory.
const streams = 2

var errListInstead = errors.New("the API server does not catch up with its own watch, so the objects are listed")

// newInformer makes an informer that lists where an API server is too slow to stream.
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
			if asked++; asked > streams {
				asked = 0
				return nil, errListInstead
			}
			return both.WatchWithContext(ctx, options)
		},
	}, object, resync, indexers)
}
