package main

import (
	"context"
	"errors"
	"fmt"

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

// installation is what differs between rooms.
type installation struct {
	// rate is how many updates of OSDs are sent in a second under load.
	rate int
	// kinds installs those of the MCS implementation; all of the stand-in's by default.
	kinds func(*controlplane.Plane) error
	// args returns flags of the replicas.
	args func(*mcsstandin.Standin) []string
}

// newRoom starts everything, and the traffic's OSDs. The caller must stop it.
func newRoom(ctx context.Context, in installation) (*room, error) {
	plane, err := controlplane.Start(ctx)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	r := &room{plane: plane, world: &world.World{Plane: plane}, end: end}
	if err := r.start(ctx, in); err != nil {
		return nil, errors.Join(err, r.stop())
	}
	return r, nil
}

func (r *room) start(ctx context.Context, in installation) error {
	install := in.kinds
	if install == nil {
		install = func(p *controlplane.Plane) error { return mcsstandin.Install(p.Config, mcsstandin.V1Beta1) }
	}
	if err := install(r.plane); err != nil {
		return err
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
	if in.args != nil {
		args = in.args(r.world.MCS)
	}
	if r.pods, err = startPods(ctx, r.plane, args...); err != nil {
		return err
	}
	if err := r.pods.steady(ctx); err != nil {
		return fmt.Errorf("wait until two replicas are ready and one leads: %w", err)
	}
	r.traffic, err = startTraffic(ctx, r.world, "rook-stress", in.rate)
	return err
}

func (r *room) stop() error {
	r.end()
	return r.plane.Stop()
}
