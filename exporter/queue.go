package exporter

import (
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// queue lets a mon, and what daemons of a namespace share, go before the OSDs that wait: a cluster comes up by its first mon, and
// somebody who has hundreds of OSDs born in one namespace must not keep that of another waiting behind their turns.
type queue struct {
	priorityqueue.PriorityQueue[target]
}

func newQueue(name string, limiter workqueue.TypedRateLimiter[target]) workqueue.TypedRateLimitingInterface[target] {
	return queue{priorityqueue.New(name, func(o *priorityqueue.Opts[target]) { o.RateLimiter = limiter })}
}

const first = 1

// Add implements workqueue.TypedInterface.
func (q queue) Add(to target) { q.AddWithOpts(priorityqueue.AddOpts{}, to) }

// AddWithOpts implements priorityqueue.PriorityQueue. What is found at the start goes behind what changes, as the library has it.
func (q queue) AddWithOpts(opts priorityqueue.AddOpts, targets ...target) {
	for _, to := range targets {
		wanted := opts
		if kind, _, ok := rook.ParseName(to.Daemon); !ok || kind.StandsInList() {
			wanted.Priority = new(first)
			if opts.Priority != nil && *opts.Priority < 0 {
				wanted.Priority = new(handler.LowPriority + first)
			}
		}
		q.PriorityQueue.AddWithOpts(wanted, to)
	}
}
