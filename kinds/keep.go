package kinds

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// KeepFields returns a function that keeps of an object the fields at the paths, and of its metadata what KeepIdentity
// keeps.
func KeepFields(paths ...[]string) func(*unstructured.Unstructured) *unstructured.Unstructured {
	return func(object *unstructured.Unstructured) *unstructured.Unstructured {
		kept := KeepIdentity(object)
		for _, path := range paths {
			CopyField(kept, object, path...)
		}
		return kept
	}
}

// KeepIdentity returns an object that has of the other its kind and what tells this very object, in its very state, from
// any other.
func KeepIdentity(object *unstructured.Unstructured) *unstructured.Unstructured {
	kept := Object(object.GroupVersionKind())
	CopyIdentity(kept, object)
	return kept
}

// CopyIdentity gives an object the name, UID and version of another, and whether it is being deleted.
func CopyIdentity(to, from metav1.Object) {
	to.SetNamespace(from.GetNamespace())
	to.SetName(from.GetName())
	to.SetUID(from.GetUID())
	to.SetResourceVersion(from.GetResourceVersion())
	to.SetGeneration(from.GetGeneration())
	if deleted := from.GetDeletionTimestamp(); deleted != nil {
		to.SetDeletionTimestamp(deleted)
	}
}

// CopyField gives an object the field of another at the path, where that has one. The two share it then.
func CopyField(to, from *unstructured.Unstructured, path ...string) {
	value, found, err := unstructured.NestedFieldNoCopy(from.Object, path...)
	if err != nil || !found {
		return
	}
	parent := to.Object
	for _, key := range path[:len(path)-1] {
		child, ok := parent[key].(map[string]any)
		if !ok {
			child = map[string]any{}
			parent[key] = child
		}
		parent = child
	}
	parent[path[len(path)-1]] = value
}

const (
	// mostText is how long a text is that is kept, and mostEntries how many entries of a list or a map are: no object of these
	// kinds has more, and every replica keeps what anybody may write.
	mostText    = 4 << 10
	mostEntries = 64
)

// Bound cuts what is absurd out of an object, and returns it.
func Bound(object *unstructured.Unstructured) *unstructured.Unstructured {
	bound(object.Object)
	return object
}

// bound cuts inside of a value, and returns what is left of it; a text that is too long says nothing.
func bound(value any) any {
	switch v := value.(type) {
	case string:
		if len(v) > mostText {
			return ""
		}
	case []any:
		v = slices.Clone(v[:min(len(v), mostEntries)])
		for i := range v {
			v[i] = bound(v[i])
		}
		return v
	case map[string]any:
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i >= mostEntries || len(key) > mostText {
				delete(v, key)
				continue
			}
			v[key] = bound(v[key])
		}
	}
	return value
}
