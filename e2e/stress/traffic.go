package main

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

const (
	// writers are the OSDs that are updated under load, each by one write at a time.
	writers = 25
	// birthEvery is how often a new OSD comes beside them.
	birthEvery  = time.Second
	callTimeout = 40 * time.Second
	// before and after is the load without the fault.
	before = 2 * time.Second
	after  = 3 * time.Second
	host   = "node-0"
)

// traffic is what Rook would write to a CephCluster, and more of it.
type traffic struct {
	world *world.World
	ceph  *measure.Cluster
	// rate is how many updates are sent in a second, of which each asks for admission once.
	rate int
	// born are the OSDs so far, whether they were let in or not.
	born atomic.Int64
	// given are the addresses that Services were given, by name: a Globalnet that is away tells none.
	given sync.Map
}

// startTraffic brings up the OSDs that are updated later.
func startTraffic(ctx context.Context, w *world.World, namespace string, rate int) (*traffic, error) {
	ceph, err := measure.NewCluster(ctx, w, namespace, measure.Enabled())
	if err != nil {
		return nil, err
	}
	t := &traffic{world: w, ceph: ceph, rate: rate}
	for id := range writers {
		// Rook, too, tries again what is refused until its address is known.
		err := measure.Until(ctx, time.Second, func() (bool, error) {
			_, err := ceph.CreateOSD(ctx, host, id)
			return err == nil, nil
		})
		if err != nil {
			return nil, fmt.Errorf("bring up OSD %d: %w", id, err)
		}
	}
	t.born.Store(writers)
	return t, nil
}

// load keeps writing while something happens, and some time before and after: not more often than most in a second, if that is set.
func (t *traffic) load(ctx context.Context, most int, happens func(ctx context.Context, counted *tally) error) (*tally, error) {
	counted := &tally{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sending, end := context.WithCancel(ctx)
	defer end()
	var running sync.WaitGroup
	rate := t.rate
	if most > 0 {
		rate = min(rate, most)
	}
	period := writers * time.Second / time.Duration(rate)
	for id := range writers {
		running.Go(func() {
			phase := period * time.Duration(id) / writers
			every(sending, phase, period, func() { t.update(ctx, id, counted) })
		})
	}
	running.Go(func() {
		every(sending, 0, birthEvery, func() { running.Go(func() { t.birth(ctx, counted) }) })
	})
	err := measure.Pause(ctx, before)
	if err == nil {
		err = happens(ctx, counted)
	}
	if err == nil {
		err = measure.Pause(ctx, after)
	}
	end()
	running.Wait()
	if err != nil {
		return counted, err
	}
	return counted, t.look(ctx, counted)
}

// every calls what takes longer than the period as often as it can.
func every(ctx context.Context, phase, period time.Duration, call func()) {
	if measure.Pause(ctx, phase) != nil {
		return
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		call()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// update writes what Rook would write of an OSD that is there: without its address.
func (t *traffic) update(ctx context.Context, id int, counted *tally) {
	t.write(ctx, id, false, counted, func(ctx context.Context, d *appsv1.Deployment) error { return t.ceph.Rook.Update(ctx, d) })
}

// birth writes an OSD that was not there.
func (t *traffic) birth(ctx context.Context, counted *tally) {
	t.create(ctx, int(t.born.Add(1))-1, counted)
}

// create says whether the OSD was let in. That its prepare Job named it is no write that is counted.
func (t *traffic) create(ctx context.Context, id int, counted *tally) bool {
	err := measure.Until(ctx, time.Second, func() (bool, error) { return t.ceph.PrepareOSD(ctx, host, id) == nil, nil })
	if err != nil {
		return false
	}
	return t.write(ctx, id, true, counted, func(ctx context.Context, d *appsv1.Deployment) error {
		err := t.ceph.Rook.Create(ctx, d)
		if apierrors.IsAlreadyExists(err) {
			// An earlier try was stored though nobody heard of it. Rook updates what it finds.
			err = t.ceph.Rook.Update(ctx, d)
		}
		return err
	})
}

func (t *traffic) write(ctx context.Context, id int, birth bool, counted *tally, write func(context.Context, *appsv1.Deployment) error) bool {
	d, err := t.ceph.OSD(host, id)
	if err != nil {
		counted.add(birth, 0, err)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	started := time.Now()
	err = write(ctx, d)
	counted.add(birth, time.Since(started), err)
	// A Globalnet that went away in this moment tells what it gave once it is back, and look holds that against what is stored.
	if given, known := t.wasGiven(d.Name); err == nil && known {
		counted.stored(d.Name, measure.Advertises(d), given, known)
	}
	return err == nil
}

// wasGiven returns the address that the Service was given last, and whether it ever was.
func (t *traffic) wasGiven(name string) (netip.Addr, bool) {
	if told, known := t.world.MCS.GlobalIP(t.ceph.Namespace, name); known {
		t.given.Store(name, told)
		return told, true
	}
	before, known := t.given.Load(name)
	if !known {
		return netip.Addr{}, false
	}
	return before.(netip.Addr), true
}

// look holds what is stored in the end against what each Service was given.
func (t *traffic) look(ctx context.Context, counted *tally) error {
	var osds []appsv1.Deployment
	err := measure.Until(ctx, time.Second, func() (bool, error) {
		var err error
		osds, err = t.ceph.OSDs(ctx)
		return err == nil, nil
	})
	if err != nil {
		return err
	}
	for _, d := range osds {
		given, known := t.wasGiven(d.Name)
		counted.stored(d.Name, measure.Advertises(&d), given, known)
	}
	if len(osds) < writers {
		return fmt.Errorf("only %d OSDs are stored", len(osds))
	}
	return nil
}
