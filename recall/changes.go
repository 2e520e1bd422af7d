package recall

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Changes counts what the sources that are objects saw change: of the Service that each change was about, and of all. A
// question that was answered in vain is put again when the count moves.
type Changes struct {
	mu  sync.Mutex
	of  map[types.NamespacedName]int
	all int
}

// Add counts a change that is about one Service.
func (c *Changes) Add(service types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[types.NamespacedName]int{}
	}
	c.of[service]++
}

// AddForAll counts a change that can be about any Service.
func (c *Changes) AddForAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all++
}

// About returns how many changes there were that can be about a Service.
func (c *Changes) About(namespace, name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[types.NamespacedName{Namespace: namespace, Name: name}] + c.all
}

// AboutAll returns how many changes there were that can be about any Service.
func (c *Changes) AboutAll() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}
