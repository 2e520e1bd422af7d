package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// perRound is how many OSDs each set-up has at a time.
const perRound = 20

// setup is one way of admission, in a namespace of its own.
type setup struct {
	name             string
	cluster          *measure.Cluster
	creates, updates []time.Duration
}

// measureRequests creates and updates OSDs in three set-ups, each request beside the same one in the others.
func measureRequests(ctx context.Context, w *world.World, f form, r *measure.Report) error {
	noop, err := startNoop(ctx, w)
	if err != nil {
		return err
	}
	setups := []*setup{{name: "rook-clusterset"}, {name: "a webhook that does nothing"}, {name: "no webhook"}}
	for i, labels := range []map[string]string{measure.Enabled(), noop.labels(), nil} {
		if setups[i].cluster, err = measure.NewCluster(ctx, w, fmt.Sprintf("requests-%d", i), labels); err != nil {
			return err
		}
	}
	// The first round is not counted: it lets the addresses become known, and everything warm.
	if err := round(ctx, setups); err != nil {
		return err
	}
	for _, s := range setups {
		s.creates, s.updates = nil, nil
	}
	noop.calls.Store(0)
	for len(setups[0].creates) < f.requests {
		if err := round(ctx, setups); err != nil {
			return err
		}
	}
	if counted := len(setups[1].creates) + len(setups[1].updates); int(noop.calls.Load()) < counted {
		return fmt.Errorf("the webhook that does nothing was called %d times, not %d", noop.calls.Load(), counted)
	}
	reportRequests(r, setups)
	return nil
}

// round creates, updates and deletes some OSDs. Each request is made in each set-up before the next one, in turns of who
// comes first.
func round(ctx context.Context, setups []*setup) error {
	inTurn := func(request func(s *setup, id int) error) error {
		for id := range perRound {
			for i := range setups {
				if err := request(setups[(id+i)%len(setups)], id); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := inTurn(func(s *setup, id int) error {
		took, err := s.cluster.CreateOSD(ctx, "node-0", id)
		s.creates = append(s.creates, took)
		return err
	}); err != nil {
		return err
	}
	if err := inTurn(func(s *setup, id int) error {
		took, err := s.cluster.UpdateOSD(ctx, "node-0", id)
		s.updates = append(s.updates, took)
		return err
	}); err != nil {
		return err
	}
	if err := setups[0].cluster.EveryOSDAdvertises(ctx, perRound); err != nil {
		return err
	}
	var failed []error
	for _, s := range setups {
		failed = append(failed, deleteOSDs(ctx, s.cluster))
	}
	return errors.Join(failed...)
}

// deleteOSDs deletes the Deployments of all OSDs and waits until they are gone. Their exports stay.
func deleteOSDs(ctx context.Context, c *measure.Cluster) error {
	return measure.Until(ctx, 200*time.Millisecond, func() (bool, error) {
		osds, err := c.OSDs(ctx)
		if err != nil {
			return false, err
		}
		for _, d := range osds {
			err := c.Rook.Delete(ctx, &d, client.PropagationPolicy(metav1.DeletePropagationBackground))
			if client.IgnoreNotFound(err) != nil {
				return false, fmt.Errorf("delete %s: %w", d.Name, err)
			}
		}
		return len(osds) == 0, nil
	})
}

func reportRequests(r *measure.Report, setups []*setup) {
	ours, noop, none := setups[0], setups[1], setups[2]
	rows := [][]string{{"", "", "requests", "p50", "p95", "p99", "p50 to no webhook", "p50 to one that does nothing"}}
	for _, kind := range []struct {
		name string
		of   func(s *setup) []time.Duration
	}{
		{"CREATE", func(s *setup) []time.Duration { return s.creates }},
		{"UPDATE", func(s *setup) []time.Duration { return s.updates }},
	} {
		median := func(s *setup) time.Duration { return measure.Percentile(kind.of(s), 50) }
		for _, s := range []*setup{ours, noop, none} {
			took := kind.of(s)
			rows = append(rows, []string{
				kind.name, s.name, fmt.Sprint(len(took)),
				measure.Milliseconds(measure.Percentile(took, 50)), measure.Milliseconds(measure.Percentile(took, 95)), measure.Milliseconds(measure.Percentile(took, 99)),
				fmt.Sprintf("%.2f", ratio(median(s), median(none))), fmt.Sprintf("%.2f", ratio(median(s), median(noop))),
			})
		}
	}
	r.Table("OSD Deployments of real size through the API server, their addresses known", rows...)
}
