package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// store keeps each object as it was at every version, so that a cache can be as far behind as a story wants.
type store struct {
	mu      sync.Mutex
	version int64
	uids    int
	kinds   map[schema.GroupKind]*kindStore
	// texts are objects in JSON, of those that were asked for so.
	texts map[client.Object][]byte
}

// kindStore has the objects of one kind, in the order of their names, and what changed of them in the order of time.
type kindStore struct {
	histories []*history
	changes   []change
}

type history struct {
	key       types.NamespacedName
	revisions []*revision
}

// revision is an object from a version on. Objects are never changed once they are here.
type revision struct {
	version int64
	// object is nil for one that is gone.
	object client.Object
	// kept is what a cache keeps of it, by the name of the cache, and indexed by what an index finds it.
	kept    map[string]client.Object
	indexed map[string][]string
}

type change struct {
	version int64
	of      *history
}

func newStore() *store {
	return &store{kinds: map[schema.GroupKind]*kindStore{}, texts: map[client.Object][]byte{}}
}

// encoded returns a stored object in JSON.
func (s *store) encoded(o client.Object) ([]byte, error) {
	if text, done := s.texts[o]; done {
		return text, nil
	}
	text, err := json.Marshal(o)
	s.texts[o] = text
	return text, err
}

func (s *store) ofKind(gk schema.GroupKind) *kindStore {
	k, ok := s.kinds[gk]
	if !ok {
		k = &kindStore{}
		s.kinds[gk] = k
	}
	return k
}

// get returns the object as it is now, nil if there is none.
func (s *store) get(gk schema.GroupKind, key types.NamespacedName) client.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.ofKind(gk).find(key); h != nil {
		return h.last().object
	}
	return nil
}

// all returns the objects of a kind as they are now; an empty namespace stands for all.
func (s *store) all(gk schema.GroupKind, namespace string) []client.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []client.Object
	for _, h := range s.ofKind(gk).histories {
		if o := h.last().object; o != nil && (namespace == "" || namespace == h.key.Namespace) {
			found = append(found, o)
		}
	}
	return found
}

// put stores the object, or with nil its end, as a new version.
func (s *store) put(gk schema.GroupKind, key types.NamespacedName, object client.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	k := s.ofKind(gk)
	h := k.find(key)
	if h == nil {
		h = &history{key: key}
		at, _ := slices.BinarySearchFunc(k.histories, key, compareHistory)
		k.histories = slices.Insert(k.histories, at, h)
	}
	if object != nil {
		object.SetResourceVersion(strconv.FormatInt(s.version, 10))
	}
	h.revisions = append(h.revisions, &revision{
		version: s.version, object: object, kept: map[string]client.Object{}, indexed: map[string][]string{},
	})
	k.changes = append(k.changes, change{version: s.version, of: h})
}

// newUID returns a UID that no other object has.
func (s *store) newUID() types.UID {
	s.uids++
	return types.UID("uid-" + strconv.Itoa(s.uids))
}

func (k *kindStore) find(key types.NamespacedName) *history {
	if at, ok := slices.BinarySearchFunc(k.histories, key, compareHistory); ok {
		return k.histories[at]
	}
	return nil
}

func compareHistory(h *history, key types.NamespacedName) int { return compareNames(h.key, key) }

func (h *history) last() *revision { return h.revisions[len(h.revisions)-1] }

// at returns the object as it was at a version, nil before it was.
func (h *history) at(version int64) *revision {
	for _, r := range slices.Backward(h.revisions) {
		if r.version <= version {
			return r
		}
	}
	return nil
}
