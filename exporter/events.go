package exporter

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

const (
	// eventAction is what was being done when there was something to report.
	eventAction = "Export"
	// eventLimit is the length of a note beyond which the API server refuses the event.
	eventLimit = 1000
)

// report makes an event of a note, once per change. Without that an event would return with every turn that finds the
// same, or reads a cache that is a moment behind.
func (t turn) report(ctx context.Context, daemon string, n note) {
	if t.memory.IsNews(n.recalled()) {
		t.record(ctx, daemon, n)
	}
}

// reportOnly says why the whole CephCluster is left alone, so that all else is news when it no longer is. The daemon is one that
// the event can be about if there is no CephCluster.
func (t turn) reportOnly(ctx context.Context, daemon string, n note) {
	news := t.memory.IsNews(n.recalled())
	t.memory.ForgetAllBut(n.recalled())
	if news {
		t.record(ctx, daemon, n)
	}
}

func (t turn) record(ctx context.Context, daemon string, n note) {
	kind := corev1.EventTypeNormal
	if n.warning {
		kind = corev1.EventTypeWarning
	}
	logf.FromContext(ctx).Info(n.text(), "reason", n.code, "daemon", daemon)
	about, related := runtime.Object(t.object()), t.related(daemon)
	if t.cluster.Name == "" && related != nil {
		about, related = related, nil
	}
	t.events.Eventf(about, related, kind, n.code.Event(), eventAction, "%s", reason.Shorten(n.text(), eventLimit))
}

// object returns the CephCluster as an event names it.
func (t turn) object() *unstructured.Unstructured {
	object := kinds.Object(schema.GroupVersionKind{Group: rook.CephGroup, Version: rook.CephAPIVersion, Kind: rook.CephClusterKind})
	object.SetNamespace(t.cluster.Namespace)
	object.SetName(t.cluster.Name)
	object.SetUID(t.cluster.UID)
	return object
}

// related returns the export that an event is about. Events of one reason on one object would be counted as one otherwise.
func (t turn) related(daemon string) runtime.Object {
	gvk, served := t.view.Installed().Served(kinds.ServiceExport)
	if daemon == "" || !served {
		return nil
	}
	export := kinds.Object(gvk)
	export.SetNamespace(t.cluster.Namespace)
	export.SetName(daemon)
	return export
}
