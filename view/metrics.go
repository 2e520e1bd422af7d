package view

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	daemonDesc = prometheus.NewDesc("rook_clusterset_daemon_state",
		"1 for each mon and OSD; state is ok, or what keeps it from advertising its global IP.",
		[]string{
			"namespace",
			"daemon", // the name of its Deployment: rook-ceph-mon-a, rook-ceph-osd-0
			"state",  // ok and leaving, in which nobody has to do anything, or another code of rook.State
		}, nil)
	driftDesc = prometheus.NewDesc("rook_clusterset_mon_drift",
		"1 for each mon of which a source says now that its global IP is not the one that it was born with.",
		[]string{
			"namespace",
			"daemon", // the name of its Deployment
		}, nil)
	clusterDesc = prometheus.NewDesc("rook_clusterset_cluster_state",
		"1 for each CephCluster in an enabled namespace; state is served, or why it is left alone.",
		[]string{
			"namespace",
			"cluster", // the name of the CephCluster
			"state",   // served, or another code of rook.Cluster.State
		}, nil)
	leftDesc = prometheus.NewDesc("rook_clusterset_left_exports",
		"How many exports of rook-clusterset live in a namespace that is switched off; there is none of a namespace without any.",
		[]string{"namespace"}, nil)
)

// scrapeTimeout bounds the reading of the caches for one scrape.
const scrapeTimeout = 2 * time.Second

// States report the state of the daemons as the caches have it at the time of a scrape, so that no series outlives its
// daemon.
type States struct{ View *View }

// Describe implements prometheus.Collector.
func (States) Describe(descs chan<- *prometheus.Desc) {
	descs <- daemonDesc
	descs <- driftDesc
	descs <- clusterDesc
	descs <- leftDesc
}

// Collect implements prometheus.Collector.
func (s States) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	if err := s.collect(ctx, metrics); err != nil {
		metrics <- prometheus.NewInvalidMetric(daemonDesc, fmt.Errorf("read the state of the daemons: %w", err))
	}
}

func (s States) collect(ctx context.Context, metrics chan<- prometheus.Metric) error {
	left, err := s.View.LeftBehind(ctx)
	if err != nil {
		return err
	}
	for namespace, exports := range left {
		metrics <- prometheus.MustNewConstMetric(leftDesc, prometheus.GaugeValue, float64(exports), namespace)
	}
	namespaces, err := s.View.EnabledNamespaces(ctx)
	if err != nil {
		return err
	}
	gauge := func(desc *prometheus.Desc, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1, labels...)
	}
	for _, namespace := range namespaces {
		snapshot, err := s.View.Snapshot(ctx, namespace)
		if err != nil {
			return err
		}
		if snapshot.Cluster == nil {
			continue
		}
		gauge(clusterDesc, namespace, snapshot.Cluster.Name, string(snapshot.Cluster.State(s.View.ExportKindServed())))
		for _, daemon := range snapshot.Daemons {
			gauge(daemonDesc, namespace, daemon.Daemon.Name(), string(daemon.State().Code))
			if export := daemon.Export; export.Drift.IsValid() || export.Pinned && export.Refused != "" {
				gauge(driftDesc, namespace, daemon.Daemon.Name())
			}
		}
	}
	return nil
}
