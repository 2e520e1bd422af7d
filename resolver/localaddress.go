package resolver

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

// clusterIPField is what the API server finds Services by.
const clusterIPField = "spec.clusterIP"

// plain says whether anybody may be behind a source. Only Globalnet writes the others, and only global IPs.
func plain(source string) bool { return source == SourceServiceImport || source == SourceDNS }

// vouch returns why the answer of a plain source cannot be taken, or nil. Many implementations of the MCS API tell there an
// address that is valid in this cluster alone, so that one has to lie in the range of global IPs and be no Service's.
func (r *Resolver) vouch(ctx context.Context, answer Answer, req Request, m Membership) *reason.Error {
	switch {
	case !plain(answer.Source), contains(req.ClusterIPs, answer.IP):
		// A ClusterIP of its own comes this far only where it may be advertised.
		return nil
	case len(m.GlobalCIDRs) == 0:
		return reason.Errorf(reason.GlobalCIDRUnknown, "%s says %s: set --global-cidr", answer.Source, answer.IP)
	case r.options.AllowClusterIP, answer.IP == req.Known:
		return nil
	}
	owner, err := r.serviceWith(ctx, answer.IP)
	if err != nil {
		return reason.Errorf(reason.SourceUnreadable, "%s says %s, and it cannot be told whether that is a Service's: %v", answer.Source, answer.IP, err)
	}
	if owner == "" {
		return nil
	}
	return reason.Errorf(reason.ServiceAddress, "%s says %s, which is %s; where the networks of the clusters do not overlap, set --allow-cluster-ip",
		answer.Source, answer.IP, owner)
}

// serviceWith says to which Service, or to which range of Services, an address of this cluster belongs. It asks the API
// server, once for each new address, rather than keep all Services in a cache.
func (r *Resolver) serviceWith(ctx context.Context, ip netip.Addr) (string, error) {
	services := &corev1.ServiceList{}
	if err := r.live.List(ctx, services, client.MatchingFields{clusterIPField: ip.String()}, client.Limit(1)); err != nil {
		return "", err
	}
	if len(services.Items) > 0 {
		return "that of Service " + client.ObjectKeyFromObject(&services.Items[0]).String(), nil
	}
	// Kubernetes before 1.33 does not serve them.
	cidrs := &networkingv1.ServiceCIDRList{}
	if err := r.live.List(ctx, cidrs); err != nil && !kinds.Absent(err) {
		return "", err
	}
	for i := range cidrs.Items {
		known, _ := parseCIDRs(cidrs.Items[i].Spec.CIDRs...)
		if cidr, inside := within(known, ip); inside {
			return "in " + cidr.String() + " of ServiceCIDR " + cidrs.Items[i].Name, nil
		}
	}
	return "", nil
}
