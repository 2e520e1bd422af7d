package webhook

import (
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// signals wakes whoever waits in a namespace when something there changes. What changed is for the waiter to read:
// a signal carries nothing, so that none can be missed between a read and the wait that follows it.
type signals struct {
	mu      sync.Mutex
	changed map[string]chan struct{}
}

func newSignals() *signals {
	return &signals{changed: map[string]chan struct{}{}}
}

// next returns a channel that is closed at the next change in the namespace. It must be asked for before the facts are
// read: a change in between then ends the wait at once.
func (s *signals) next(namespace string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.changed[namespace]
	if !ok {
		c = make(chan struct{})
		s.changed[namespace] = c
	}
	return c
}

// everywhere stands for all namespaces.
const everywhere = ""

// wake ends the wait of all who wait in the namespace, or everywhere.
func (s *signals) wake(namespace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if namespace == everywhere {
		for _, c := range s.changed {
			close(c)
		}
		clear(s.changed)
		return
	}
	if c, ok := s.changed[namespace]; ok {
		close(c)
		delete(s.changed, namespace)
	}
}

// observe returns an event handler that turns every change an informer sees into a signal, in the namespace that the object
// concerns. An informer calls its handlers after it has stored the change, so who wakes reads it.
func (s *signals) observe(concerned func(metav1.Object) string) cache.ResourceEventHandler {
	wake := func(obj any) {
		if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = gone.Obj
		}
		if object, err := meta.Accessor(obj); err == nil {
			s.wake(concerned(object))
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    wake,
		UpdateFunc: func(_, obj any) { wake(obj) },
		DeleteFunc: wake,
	}
}
