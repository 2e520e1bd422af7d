package webhook

import (
	"context"
	"maps"
	"slices"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// told is what a write of the mon endpoints tells besides where the mons are.
type told struct {
	// write is what it tells of the memory of Rook's operator; nil for a write of somebody else.
	write *rook.OperatorWrite
	// newlyListed is what mon_host has to tell next.
	newlyListed []rook.Endpoint
}

// note keeps what a write tells. Where that fails a write that lists no new mon goes on: Rook is waiting, and writes again.
func (m *monEndpoints) note(ctx context.Context, req admission.Request, facts rook.EndpointsFacts, t told) error {
	if t.write == nil && len(t.newlyListed) == 0 {
		return nil
	}
	ctx, cancel := reading(ctx)
	defer cancel()
	before, err := m.view.Remembered(ctx, req.Namespace)
	if err != nil {
		return err
	}
	live := facts.Stored
	if req.Operation == admissionv1.Update {
		// What an update says of the list that lives is its own word.
		live = nil
		if t.newlyListed, err = m.notYetStored(ctx, req.Namespace, t.newlyListed); err != nil {
			return err
		}
	}
	after := before
	if t.write != nil {
		w := *t.write
		w.Wrong = m.canRemember(ctx, req.Namespace, w.Wrong, before.Mons, live, facts.Mons)
		after, _ = before.After(w, m.holds.clock.Now())
	}
	after = after.AfterListing(t.newlyListed, facts.New)
	if len(before.ChangesTo(after)) == 0 {
		return nil
	}
	return m.ensurer.NoteRemembered(ctx, req.Namespace, before, after)
}

func (m *monEndpoints) notYetStored(ctx context.Context, namespace string, entries []rook.Endpoint) ([]rook.Endpoint, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	stored, _, err := m.view.LatestMonEndpoints(ctx, namespace)
	return rook.NotYetIn(stored, entries), err
}

// canRemember returns the entries that Rook can remember. A cache can be behind the Service from which Rook took an address.
func (m *monEndpoints) canRemember(ctx context.Context, namespace string, written, before []rook.Endpoint, live *corev1.ConfigMap, mons map[string]rook.DaemonFacts) []rook.Endpoint {
	known := rook.CanRemember(written, before, live, mons)
	if len(known) == len(written) {
		return known
	}
	latest, asked := maps.Clone(mons), map[string]bool{}
	for _, e := range written {
		if _, isMon := mons[e.ID]; !isMon || asked[e.ID] || slices.Contains(known, e) {
			continue
		}
		asked[e.ID] = true
		if facts, err := m.view.LatestDaemon(ctx, rook.Daemon{Type: rook.Mon, ID: e.ID, Namespace: namespace}); err == nil {
			latest[e.ID] = facts
		}
	}
	return rook.CanRemember(written, before, live, latest)
}
