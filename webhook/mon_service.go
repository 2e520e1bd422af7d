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
	view   View
	global GlobalRange
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
	addresses, err := s.globalIPs(ctx, req.Namespace, id, incoming)
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

// globalIPs returns which addresses are none of this cluster's ClusterIPs: what is asked for, if it is in the range of global
// IPs; every address that a daemon of the namespace has from outside; and where Rook's list has the mon that is yet to be
// born, whatever became of its export. A mon that lives at its ClusterIP, or has lived there, is given it again, for it can be
// nowhere else: it may be of a CephCluster that is left alone, or of a namespace that was switched on a moment ago.
func (s *monServices) globalIPs(ctx context.Context, namespace, mon string, incoming *corev1.Service) (map[netip.Addr]struct{}, error) {
	ctx, cancel := reading(ctx)
	defer cancel()
	addresses := map[netip.Addr]struct{}{}
	for _, asked := range rook.ClusterIPs(incoming) {
		if s.global.IsGlobal(ctx, asked) {
			addresses[asked] = struct{}{}
			return addresses, nil
		}
	}
	if s.global.AllowsClusterIP() {
		// What a daemon has from outside is its ClusterIP, but for what is in the range.
		return nil, nil
	}
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
	for _, export := range exports {
		if export.GlobalIP.IsValid() {
			addresses[export.GlobalIP] = struct{}{}
		}
	}
	for _, m := range mons {
		if truth, ok := m.Truth(); ok && m.Export.Identity == rook.IdentityClusterset {
			addresses[truth] = struct{}{}
		}
	}
	export := mons[mon].Export
	hasLived := mons[mon].Deployed || export.HasLived(rook.HasHadDeployment(endpoints, mon))
	if listed := rook.Listed(endpoints)[mon]; listed.IsValid() && !hasLived && export.Identity != rook.IdentityCluster {
		addresses[listed] = struct{}{}
	}
	return addresses, nil
}
