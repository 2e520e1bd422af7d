package exporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
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

var (
	exportDesc = prometheus.NewDesc("rook_clusterset_export",
		"1 for each daemon that is exported; state is ready, or why it cannot advertise a global IP.",
		[]string{"namespace", "daemon", "state"}, nil)
	driftDesc = prometheus.NewDesc("rook_clusterset_mon_drift",
		"1 for each mon whose export has another global IP now than the mon was born with.",
		[]string{"namespace", "daemon"}, nil)
	asideDesc = prometheus.NewDesc("rook_clusterset_cluster",
		"1 for each CephCluster in an enabled namespace; state is served, or why it is left alone.",
		[]string{"namespace", "cluster", "state"}, nil)
)

// scrapeTimeout bounds the reading of the caches for one scrape.
const scrapeTimeout = 2 * time.Second

// gauges tell the state of the exports as the caches have it at the time of a scrape, so that no series outlives its
// daemon.
type gauges struct{ view *View }

// Describe implements prometheus.Collector.
func (gauges) Describe(descs chan<- *prometheus.Desc) {
	descs <- exportDesc
	descs <- driftDesc
	descs <- asideDesc
}

// Collect implements prometheus.Collector.
func (g gauges) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	if err := g.collect(ctx, metrics); err != nil {
		metrics <- prometheus.NewInvalidMetric(exportDesc, fmt.Errorf("read the exports: %w", err))
	}
}

func (g gauges) collect(ctx context.Context, metrics chan<- prometheus.Metric) error {
	namespaces, err := g.view.EnabledNamespaces(ctx)
	if err != nil {
		return err
	}
	gauge := func(desc *prometheus.Desc, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1, labels...)
	}
	for _, namespace := range namespaces {
		cluster, err := g.view.Cluster(ctx, namespace)
		if err != nil {
			return err
		}
		if cluster == nil {
			continue
		}
		gauge(asideDesc, namespace, cluster.Name, clusterState(*cluster, g.view.kinds))
		exports, err := g.view.Exports(ctx, namespace)
		if err != nil {
			return err
		}
		for name, export := range exports {
			kind, id, ok := rook.ParseName(name)
			if !ok {
				continue
			}
			d := rook.Daemon{Type: kind, ID: id, Namespace: namespace, Cluster: cluster.Name}
			gauge(exportDesc, namespace, name, exportState(d, export))
			if export.Drift.IsValid() {
				gauge(driftDesc, namespace, name)
			}
		}
	}
	return nil
}

func clusterState(cluster rook.Cluster, kinds resolver.Kinds) string {
	if code := cluster.StandAside(); code != "" {
		return string(code)
	}
	if _, served := kinds.Served(resolver.ServiceExport); !served {
		return string(reason.NoServiceExportKind)
	}
	return "served"
}

func exportState(d rook.Daemon, export rook.Export) string {
	if export.Identity == rook.IdentityCluster {
		return string(reason.IdentityCluster)
	}
	if why := export.Why(d); why != nil {
		return string(why.Code)
	}
	return "ready"
}
