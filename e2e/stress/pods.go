package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

const (
	// endpointsLag is how long after a pod is gone, or was asked to go, connections to it are still made: the kubelet, the
	// EndpointSlice and kube-proxy take about that.
	endpointsLag = time.Second
	// restartPause is how long the kubelet takes to start a container again that ended for the first time.
	restartPause = time.Second
	lookAtPods   = 100 * time.Millisecond
	probeTimeout = 5 * time.Second
	// steadyWithin leaves a machine that has much else to do its time.
	steadyWithin = 5 * time.Minute
	// probePeriod is that of the shipped readiness probe.
	probePeriod = 5 * time.Second
)

// pods stands in for what keeps the replicas running, and their addresses those of the Service: Deployment, kubelet and
// kube-proxy.
type pods struct {
	plane *controlplane.Plane
	wire  *wire
	args  []string

	mu  sync.Mutex
	all []*pod
	// started counts all pods that ever were, restarts those that ended by themselves and were started again.
	started, restarts int
}

type pod struct {
	*controlplane.Replica
	// gone is when it ended, or was asked to, or was found not ready.
	gone time.Time
	// leaving pods are not started again.
	leaving bool
	probed  time.Time
}

// address is where the pod listens for the API server.
func (p *pod) address() string { return strings.TrimPrefix(p.WebhookURL(""), "https://") }

// startPods starts two replicas and keeps two until the context ends.
func startPods(ctx context.Context, plane *controlplane.Plane, args ...string) (*pods, error) {
	host, err := url.Parse(plane.Config.Host)
	if err != nil {
		return nil, fmt.Errorf("read the address of the API server: %w", err)
	}
	p := &pods{plane: plane, args: args}
	if p.wire, err = startWire(ctx, host.Host); err != nil {
		return nil, err
	}
	for range 2 {
		if err := p.add(ctx); err != nil {
			return nil, err
		}
	}
	p.route()
	go func() {
		for ctx.Err() == nil {
			p.look(ctx)
			_ = measure.Pause(ctx, lookAtPods)
		}
	}()
	return p, nil
}

// add starts one more replica, which reaches the API server by the wire.
func (p *pods) add(ctx context.Context, args ...string) error {
	path, err := p.plane.ServiceAccountKubeconfig(ctx, controlplane.Namespace, "rook-clusterset")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the kubeconfig of a replica: %w", err)
	}
	text = []byte(strings.ReplaceAll(string(text), p.plane.Config.Host, "https://"+p.wire.address()))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("write the kubeconfig of a replica: %w", err)
	}
	p.mu.Lock()
	p.started++
	name := fmt.Sprintf("pod-%d", p.started)
	p.mu.Unlock()
	replica, err := p.plane.StartReplica(ctx, name, slices.Concat([]string{"--kubeconfig=" + path}, p.args, args)...)
	if err != nil {
		return err
	}
	added := &pod{Replica: replica, probed: time.Now()}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, added)
	return nil
}

// running are the pods that nobody has asked to go.
func (p *pods) running() []*pod {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.all), func(one *pod) bool { return one.leaving })
}

// everyone are all whose memory can be read.
func (p *pods) everyone() []*controlplane.Replica {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*controlplane.Replica
	for _, one := range p.all {
		if one.Ended() == nil {
			all = append(all, one.Replica)
		}
	}
	return all
}

// remove asks the pod to end at once, without the pause that the shipped Deployment puts before, and returns when it has.
func (p *pods) remove(one *pod) error {
	p.mu.Lock()
	one.leaving, one.gone = true, time.Now()
	p.mu.Unlock()
	return one.Stop()
}

// look does once what the stood-in components do at their own pace.
func (p *pods) look(ctx context.Context) {
	for _, one := range p.running() {
		if one.Ended() != nil {
			p.mu.Lock()
			one.leaving, one.gone = true, time.Now()
			p.restarts++
			p.mu.Unlock()
			go p.restart(ctx)
			continue
		}
		p.probe(ctx, one)
	}
	p.route()
}

func (p *pods) restart(ctx context.Context) {
	for ctx.Err() == nil {
		_ = measure.Pause(ctx, restartPause)
		if err := p.add(ctx); err == nil {
			return
		}
	}
}

func (p *pods) probe(ctx context.Context, one *pod) {
	if time.Since(one.probed) < probePeriod {
		return
	}
	one.probed = time.Now()
	go func() {
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		err := one.Ready(ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case one.leaving:
		case err == nil:
			one.gone = time.Time{}
		case one.gone.IsZero():
			one.gone = time.Now()
		}
	}()
}

// route lets the Service lead to what is ready, or was a moment ago.
func (p *pods) route() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var serving []*controlplane.Replica
	for _, one := range p.all {
		if one.gone.IsZero() || time.Since(one.gone) < endpointsLag {
			serving = append(serving, one.Replica)
		}
	}
	p.plane.Serve(serving...)
}

func (p *pods) restartCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.restarts
}

// leader returns the pod that leads.
func (p *pods) leader(ctx context.Context) (*pod, error) {
	for _, one := range p.running() {
		text, err := one.Metrics(ctx)
		if err == nil && strings.Contains(text, measure.ElectedMetric) {
			return one, nil
		}
	}
	return nil, errors.New("no replica leads")
}

// steady waits until two replicas are ready and one of them leads.
func (p *pods) steady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, steadyWithin)
	defer cancel()
	err := measure.Until(ctx, lookAtPods, func() (bool, error) {
		all := p.running()
		if len(all) != 2 {
			return false, nil
		}
		unready := func(one *pod) bool { return one.Ready(ctx) != nil }
		_, err := p.leader(ctx)
		return !slices.ContainsFunc(all, unready) && err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait until two replicas are ready and one leads: %w", err)
	}
	return nil
}
