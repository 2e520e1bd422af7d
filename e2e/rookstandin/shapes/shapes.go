package shapes

import (
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"text/template"

	"sigs.k8s.io/yaml"
)

//go:embed daemons.yaml objects.yaml install.yaml kinds.yaml
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"list":   func(items ...any) []any { return items },
	"quote":  quote,
	"json":   quote,
	"dashed": func(name string) string { return strings.ReplaceAll(name, ".", "-") },
	"base64": func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
}).ParseFS(files, "*.yaml"))

func quote(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// Values are what a shape is made with beside the cluster, under the names that the template has for them.
type Values map[string]any

// Object is a kind of object that shapes are made of.
type Object[T any] interface {
	*T
	DeepCopyInto(into *T)
}

// Make returns an object of the shape; what is about no one cluster needs none. The templates are part of the program, so that what is wrong with one fails in every test
// or in none: it panics.
func Make[T any, P Object[T]](c *Cluster, shape string, v Values) P {
	return makeAnd(c, shape, v, "", func(P) {})
}

// makeAnd makes an object and finishes it, for which a name stands.
func makeAnd[T any, P Object[T]](c *Cluster, shape string, v Values, finished string, finish func(P)) P {
	given, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("make a %s: %v", shape, err))
	}
	key := finished + shape + "\n" + string(given)
	if c != nil {
		key += c.key
	}
	object := made.get(key, func() any {
		o := P(new(T))
		if err := yaml.UnmarshalStrict([]byte(Text(c, shape, v)), o); err != nil {
			panic(fmt.Sprintf("make a %s: %v", shape, err))
		}
		finish(o)
		return o
	}).(P)
	o := P(new(T))
	object.DeepCopyInto(o)
	return o
}

// Text returns the shape as a text.
func Text(c *Cluster, shape string, v Values) string {
	all := maps.Clone(v)
	if all == nil {
		all = Values{}
	}
	all["c"] = c
	var text strings.Builder
	if err := templates.ExecuteTemplate(&text, shape, all); err != nil {
		panic(fmt.Sprintf("write a %s: %v", shape, err))
	}
	return text.String()
}

// made holds what was made, by what it was made of: Rook makes the same again in every reconcile.
var made memo

// memo remembers some thousand results.
type memo struct {
	mu   sync.Mutex
	kept map[string]any
}

func (m *memo) get(key string, compute func() any) any {
	m.mu.Lock()
	result, ok := m.kept[key]
	m.mu.Unlock()
	if ok {
		return result
	}
	// Twice at worst, rather than one after the other.
	result = compute()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil || len(m.kept) > 16384 {
		m.kept = map[string]any{}
	}
	m.kept[key] = result
	return result
}
