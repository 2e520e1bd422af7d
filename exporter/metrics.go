package exporter

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// counters count what the leader does.
type counters struct {
	reloads, orphans *prometheus.CounterVec
}

func newCounters() *counters {
	return &counters{
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rook_clusterset_reloads_total",
			Help: "How often Rook was asked to read its mon endpoints anew.",
		}, []string{"namespace"}),
		orphans: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rook_clusterset_orphans_removed_total",
			Help: "How many daemons' exports were removed after the grace period.",
		}, []string{"namespace"}),
	}
}

func (c *counters) register(registry prometheus.Registerer) error {
	return errors.Join(registry.Register(c.reloads), registry.Register(c.orphans))
}
