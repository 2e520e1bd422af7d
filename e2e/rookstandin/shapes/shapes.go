// Package shapes tells what Rook's objects look like, release by release (1.11 to 1.20): each is a template of YAML beside this
// file, and what differs between releases or settings is told where it differs.
//
// That they are right is judged by what real operators were recorded to write: e2e/rookstandin/testdata/recordings.
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

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

//go:embed daemons.yaml objects.yaml install.yaml kinds.yaml kubelet.yaml
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

// Make returns an object of the shape; what is about no one cluster needs none. The templates are part of the program, so that
// what is wrong with one fails in every test or in none: it panics.
func Make[T any, P Object[T]](c *Cluster, shape string, v Values) P {
	return makeAnd(c, shape, v, "", func(P) {})
}

// MakeBare returns a Deployment of the shape with its containers, their commands, arguments and environments, and without what is
// only for a kubelet: a model has none, and most of what is written to it would be that.
func MakeBare(c *Cluster, shape string, v Values) *appsv1.Deployment {
	return makeAnd(c, shape, v, "bare ", func(d *appsv1.Deployment) {
		pod := &d.Spec.Template.Spec
		pod.Volumes, pod.Affinity, pod.Tolerations, pod.SecurityContext = nil, nil, nil, nil
		for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
			for i, c := range containers {
				containers[i] = corev1.Container{Name: c.Name, Image: c.Image, Command: c.Command, Args: c.Args, EnvFrom: c.EnvFrom, Env: c.Env}
			}
		}
	})
}

// makeAnd makes an object and finishes it, for which a name stands.
func makeAnd[T any, P Object[T]](c *Cluster, shape string, v Values, finished string, finish func(P)) P {
	o := P(new(T))
	remembered(keyOf(c, shape, v, finished), func() P {
		made := P(new(T))
		if err := yaml.UnmarshalStrict([]byte(write(c, shape, v)), made); err != nil {
			panic(fmt.Sprintf("make a %s: %v", shape, err))
		}
		finish(made)
		return made
	}).DeepCopyInto(o)
	return o
}

// Text returns the shape as a text.
func Text(c *Cluster, shape string, v Values) string {
	return remembered(keyOf(c, shape, v, "text"), func() string { return write(c, shape, v) })
}

type key struct{ cluster, shape, values, finished string }

func keyOf(c *Cluster, shape string, v Values, finished string) key {
	if c == nil {
		c = &Cluster{}
	}
	return key{c.key, shape, string(must(json.Marshal(v))), finished}
}

// must panics as Make does: what is wrong with what we make is so in every test or in none.
func must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}

func write(c *Cluster, shape string, v Values) string {
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

// memory holds some thousand results, by what they were made of: Rook makes the same again in every reconcile.
var memory = struct {
	sync.Mutex
	kept map[any]any
}{kept: map[any]any{}}

func remembered[T any](key any, compute func() T) T {
	memory.Lock()
	result, ok := memory.kept[key].(T)
	memory.Unlock()
	if ok {
		return result
	}
	// Twice at worst, rather than one after the other.
	result = compute()
	memory.Lock()
	defer memory.Unlock()
	if len(memory.kept) > 32768 {
		clear(memory.kept)
	}
	memory.kept[key] = result
	return result
}
