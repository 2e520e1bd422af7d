package resolver

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// exportedServiceLabel is what Globalnet's internal Service names the exported one by. Its own name is a hash.
const exportedServiceLabel = "submariner.io/exportedServiceRef"

// carried returns the addresses that Globalnet's internal Service of an exported one has as external IPs. The network goes
// by them, whatever any other object says. It is read from the API server, for it has none of the labels by which the
// caches keep Services, and is of interest only in doubt.
func (r *Resolver) carried(ctx context.Context, req Request) ([]netip.Addr, *reason.Error) {
	internal := &corev1.ServiceList{}
	err := r.live.List(ctx, internal, client.InNamespace(req.Namespace), client.MatchingLabels{exportedServiceLabel: req.Name})
	if err != nil {
		return nil, reason.Errorf(reason.SourceUnreadable, "list the internal Services of Globalnet: %v", err)
	}
	var ips []netip.Addr
	for i := range internal.Items {
		for _, text := range internal.Items[i].Spec.ExternalIPs {
			ip, err := parseAddress(text, "Service "+internal.Items[i].Name)
			if err != nil {
				return nil, asReason(err)
			}
			if !slices.Contains(ips, ip) {
				ips = append(ips, ip)
			}
		}
	}
	return ips, nil
}

// breakTie returns the one of several answers that Globalnet's internal Service bears out. Lighthouse can be half an hour
// behind a re-allocation.
func (r *Resolver) breakTie(ctx context.Context, req Request, answers []Answer) (Answer, *reason.Error) {
	ips, refusal := r.carried(ctx, req)
	if refusal != nil {
		return Answer{}, refusal
	}
	if len(ips) == 1 {
		i := slices.IndexFunc(answers, func(a Answer) bool { return a.IP == ips[0] })
		// For life nothing is taken that Globalnet's own object, which is the first, speaks against.
		if i == 0 || i > 0 && (!req.ForLife || ips[0] == req.Known) {
			return answers[i], nil
		}
	}
	first := answers[0]
	other := answers[slices.IndexFunc(answers, func(a Answer) bool { return a.IP != first.IP })]
	return Answer{}, reason.Errorf(reason.SourcesDisagree, "%s says %s, %s says %s, its internal Service carries %s",
		first.Source, first.IP, other.Source, other.IP, cmp.Or(joined(ips), "nothing"))
}

// settled returns why an address from Globalnet cannot be taken for life yet, or nil: it can give a Service a second one in
// a moment, as long as the GlobalIngressIP and the internal Service do not agree.
func (r *Resolver) settled(ctx context.Context, answer Answer, req Request) *reason.Error {
	// Submariner without Globalnet makes no internal Service. A ClusterIP of its own comes this far only where it may be advertised.
	if !req.ForLife || plain(answer.Source) || answer.IP == req.Known || contains(req.ClusterIPs, answer.IP) {
		return nil
	}
	ips, refusal := r.carried(ctx, req)
	if refusal != nil {
		return refusal
	}
	if !slices.Equal(ips, []netip.Addr{answer.IP}) {
		return reason.Errorf(reason.GlobalIPNotAllocated, "%s says %s, its internal Service carries %s",
			answer.Source, answer.IP, cmp.Or(joined(ips), "nothing"))
	}
	return nil
}
