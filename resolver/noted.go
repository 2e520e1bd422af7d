package resolver

import (
	"context"
	"net/netip"
	"slices"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// Doubts returns why an address that is noted for the Service must not be advertised, or nil. Where the daemon has lived there
// the guards alone are asked, for what the sources answer by now cannot move it; else the sources as well.
func (r *Resolver) Doubts(ctx context.Context, req Request, ip netip.Addr, lived, toBeBorneOut bool) *reason.Error {
	if lived {
		return r.Refuses(ctx, req, ip)
	}
	if !req.Latest {
		req.Known = ip
	}
	return r.Denies(ctx, req, ip, toBeBorneOut || req.Latest && r.isTold(req.Source))
}

// Refuses returns why an address that is noted for the Service must not be advertised, whatever the sources answer, or nil.
func (r *Resolver) Refuses(ctx context.Context, req Request, ip netip.Addr) *reason.Error {
	m, err := r.Membership(ctx)
	if err != nil {
		return asReason(err)
	}
	return Guard(ip, req, m, r.options.AllowClusterIP)
}

// Denies returns why an address that is noted for the Service must not be advertised by what the sources answer now, or nil.
// Sources that are objects are asked, and no DNS: a daemon waits for this. Where none has an answer that is no denial, unless
// one has to bear the address out: it is taken for one of DNS then, and looked at as such, unless an object told it.
func (r *Resolver) Denies(ctx context.Context, req Request, ip netip.Addr, toBeBorneOut bool) *reason.Error {
	m, err := r.Membership(ctx)
	if err != nil {
		return asReason(err)
	}
	if refusal := Guard(ip, req, m, r.options.AllowClusterIP); refusal != nil {
		return refusal
	}
	answer, refusal := r.compare(ctx, req, m)
	switch {
	case refusal != nil && silent(refusal.Code) && !toBeBorneOut:
		source := req.Source
		if !r.isTold(source) {
			source = SourceDNS
		}
		return r.vouch(ctx, Answer{IP: ip, Source: source}, req, m)
	case refusal != nil:
		return refusal
	case answer.IP != ip:
		return reason.Errorf(reason.SourcesDisagree, "%s says %s, and the export has %s", answer.Source, answer.IP, ip)
	}
	if refusal := r.vouch(ctx, answer, req, m); refusal != nil {
		return refusal
	}
	return r.settled(ctx, answer, req)
}

// isTold says whether a source is an object: what it told once it has to tell at a birth.
func (r *Resolver) isTold(source string) bool {
	return slices.ContainsFunc(r.told, func(s Source) bool { return s.Name() == source })
}
