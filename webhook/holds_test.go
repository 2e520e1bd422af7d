package webhook

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// answered is an answer and when it came, after the request.
type answered struct {
	response admission.Response
	after    time.Duration
}

// hold lets a request be answered while the test goes on.
func (s *stage) hold(ctx context.Context, path string, req admission.Request) <-chan answered {
	answer := make(chan answered, 1)
	go func() {
		began := time.Now()
		response := s.handle(ctx, path, req)
		answer <- answered{response: response, after: time.Since(began)}
	}()
	return answer
}

func (s *stage) heldNow() float64 { return testutil.ToFloat64(s.metrics.held) }

func TestAHeldRequestIsAnsweredWithin100msOfTheChange(t *testing.T) {
	const requests = 10
	w := newWorld()
	s := newStage(t, w, Options{Hold: longHold, MaxHeld: requests * namespaceShare})
	w.exports["rook-ceph-osd-3"] = waiting()
	held := make([]<-chan answered, requests)
	for i := range held {
		held[i] = s.hold(t.Context(), DeploymentPath, creation(t, osd("3")))
	}
	require.Eventually(t, func() bool { return s.heldNow() == requests }, 10*time.Second, time.Millisecond)

	informer := s.changes.observe(metav1.Object.GetNamespace)
	w.change(func(w *world) { w.exports["rook-ceph-osd-3"] = ready("242.1.255.9") })
	changed := time.Now()
	informer.OnUpdate(osd("3"), osd("3"))
	for _, answer := range held {
		require.Equal(t, reason.Rewritten, reasonOf((<-answer).response))
	}
	took := time.Since(changed)
	t.Logf("%d held requests were answered %s after the change", requests, took)
	require.Less(t, took, 100*time.Millisecond)
	require.Zero(t, s.heldNow())
}

func TestWhatEndsAHold(t *testing.T) {
	const limit = 20 * time.Second
	ready := func(w *world) { w.exports["rook-ceph-osd-3"] = ready("242.1.255.9") }
	for name, tc := range map[string]struct {
		// happens is what happens after five seconds.
		happens func(*stage, context.CancelFunc)
		after   time.Duration
		reason  reason.Code
		code    int32
		retry   bool
	}{
		"a change that brings the address": {
			happens: func(s *stage, _ context.CancelFunc) {
				s.change(ready)
				s.changes.wake(rookNamespace)
			},
			after: 5 * time.Second, reason: reason.Rewritten, code: http.StatusOK,
		},
		"a change that brings nothing does not": {
			happens: func(s *stage, _ context.CancelFunc) { s.changes.wake(rookNamespace) },
			after:   limit, reason: reason.ExportNotValid, code: http.StatusForbidden,
		},
		"nor does a change elsewhere": {
			happens: func(s *stage, _ context.CancelFunc) {
				s.change(ready)
				s.changes.wake("another-namespace")
			},
			// At the end the facts are read once more.
			after: limit, reason: reason.Rewritten, code: http.StatusOK,
		},
		"the longest wait that is allowed": {
			happens: func(*stage, context.CancelFunc) {},
			after:   limit, reason: reason.ExportNotValid, code: http.StatusForbidden,
		},
		"a client that goes away": {
			happens: func(_ *stage, cancel context.CancelFunc) { cancel() },
			after:   5 * time.Second, reason: reason.ClientGone, code: http.StatusForbidden,
		},
		"a manager that stops": {
			happens: func(s *stage, _ context.CancelFunc) { s.holds.stop() },
			after:   5 * time.Second, reason: reason.ShuttingDown, code: http.StatusServiceUnavailable, retry: true,
		},
		"a cache that fails": {
			happens: func(s *stage, _ context.CancelFunc) {
				s.change(func(w *world) { w.unreadable = errCacheNotReady })
				s.changes.wake(rookNamespace)
			},
			after: 5 * time.Second, reason: reason.InternalFault, code: http.StatusForbidden,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				w.exports["rook-ceph-osd-3"] = waiting()
				s := newStage(t, w, Options{Hold: limit, MaxHeld: 1})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				answer := s.hold(ctx, DeploymentPath, creation(t, osd("3")))
				time.Sleep(5 * time.Second)
				require.InDelta(t, 1, s.heldNow(), 0)
				tc.happens(s, cancel)
				got := <-answer
				require.Equal(t, tc.after, got.after)
				require.Equal(t, tc.reason, reasonOf(got.response))
				require.Equal(t, tc.code, got.response.Result.Code)
				require.Equal(t, tc.retry, got.response.Result.Details != nil && got.response.Result.Details.RetryAfterSeconds > 0)
				require.Zero(t, s.heldNow())
				require.Equal(t, 1, testutil.CollectAndCount(s.metrics.holdSeconds))
				require.Empty(t, w.ensured, "an export that is there needs nothing")
			})
		})
	}
}

func TestTheMonEndpointsOfANewMonAreHeldToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.mons["a"] = unborn(waiting(), "10.96.0.1")
		s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
		answer := s.hold(t.Context(), MonEndpointsPath, creation(t, monEndpointsOf("a=10.96.0.1:6789")))
		time.Sleep(time.Second)
		w.change(func(w *world) { w.mons["a"] = unborn(ready("242.1.255.1"), "10.96.0.1") })
		s.changes.wake(rookNamespace)
		got := <-answer
		require.Equal(t, time.Second, got.after)
		require.Equal(t, reason.FirstMonStored, reasonOf(got.response))
		require.Len(t, w.stored, 1)
	})
}

func TestAFailedExportIsTriedAgainAtTheNextChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.unwritable = reason.Errorf(reason.NoServiceExportKind, "rook-ceph/rook-ceph-osd-3")
		s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
		answer := s.hold(t.Context(), DeploymentPath, creation(t, osd("3")))
		for range 2 {
			synctest.Wait()
			w.change(func(w *world) { w.unwritable = nil })
			s.changes.wake(rookNamespace)
		}
		synctest.Wait()
		require.Len(t, w.ensured, 2)
		got := <-answer
		require.Equal(t, reason.ExportMissing, reasonOf(got.response))
	})
}

func TestNoMoreThanTheShareOfANamespaceWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := newStage(t, w, Options{Hold: time.Second, MaxHeld: 2 * namespaceShare})
		first := []<-chan answered{
			s.hold(t.Context(), DeploymentPath, creation(t, osd("1"))),
			s.hold(t.Context(), DeploymentPath, creation(t, osd("2"))),
		}
		synctest.Wait()
		third := <-s.hold(t.Context(), DeploymentPath, creation(t, osd("3")))
		require.Zero(t, third.after)
		require.Equal(t, reason.HoldShareTaken, reasonOf(third.response))
		require.Contains(t, third.response.Result.Message, "too many requests of its namespace are waiting")
		require.Equal(t, int32(10), third.response.Result.Details.RetryAfterSeconds)
		require.Len(t, w.ensured, 2, "nothing is exported for who may not wait")

		// Those that need not wait are answered meanwhile, and there is room again when the first two have gone.
		require.True(t, (<-s.hold(t.Context(), DeploymentPath, update(t, osd("3"), osd("3")))).response.Allowed)
		for _, answer := range first {
			require.Equal(t, reason.ExportMissing, reasonOf((<-answer).response))
		}
		fourth := <-s.hold(t.Context(), DeploymentPath, creation(t, osd("3")))
		require.Equal(t, time.Second, fourth.after)
	})
}

func TestAReplicaExportsSoManyOSDsAtOnceAndAMonBesideThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const osds = exportsAtOnce + 4
		w := newWorld()
		w.ensuring = time.Second
		s := newStage(t, w, Options{Hold: longHold, MaxHeld: 2 * osds * namespaceShare})
		ctx, leave := context.WithCancel(t.Context())
		var held []<-chan answered
		for id := range osds {
			held = append(held, s.hold(ctx, DeploymentPath, creation(t, osd(strconv.Itoa(id)))))
		}
		synctest.Wait()
		require.Len(t, w.exported(), exportsAtOnce)

		held = append(held, s.hold(ctx, DeploymentPath, creation(t, mon("a", "10.96.0.1"))))
		synctest.Wait()
		require.Len(t, w.exported(), exportsAtOnce+1)
		require.Contains(t, w.exported(), "rook-ceph-mon-a")

		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, w.exported(), osds+1, "the others have their turn as soon as one has ended")
		leave()
		for _, answer := range held {
			require.Equal(t, reason.ClientGone, reasonOf((<-answer).response))
		}
	})
}

func TestWhoHasNoTurnToBeExportedTriesAgainAtTheNextChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.ensuring = 2 * exportTurn
		s := newStage(t, w, Options{Hold: 2 * w.ensuring, MaxHeld: 2 * exportsAtOnce * namespaceShare})
		var held []<-chan answered
		for id := range exportsAtOnce + 1 {
			held = append(held, s.hold(t.Context(), DeploymentPath, creation(t, osd(strconv.Itoa(id)))))
		}
		time.Sleep(w.ensuring)
		synctest.Wait()
		require.Len(t, w.exported(), exportsAtOnce)
		require.InDelta(t, exportsAtOnce+1, s.heldNow(), 0, "it is not refused for that")
		s.changes.wake(rookNamespace)
		synctest.Wait()
		require.Len(t, w.exported(), exportsAtOnce+1)
		for _, answer := range held {
			require.Equal(t, reason.ExportMissing, reasonOf((<-answer).response))
		}
	})
}

func TestWhoFindsEveryPlaceTakenByOtherNamespacesComesAgainLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := newStage(t, w, Options{Hold: time.Second, MaxHeld: 1})
		elsewhere := place{namespace: "rook-elsewhere"}
		require.Empty(t, s.holds.enter(elsewhere))
		second := <-s.hold(t.Context(), DeploymentPath, creation(t, osd("3")))
		require.Zero(t, second.after)
		require.Equal(t, reason.HoldFull, reasonOf(second.response))
		require.Equal(t, int32(10), second.response.Result.Details.RetryAfterSeconds)
		require.Empty(t, w.ensured, "nothing is exported for who may not wait")

		s.holds.leave(elsewhere, time.Second)
		require.Equal(t, time.Second, (<-s.hold(t.Context(), DeploymentPath, creation(t, osd("3")))).after)
	})
}

func TestAStoppingManagerHoldsNothingButAnswersTheRest(t *testing.T) {
	w := newWorld()
	s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
	s.holds.stop()
	s.holds.stop()
	response := s.handle(t.Context(), DeploymentPath, creation(t, osd("3")))
	require.Equal(t, reason.ShuttingDown, reasonOf(response))
	require.Equal(t, metav1.StatusReasonServiceUnavailable, response.Result.Reason)

	w.exports["rook-ceph-osd-3"] = ready("242.1.255.9")
	require.Equal(t, reason.Rewritten, reasonOf(s.handle(t.Context(), DeploymentPath, creation(t, osd("3")))))
}

func TestTheDeadlineOfTheAPIServerEndsAHoldInTime(t *testing.T) {
	for query, wanted := range map[string]time.Duration{"?timeout=10s": 9 * time.Second, "?timeout=1s": 0, "?timeout=soon": 0, "": 0} {
		t.Run(query, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var left time.Duration
				handler := withDeadline(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if deadline, ok := r.Context().Deadline(); ok {
						left = time.Until(deadline)
					}
				}))
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, DeploymentPath+query, nil))
				require.Equal(t, wanted, left)
			})
		})
	}

	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.exports["rook-ceph-osd-3"] = waiting()
		s := newStage(t, w, Options{Hold: longHold, MaxHeld: 1})
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		got := <-s.hold(ctx, DeploymentPath, creation(t, osd("3")))
		require.Equal(t, 9*time.Second, got.after)
		require.Equal(t, reason.ExportNotValid, reasonOf(got.response))
	})
}

func TestAChangeWhileTheFactsAreReadEndsTheWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, newWorld(), Options{Hold: longHold, MaxHeld: 1})
		asked := 0
		held, err := s.holds.settle(t.Context(), place{namespace: rookNamespace}, false, func() {}, func(giveUp reason.Code) (bool, error) {
			require.Empty(t, giveUp)
			asked++
			if asked < 3 {
				s.changes.wake(rookNamespace)
			}
			return asked < 3, nil
		})
		require.NoError(t, err)
		require.Zero(t, held)
		require.Equal(t, 3, asked)
	})
}

func TestNoSignalIsLost(t *testing.T) {
	// Each waiter asks for its channel before it reads; whoever changes the value tells after it has changed it.
	s := newSignals()
	var mu sync.Mutex
	value := 0
	var waiters sync.WaitGroup
	for range 8 {
		waiters.Go(func() {
			for {
				changed := s.next(rookNamespace)
				mu.Lock()
				done := value == 1000
				mu.Unlock()
				if done {
					return
				}
				<-changed
			}
		})
	}
	for range 1000 {
		mu.Lock()
		value++
		mu.Unlock()
		s.wake(rookNamespace)
	}
	waiters.Wait()
}

func TestEveryEventOfAnInformerIsASignal(t *testing.T) {
	s := newSignals()
	informer := s.observe(metav1.Object.GetNamespace)
	object := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: rookNamespace}}
	for name, event := range map[string]func(){
		"addition":               func() { informer.OnAdd(object, false) },
		"update":                 func() { informer.OnUpdate(object, object) },
		"deletion":               func() { informer.OnDelete(object) },
		"deletion seen too late": func() { informer.OnDelete(toolscache.DeletedFinalStateUnknown{Key: "x", Obj: object}) },
	} {
		changed, elsewhere := s.next(rookNamespace), s.next("elsewhere")
		event()
		require.True(t, isClosed(changed), name)
		require.False(t, isClosed(elsewhere), name)
	}
	informer.OnDelete("no object at all")
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestMetricsAreSharedWithinAProcess(t *testing.T) {
	registry := prometheus.NewRegistry()
	first, err := newMetrics(registry)
	require.NoError(t, err)
	second, err := newMetrics(registry)
	require.NoError(t, err)
	first.held.Inc()
	require.InDelta(t, 1, testutil.ToFloat64(second.held), 0)

	families, err := registry.Gather()
	require.NoError(t, err)
	var names []string
	for _, family := range families {
		names = append(names, family.GetName())
	}
	first.admissions.WithLabelValues("deployment", "allowed", "rewritten").Inc()
	require.Equal(t, []string{"rook_clusterset_held_admissions", "rook_clusterset_hold_seconds"}, slices.Sorted(slices.Values(names)))

	taken := prometheus.NewRegistry()
	taken.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "rook_clusterset_held_admissions", Help: "something else"}))
	_, err = newMetrics(taken)
	require.Error(t, err)
}
