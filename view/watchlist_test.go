package view

import (
	"context"
	"fmt"
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

// lagging is an API server that does not know what its etcd has already, and streams what it has, if it streams at all.
type lagging struct {
	streams             bool
	asked, stale, lists atomic.Int64
}

func (l *lagging) list(context.Context, metav1.ListOptions) (runtime.Object, error) {
	l.lists.Add(1)
	return &corev1.NamespaceList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}, Items: []corev1.Namespace{known("rook-ceph")}}, nil
}

func (l *lagging) watch(_ context.Context, options metav1.ListOptions) (watch.Interface, error) {
	if options.SendInitialEvents == nil {
		return watch.NewFake(), nil
	}
	l.asked.Add(1)
	if options.ResourceVersion == "0" {
		l.stale.Add(1)
		if l.streams {
			streaming := watch.NewFakeWithChanSize(2, false)
			one, end := known("rook-ceph"), known("")
			end.ResourceVersion, end.Annotations = "7", map[string]string{metav1.InitialEventsAnnotationKey: "true"}
			streaming.Add(&one)
			streaming.Action(watch.Bookmark, &end)
			return streaming, nil
		}
	}
	status := apierrors.NewTimeoutError("Too large resource version: 9, current: 7", 1).ErrStatus
	status.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version"}}
	refusing := watch.NewFakeWithChanSize(1, false)
	refusing.Error(&status)
	return refusing, nil
}

func known(name string) corev1.Namespace {
	return corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, ResourceVersion: "6"}}
}

func TestAnAPIServerThatLagsBehindIsNotWaitedFor(t *testing.T) {
	for name, newInformer := range map[string]func(toolscache.ListerWatcher, runtime.Object, time.Duration, toolscache.Indexers) toolscache.SharedIndexInformer{
		"by the cache of all kinds": Options(nil, "rook-clusterset").NewInformer, "by that of what was prepared": PreparedOptions().NewInformer,
	} {
		for streams, wantLists := range map[bool]int64{true: 0, false: 1} {
			t.Run(fmt.Sprintf("%s, of one that streams: %t", name, streams), func(t *testing.T) {
				server := &lagging{streams: streams}
				informer := newInformer(&toolscache.ListWatch{ListWithContextFunc: server.list, WatchFuncWithContext: server.watch}, &corev1.Namespace{}, 0, nil)
				go informer.RunWithContext(t.Context())
				require.Eventually(t, informer.HasSynced, 10*time.Second, 10*time.Millisecond)
				require.Equal(t, []string{"rook-ceph"}, informer.GetStore().ListKeys())
				require.EqualValues(t, 2, server.asked.Load(), "the objects as they are now are asked for first")
				require.EqualValues(t, 1, server.stale.Load())
				require.Equal(t, wantLists, server.lists.Load(), "a stream takes less memory")
			})
		}
	}
}
