package webhook

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what admission reports to Prometheus.
type metrics struct {
	admissions  *prometheus.CounterVec
	held        prometheus.Gauge
	holdSeconds prometheus.Histogram
}

// newMetrics registers the metrics. Where another manager of the same process has registered them, it shares them.
func newMetrics(registry prometheus.Registerer) (*metrics, error) {
	var m metrics
	var err error
	if m.admissions, err = register(registry, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rook_clusterset_admissions_total",
		Help: "Admission requests by the object they are for, what was done (allowed, patched, refused, rejected unread) and why.",
	}, []string{
		"object", // deployment, mon-endpoints, ceph-config, active-mons, csi-config, ceph-connection, mon-service
		"action", // allowed, patched, refused, rejected
		"reason", // a code of the table of reasons
	})); err != nil {
		return nil, err
	}
	if m.held, err = register[prometheus.Gauge](registry, prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "rook_clusterset_held_admissions",
		Help: "Admission requests that are waiting for a global IP now.",
	})); err != nil {
		return nil, err
	}
	if m.holdSeconds, err = register[prometheus.Histogram](registry, prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "rook_clusterset_hold_seconds",
		Help:    "How long admission requests waited for a global IP, of those that had to wait.",
		Buckets: []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 25, 30},
	})); err != nil {
		return nil, err
	}
	return &m, nil
}

func register[C prometheus.Collector](registry prometheus.Registerer, collector C) (C, error) {
	err := registry.Register(collector)
	if already, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if existing, ok := already.ExistingCollector.(C); ok {
			return existing, nil
		}
	}
	if err != nil {
		return collector, fmt.Errorf("register a metric of admission: %w", err)
	}
	return collector, nil
}
