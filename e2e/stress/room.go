package main

import (
	"context"
	"errors"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
	"github.com/rook-clusterset/rook-clusterset/manifests"
)

// room is a control plane with two replicas that are kept running, and what is written to it.
type room struct {
	world   *world.World
	plane   *controlplane.Plane
	pods    *pods
	traffic *traffic
	end     context.CancelFunc
}

// newRoom starts everything, and the traffic's OSDs, of which as many updates are sent in a second under load. Where DNS is the only
// source, no object tells a global IP. The caller must stop it.
func newRoom(ctx context.Context, rate int, onlyDNS bool) (*room, error) {
	plane, err := controlplane.Start(ctx)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	r := &room{plane: plane, world: &world.World{Plane: plane}, end: end}
	if err := r.start(ctx, rate, onlyDNS); err != nil {
		return nil, errors.Join(err, r.stop())
	}
	return r, nil
}

func (r *room) start(ctx context.Context, rate int, onlyDNS bool) error {
	if err := mcsstandin.Install(r.plane.Config, mcsstandin.V1Beta1); err != nil {
		return err
	}
	if onlyDNS {
		if err := removeSources(ctx, r.plane.Client); err != nil {
			return err
		}
	}
	if err := rookstandin.InstallKinds(r.plane.Config); err != nil {
		return err
	}
	var err error
	if r.world.MCS, err = mcsstandin.Start(ctx, mcsstandin.Options{Config: r.plane.Config}); err != nil {
		return err
	}
	if _, err := r.plane.Kubectl(ctx, manifests.Install, "apply", "-f", "-"); err != nil {
		return err
	}
	var args []string
	if onlyDNS {
		// A birth is held for less long than by default.
		args = []string{"--dns-server=" + r.world.MCS.DNSAddr(), "--hold=15s"}
	}
	if r.pods, err = startPods(ctx, r.plane, args...); err != nil {
		return err
	}
	if err := r.pods.steady(ctx); err != nil {
		return err
	}
	r.traffic, err = startTraffic(ctx, r.world, "rook-stress", rate)
	return err
}

func (r *room) stop() error {
	r.end()
	return r.plane.Stop()
}
