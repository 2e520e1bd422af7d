package recall

import (
	"context"
	"sync"
)

// Term says whether this replica leads now. What only a leader may do is bound to its term; when that ends, so does what is
// under way, and all that was remembered is of no worth: another replica leads meanwhile.
type Term struct {
	mu sync.Mutex
	//nolint:containedctx // A term is a context: what begins in it ends with it.
	term  context.Context
	first chan struct{}
	begun []func()
}

// NewTerm returns a Term that has not begun.
func NewTerm() *Term { return &Term{first: make(chan struct{})} }

// Begin begins a term, which ends with the context. Terms do not overlap.
func (t *Term) Begin(ctx context.Context) {
	t.mu.Lock()
	again := t.term != nil
	t.term = ctx
	if !again {
		close(t.first)
	}
	begun := t.begun
	t.mu.Unlock()
	if again {
		for _, f := range begun {
			f()
		}
	}
}

// OnBegin has f called whenever a term begins, but for the first.
func (t *Term) OnBegin(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun = append(t.begun, f)
}

// First is closed when the first term begins.
func (t *Term) First() <-chan struct{} { return t.first }

// Bind returns a context that ends with the term as well, and whether there is one. The caller has to call end.
func (t *Term) Bind(ctx context.Context) (bound context.Context, end context.CancelFunc, leads bool) {
	t.mu.Lock()
	term := t.term
	t.mu.Unlock()
	bound, cancel := context.WithCancel(ctx)
	if term == nil || term.Err() != nil {
		return bound, cancel, false
	}
	stop := context.AfterFunc(term, cancel)
	return bound, func() { stop(); cancel() }, true
}
