package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"k8s.io/client-go/discovery"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// flow is what passed between the API server and the replicas since it started.
type flow struct {
	// taken of the requests of the replicas, which have a priority level of their own, were served, after waited seconds in
	// all.
	taken, waited float64
	// rejected were not, for a reason of the API server: queue-full, concurrency-limit, time-out or cancelled.
	rejected map[string]float64
	// within is how many had waited no longer than so many seconds.
	within map[float64]float64
	// admissions are the calls that it made to the replicas, answered or not.
	admissions float64
}

const (
	ofOurLevel   = `priority_level="rook-clusterset"`
	ofOurWebhook = `.rook-clusterset.io"`
)

func (r *room) flow(ctx context.Context) (flow, error) {
	c, err := discovery.NewDiscoveryClientForConfig(r.plane.Config)
	if err != nil {
		return flow{}, fmt.Errorf("make a client of the API server: %w", err)
	}
	metrics, err := c.RESTClient().Get().AbsPath("/metrics").Do(ctx).Raw()
	if err != nil {
		return flow{}, fmt.Errorf("ask for the metrics of the API server: %w", err)
	}
	return readFlow(string(metrics))
}

func readFlow(metrics string) (flow, error) {
	f := flow{rejected: map[string]float64{}, within: map[float64]float64{}}
	for line := range strings.Lines(metrics) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), "{")
		labels, number, _ := strings.Cut(rest, "} ")
		ours := strings.Contains(labels, ofOurLevel) || strings.Contains(labels, ofOurWebhook)
		if !ours || strings.Contains(labels, `execute="false"`) {
			continue
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return flow{}, fmt.Errorf("read %s: %w", name, err)
		}
		switch name {
		case "apiserver_flowcontrol_rejected_requests_total":
			f.rejected[label(labels, "reason")] += value
		case "apiserver_flowcontrol_request_wait_duration_seconds_bucket":
			if bound, err := strconv.ParseFloat(label(labels, "le"), 64); err == nil {
				f.within[bound] += value
			}
		case "apiserver_flowcontrol_request_wait_duration_seconds_count":
			f.taken += value
		case "apiserver_flowcontrol_request_wait_duration_seconds_sum":
			f.waited += value
		case "apiserver_admission_webhook_request_total":
			f.admissions += value
		}
	}
	return f, nil
}

// admissions asks until the API server is there again.
func (r *room) admissions(ctx context.Context) (float64, error) {
	var f flow
	err := measure.Until(ctx, lookAtPods, func() (bool, error) {
		var err error
		f, err = r.flow(ctx)
		return err == nil, nil
	})
	if err != nil {
		return 0, fmt.Errorf("count the calls to the webhook: %w", err)
	}
	return f.admissions, nil
}

// reportFlow says whether the replicas ever had to queue for the API server. It counts anew when that is started again.
func (r *room) reportFlow(ctx context.Context, report *measure.Report, what string) error {
	f, err := r.flow(ctx)
	if err != nil {
		return err
	}
	report.Table("Requests of the replicas in their own priority level, "+what,
		[]string{"served", "wait in the queue, on average", "longest, at most", "rejected", "of which"},
		[]string{
			fmt.Sprintf("%.0f", f.taken), fmt.Sprintf("%.2f ms", 1000*f.waited/max(f.taken, 1)), fmt.Sprintf("%g s", f.longest()),
			fmt.Sprintf("%.0f", f.turnedAway()), f.why(),
		})
	report.Bar("requests of the replicas that the API server rejected, "+what, f.turnedAway(), 0, "")
	return nil
}

// label returns the value of a label of a line of metrics, which is empty where it has none.
func label(line, name string) string {
	_, value, _ := strings.Cut(line, name+`="`)
	value, _, _ = strings.Cut(value, `"`)
	return value
}

// longest returns within how many seconds each of them had its turn, or was rejected.
func (f flow) longest() float64 {
	bounds := slices.Sorted(maps.Keys(f.within))
	at := slices.IndexFunc(bounds, func(bound float64) bool { return f.within[bound] >= f.taken })
	if at < 0 {
		return math.Inf(1)
	}
	return bounds[at]
}

// turnedAway is how many were rejected for whatever reason.
func (f flow) turnedAway() float64 {
	var all float64
	for _, n := range f.rejected {
		all += n
	}
	return all
}

// why tells how many were rejected for which reason.
func (f flow) why() string {
	var said []string
	for _, reason := range slices.Sorted(maps.Keys(f.rejected)) {
		said = append(said, fmt.Sprintf("%.0f %s", f.rejected[reason], reason))
	}
	return strings.Join(said, ", ")
}
