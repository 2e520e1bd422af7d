package webhook

import (
	"context"
	"fmt"
	"net/netip"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// monServices lets Rook re-create a lost Service of a mon. Rook asks for the address that the mon endpoints hold, which
// as a global IP lies outside the range of ClusterIPs: the API server would refuse it, and every reconcile would fail.
type monServices struct {
	view View
}

func (*monServices) object() string { return "mon-service" }

func (*monServices) mustRefuse(context.Context, admission.Request) bool { return false }

func (s *monServices) decide(ctx context.Context, req admission.Request) (answer, error) {
	incoming := &corev1.Service{}
	if err := decode(req.Object, incoming); err != nil {
		return answer{}, fmt.Errorf("decode the Service: %w", err)
	}
	kind, id, known := rook.ParseName(incoming.Name)
	if req.Operation != admissionv1.Create || !known || !kind.StandsInList() || incoming.Spec.ClusterIP == "" {
		return answer{code: reason.AlreadyRight}, nil
	}
	addresses, err := s.globalIPs(ctx, req.Namespace, id)
	if err != nil {
		return answer{}, err
	}
	corrected := incoming.DeepCopy()
	if !rook.DropClusterIP(corrected, addresses) {
		return answer{code: reason.AlreadyRight}, nil
	}
	patch, err := objectPatch(incoming, corrected)
	return answer{code: reason.ClusterIPDropped, patch: patch}, err
}

// globalIPs returns every address that a daemon of the namespace has from outside the cluster, and the one that the mon
// had before its Service was lost.
func (s *monServices) globalIPs(ctx context.Context, namespace, mon string) (map[netip.Addr]struct{}, error) {
	ctx, cancel := reading(ctx)
	defer cancel()
	exports, err := s.view.Exports(ctx, namespace)
	if err != nil {
		return nil, err
	}
	mons, err := s.view.Mons(ctx, namespace)
	if err != nil {
		return nil, err
	}
	endpoints, _, err := s.view.LatestMonEndpoints(ctx, namespace)
	if err != nil {
		return nil, err
	}
	addresses := map[netip.Addr]struct{}{}
	for _, export := range exports {
		if export.GlobalIP.IsValid() {
			addresses[export.GlobalIP] = struct{}{}
		}
	}
	for _, m := range mons {
		if truth, ok := m.Truth(); ok {
			addresses[truth] = struct{}{}
		}
	}
	// Without its Service the export of an unborn mon has lost its address, but Rook's list still tells it.
	if listed := rook.Listed(endpoints)[mon]; listed.IsValid() && mons[mon].Export.Identity == rook.IdentityClusterset {
		addresses[listed] = struct{}{}
	}
	return addresses, nil
}
