package rookstandin

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
)

// now is the time that the operator has: a model has one of its own, which its waits move.
func (o *Operator) now() time.Time {
	if o.alone {
		return time.Unix(0, 0).Add(o.waited)
	}
	return time.Now()
}

func (o *Operator) sleep(ctx context.Context, d time.Duration) error {
	if o.alone {
		o.waited += d
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// Model is the Operator without a goroutine and without waiting, for stories that are told by their seed: whoever holds it
// decides what happens next, and the same decisions have the same end. It writes by the code of the Operator, so
// in the same order.
type Model struct {
	operator *Operator
	// pauses are those of failures; there are none where the last reconcile succeeded.
	pauses *wait.Backoff
}

// NewModel returns a model. It needs a Client, and assumes pods.
func NewModel(ctx context.Context, options Options) (*Model, error) {
	if options.Ceph == nil {
		options.Ceph = ceph.New()
	}
	daemons := ceph.NewStarter(options.Client, options.Ceph)
	var wakers *triggers
	see := func(event watch.EventType, o client.Object, err error) error {
		if err == nil {
			daemons.See(ctx, event, o)
			wakers.see(ctx, event, o)
		}
		return err
	}
	options.Client = interceptor.NewClient(options.Client, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
			return see(watch.Added, o, c.Create(ctx, o, options...))
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.UpdateOption) error {
			return see(watch.Modified, o, c.Update(ctx, o, options...))
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.DeleteOption) error {
			// What is deleted is often named alone.
			stored, _ := o.DeepCopyObject().(client.Object)
			if c.Get(ctx, client.ObjectKeyFromObject(o), stored) != nil {
				return c.Delete(ctx, o, options...)
			}
			return see(watch.Deleted, stored, c.Delete(ctx, o, options...))
		},
	})
	o, err := newOperator(options)
	if err != nil {
		return nil, err
	}
	o.alone = true
	wakers = &triggers{o, map[string]any{}}
	o.restart(ctx)
	return &Model{operator: o}, nil
}

// Client writes as everybody else does: the model sees at once what is written by it.
func (m *Model) Client() client.WithWatch { return m.operator.options.Client }

// Operator returns the operator, to ask for its journal and its memory.
func (m *Model) Operator() *Operator { return m.operator }

// Elapsed returns how long the operator has waited in all.
func (m *Model) Elapsed() time.Duration { return m.operator.waited }

// Wanted says whether something wants a reconcile: what was written, or a failure.
func (m *Model) Wanted() bool { return len(m.operator.trigger) > 0 || m.pauses != nil }

// Reconcile is one reconcile, after the wait that follows a failure.
func (m *Model) Reconcile(ctx context.Context) error {
	m.operator.waited += m.pauses.Step()
	select {
	case <-m.operator.trigger:
	default:
	}
	err := m.operator.reconcile(ctx)
	if err == nil {
		m.pauses = nil
	} else if m.pauses == nil {
		m.pauses = m.operator.backoff()
	}
	return err
}

// CheckHealth is one look at the mons, after the wait that goes before it.
func (m *Model) CheckHealth(ctx context.Context) error {
	m.operator.waited += m.operator.options.Timing.HealthInterval
	return m.operator.checkMonHealth(ctx)
}
