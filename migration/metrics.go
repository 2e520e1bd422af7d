package migration

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

var (
	stepDesc = prometheus.NewDesc("rook_clusterset_migration_step_timestamp_seconds",
		"Since when the next step of a running cluster is what it is; reason says what is done or waited for, daemon for which one.",
		[]string{
			"namespace",
			"cluster", // the name of the CephCluster
			"daemon",  // the name of its Deployment; empty where the cluster as a whole is waited for
			"reason",  // a code of the table of reasons: of a step, or of what holds it back
		}, nil)
	remainingDesc = prometheus.NewDesc("rook_clusterset_migration_remaining_daemons",
		"How many mons and OSDs of a running cluster are to be moved to their global IPs.",
		[]string{
			"namespace",
			"cluster", // the name of the CephCluster
			"type",    // mon, osd
		}, nil)
)

// Describe implements prometheus.Collector.
func (*loop) Describe(descs chan<- *prometheus.Desc) {
	descs <- stepDesc
	descs <- remainingDesc
}

// Collect implements prometheus.Collector. On a replica that is not the leader there is nothing to tell.
func (l *loop) Collect(metrics chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for namespace, t := range l.told {
		gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{namespace, t.cluster}, labels...)...)
		}
		gauge(stepDesc, float64(t.since.Unix()), t.daemon, string(t.code))
		gauge(remainingDesc, float64(t.mons), string(rook.Mon))
		gauge(remainingDesc, float64(t.osds), string(rook.OSD))
	}
}
