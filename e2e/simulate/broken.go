package main

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/exporter"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/webhook"
)

// guards are what a story takes away from the product on purpose, to see that it is missed: each is put between two parts of
// it, and nil where nothing is taken away.
type guards struct {
	readerOf func(cached client.Reader) client.Reader
	liveOf   func(live, cached client.Reader) client.Reader
	viewOf   func(webhook.View) webhook.View
	globalOf func(webhook.GlobalRange) webhook.GlobalRange
	askerOf  func(*resolver.Resolver) exporter.Asker
	writerOf func(client.Writer) client.Writer
	// unasked is a path at which nobody is asked.
	unasked string
}

func (g guards) reader(cached client.Reader) client.Reader {
	if g.readerOf == nil {
		return cached
	}
	return g.readerOf(cached)
}

func (g guards) live(live, cached client.Reader) client.Reader {
	if g.liveOf == nil {
		return live
	}
	return g.liveOf(live, cached)
}

func (g guards) view(v webhook.View) webhook.View {
	if g.viewOf == nil {
		return v
	}
	return g.viewOf(v)
}

func (g guards) global(r webhook.GlobalRange) webhook.GlobalRange {
	if g.globalOf == nil {
		return r
	}
	return g.globalOf(r)
}

func (g guards) asker(r *resolver.Resolver) exporter.Asker {
	if g.askerOf == nil {
		return r
	}
	return g.askerOf(r)
}

func (g guards) writer(w client.Writer) client.Writer {
	if g.writerOf == nil {
		return w
	}
	return g.writerOf(w)
}
