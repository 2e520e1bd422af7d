package view

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
)

// lagging is an API server that says each time that it does not know what its etcd has already, and lists all the same.
type lagging struct{ streams, lists atomic.Int64 }

func (l *lagging) list(context.Context, metav1.ListOptions) (runtime.Object, error) {
	l.lists.Add(1)
	return &corev1.NamespaceList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}, Items: []corev1.Namespace{{ObjectMeta: metav1.ObjectMeta{Name: "rook-ceph"}}}}, nil
}

func (l *lagging) watch(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
	if options.SendInitialEvents == nil {
		return watch.NewFake(), nil
	}
	l.streams.Add(1)
	status := apierrors.NewTimeoutError("Too large resource version: 9, current: 7", 1).ErrStatus
	status.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version"}}
	refusing := watch.NewFakeWithChanSize(1, false)
	refusing.Error(&status)
	return refusing, nil
}

func TestWhatAnAPIServerIsTooSlowToStreamIsListed(t *testing.T) {
	for name, newInformer := range map[string]func(toolscache.ListerWatcher, runtime.Object, time.Duration, toolscache.Indexers) toolscache.SharedIndexInformer{
		"by the cache of all kinds": Options(nil, "rook-clusterset").NewInformer, "by that of what was prepared": PreparedOptions().NewInformer,
	} {
		t.Run(name, func(t *testing.T) {
			server := &lagging{}
			informer := newInformer(&toolscache.ListWatch{ListWithContextFunc: server.list, WatchFuncWithContext: server.watch}, &corev1.Namespace{}, 0, nil)
			go informer.RunWithContext(t.Context())
			require.Eventually(t, informer.HasSynced, 10*time.Second, 10*time.Millisecond)
			require.Equal(t, []string{"rook-ceph"}, informer.GetStore().ListKeys())
			require.EqualValues(t, streams, server.streams.Load(), "a stream, which takes less memory, is asked for first")
			require.EqualValues(t, 1, server.lists.Load())
		})
	}
}
