package main

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/certs"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// rule is how a cache of one kind is bounded, by the options of the product itself.
type rule struct {
	// name tells two caches of one kind apart.
	name      string
	kind      schema.GroupKind
	label     labels.Selector
	field     fields.Selector
	transform toolscache.TransformFunc
	indexes   map[string]client.IndexerFunc
}

// cacheRules are those of the caches that every replica has.
type cacheRules struct {
	main     map[schema.GroupKind]*rule
	prepared *rule
	// all has every rule once.
	all []*rule
}

// newCacheRules takes the bounds of the caches from the product.
func newCacheRules() (*cacheRules, error) {
	others := append(view.Kinds(), resolver.Kinds()...)
	options := view.Options(others, certs.WebhookConfigurationName)
	rules := &cacheRules{main: map[schema.GroupKind]*rule{}}
	for object, by := range options.ByObject {
		gk := kindOf(object)
		rules.main[gk] = newRule(gk.String(), gk, by)
	}
	for _, kind := range others {
		if _, known := rules.main[kind.GroupKind]; !known {
			rules.main[kind.GroupKind] = &rule{name: kind.String(), kind: kind.GroupKind, transform: options.DefaultTransform, indexes: kind.Indexes}
		}
	}
	if err := view.Index(context.Background(), rules); err != nil {
		return nil, fmt.Errorf("index the caches: %w", err)
	}
	for object, by := range view.PreparedOptions().ByObject {
		rules.prepared = newRule("prepared", kindOf(object), by)
	}
	if err := view.IndexPrepared(context.Background(), &cacheRules{main: rules.ofPrepared()}); err != nil {
		return nil, fmt.Errorf("index the cache of prepared OSDs: %w", err)
	}
	for _, gk := range cachedKinds {
		rules.all = append(rules.all, rules.main[gk])
	}
	rules.all = append(rules.all, rules.prepared)
	return rules, nil
}

// ofPrepared is where prepared OSDs are read: of a kind of which there is another cache.
func (c *cacheRules) ofPrepared() map[schema.GroupKind]*rule {
	return map[schema.GroupKind]*rule{c.prepared.kind: c.prepared}
}

func newRule(name string, gk schema.GroupKind, by cache.ByObject) *rule {
	return &rule{name: name, kind: gk, label: by.Label, field: by.Field, transform: by.Transform, indexes: map[string]client.IndexerFunc{}}
}

// IndexField implements client.FieldIndexer.
func (c *cacheRules) IndexField(_ context.Context, object client.Object, field string, of client.IndexerFunc) error {
	c.main[kindOf(object)].indexes[field] = of
	return nil
}

// keep returns what the cache keeps of a revision, nil for what it does not select.
func (r *rule) keep(of *revision) client.Object {
	if of == nil || of.object == nil {
		return nil
	}
	if kept, done := of.kept[r.name]; done {
		return kept
	}
	var kept client.Object
	if r.selects(of.object) {
		kept, _ = of.object.DeepCopyObject().(client.Object)
		if r.transform != nil {
			transformed, err := r.transform(kept)
			if err != nil {
				panic(fmt.Sprintf("keep %s in a cache: %v", of.object.GetName(), err))
			}
			kept, _ = transformed.(client.Object)
		}
	}
	of.kept[r.name] = kept
	return kept
}

func (r *rule) selects(o client.Object) bool {
	if r.label != nil && !r.label.Matches(labels.Set(o.GetLabels())) {
		return false
	}
	return r.field == nil || r.field.Matches(fields.Set{"metadata.name": o.GetName()})
}

// indexed says by which values an index of the cache finds the revision.
func (r *rule) indexed(of *revision, kept client.Object, field string) []string {
	key := r.name + "/" + field
	if values, done := of.indexed[key]; done {
		return values
	}
	index, known := r.indexes[field]
	if !known {
		panic(fmt.Sprintf("the cache %s has no index %s", r.name, field))
	}
	of.indexed[key] = index(kept)
	return of.indexed[key]
}

// installed are the kinds of others that are there.
type installed map[schema.GroupKind]schema.GroupVersionKind

// Served implements kinds.Installed.
func (i installed) Served(gk schema.GroupKind) (schema.GroupVersionKind, bool) {
	gvk, ok := i[gk]
	return gvk, ok
}

// Wait implements kinds.Installed.
func (installed) Wait(context.Context) error { return nil }
