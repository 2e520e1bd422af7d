package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"k8s.io/client-go/rest"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// flow is what passed between the API server and the replicas since it started.
type flow struct {
	// taken of the requests of the replicas, which have a priority level of their own, were served, after waited seconds in
	// all; rejected were not.
	taken, rejected, waited float64
	// admissions are the calls that it made to the replicas, answered or not.
	admissions float64
}

const (
	ofOurLevel   = `priority_level="rook-clusterset"`
	ofOurWebhook = `.rook-clusterset.io"`
)

func (r *room) flow(ctx context.Context) (flow, error) {
	c, err := rest.HTTPClientFor(r.plane.Config)
	if err != nil {
		return flow{}, fmt.Errorf("make a client of the API server: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.plane.Config.Host+"/metrics", http.NoBody)
	if err != nil {
		return flow{}, fmt.Errorf("ask for the metrics of the API server: %w", err)
	}
	answer, err := c.Do(req)
	if err != nil {
		return flow{}, fmt.Errorf("ask for the metrics of the API server: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	return readFlow(answer.Body)
}

func readFlow(metrics io.Reader) (flow, error) {
	var f flow
	lines := bufio.NewScanner(metrics)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), "{")
		counted := map[string]struct {
			of   string
			into *float64
		}{
			"apiserver_flowcontrol_rejected_requests_total":             {ofOurLevel, &f.rejected},
			"apiserver_flowcontrol_request_wait_duration_seconds_count": {ofOurLevel, &f.taken},
			"apiserver_flowcontrol_request_wait_duration_seconds_sum":   {ofOurLevel, &f.waited},
			"apiserver_admission_webhook_request_total":                 {ofOurWebhook, &f.admissions},
		}[name]
		if counted.into == nil || !strings.Contains(rest, counted.of) || strings.Contains(rest, `execute="false"`) {
			continue
		}
		_, number, _ := strings.Cut(rest, "} ")
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return flow{}, fmt.Errorf("read %s: %w", name, err)
		}
		*counted.into += value
	}
	return f, lines.Err()
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
		[]string{"served", "wait in the queue, on average", "rejected"},
		[]string{fmt.Sprintf("%.0f", f.taken), fmt.Sprintf("%.2f ms", 1000*f.waited/max(f.taken, 1)), fmt.Sprintf("%.0f", f.rejected)})
	report.Bar("requests of the replicas that the API server rejected, "+what, f.rejected, 0, "")
	return nil
}
