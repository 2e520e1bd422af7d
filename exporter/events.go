package exporter

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rook-clusterset/rook-clusterset/resolver"
)

const (
	// eventAction is what was being done when there was something to tell.
	eventAction = "Export"
	// eventLimit is the length of a note beyond which the API server refuses the event.
	eventLimit = 1000
)

// tell makes an event of a note, once per change. Without that an event would return with every reconcile that finds the
// same, or reads a cache that is a moment behind.
func (t turn) tell(ctx context.Context, daemon string, n note) {
	if t.memory.isNews(n) {
		t.record(ctx, daemon, n)
	}
}

// tellOnly tells why the whole CephCluster is left alone, so that all else is news when it no longer is.
func (t turn) tellOnly(ctx context.Context, n note) {
	fresh := newMemory()
	fresh.reloadedAt = t.memory.reloadedAt
	news := t.memory.isNews(n)
	fresh.isNews(n)
	*t.memory = *fresh
	if news {
		t.record(ctx, "", n)
	}
}

func (t turn) record(ctx context.Context, daemon string, n note) {
	kind := corev1.EventTypeNormal
	if n.warning {
		kind = corev1.EventTypeWarning
	}
	logf.FromContext(ctx).Info(n.text(), "reason", n.code, "daemon", daemon)
	t.events.Eventf(t.object, t.related(daemon), kind, n.code.Event(), eventAction, "%s", shortened(n.text()))
}

// related returns the export that an event is about. Events of one reason on one object would be counted as one otherwise.
func (t turn) related(daemon string) runtime.Object {
	gvk, served := t.view.kinds.Served(resolver.ServiceExport)
	if daemon == "" || !served {
		return nil
	}
	export := objectOf(gvk)
	export.SetNamespace(t.object.GetNamespace())
	export.SetName(daemon)
	return export
}

func shortened(text string) string {
	if len(text) <= eventLimit {
		return text
	}
	cut := eventLimit
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut] + "..."
}
