package exporter

import (
	"cmp"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// counters count what the leader does.
type counters struct {
	reloads, orphans, resolutions *prometheus.CounterVec
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
		resolutions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rook_clusterset_resolutions_total",
			Help: "How often a global IP was asked for, by the source that the outcome is due to and why an answer was taken or not.",
		}, []string{
			"source", // GlobalIngressIP, SubmarinerServiceImport, ServiceImport, DNS; none where no one of them is to be named
			"reason", // address_resolved, or the code of a refusal of package resolver, or used_by_another_daemon
		}),
	}
}

// resolved counts the outcome of one question.
func (c *counters) resolved(source string, refusal *reason.Error) {
	code := reason.AddressResolved
	if refusal != nil {
		code = refusal.Code
	}
	c.resolutions.WithLabelValues(cmp.Or(source, "none"), string(code)).Inc()
}

func (c *counters) register(registry prometheus.Registerer) error {
	return errors.Join(registry.Register(c.reloads), registry.Register(c.orphans), registry.Register(c.resolutions))
}
