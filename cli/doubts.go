package cli

import (
	"context"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// doubtsOf tells a view what the guards and the sources have against an address that is noted.
func doubtsOf(r *resolver.Resolver) func(context.Context, view.Noted) *reason.Error {
	return func(ctx context.Context, noted view.Noted) *reason.Error {
		req := resolver.Request{
			Namespace: noted.Namespace, Name: noted.Name, ClusterIPs: noted.ClusterIPs, ForLife: noted.ForLife, Source: noted.Source, Latest: noted.Latest,
		}
		return r.Doubts(ctx, req, noted.Address, noted.Lived, noted.Unborn)
	}
}
