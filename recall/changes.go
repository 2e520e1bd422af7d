package recall

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Changes numbers what the sources that are objects saw change: of the Service that each change was about, and of all. A
// question that was answered in vain is put again when the number is another.
type Changes struct {
	mu   sync.Mutex
	last int
	of   map[types.NamespacedName]int
	all  int
	// forgotten is the number for a Service of which no other is known.
	forgotten int
}

// mostServices is how many Services are told apart, far more than there are daemons. Whoever may make objects of a source
// anywhere can give them ever new names.
const mostServices = 1 << 15

// Add numbers a change that is about one Service.
func (c *Changes) Add(service types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[types.NamespacedName]int{}
	}
	if _, known := c.of[service]; !known && len(c.of) >= mostServices {
		// To ask once in vain is better than not to ask.
		clear(c.of)
		c.forgotten = c.last
	}
	c.last++
	c.of[service] = c.last
}

// AddForAll numbers a change that can be about any Service.
func (c *Changes) AddForAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.all = c.last
}

// About returns the number of the last change that can be about a Service; zero stands for none.
func (c *Changes) About(namespace, name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	of, known := c.of[types.NamespacedName{Namespace: namespace, Name: name}]
	if !known {
		of = c.forgotten
	}
	return max(of, c.all)
}

// AboutAll returns the number of the last change that can be about any Service; zero stands for none.
func (c *Changes) AboutAll() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}
