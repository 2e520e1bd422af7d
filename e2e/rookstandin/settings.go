package rookstandin

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

const defaultCephImage = "quay.io/ceph/ceph:v20.2.4"

// NewCephCluster returns a CephCluster of three mons as a user would write it; each edit may change its spec.
func NewCephCluster(namespace, name string, edits ...func(spec map[string]any)) *unstructured.Unstructured {
	spec := map[string]any{
		"cephVersion":     map[string]any{"image": defaultCephImage},
		"dataDirHostPath": "/var/lib/rook",
		"mon":             map[string]any{"count": int64(3), "allowMultiplePerNode": false},
		"mgr":             map[string]any{"count": int64(1)},
		"network":         map[string]any{},
		"storage":         map[string]any{"useAllNodes": true, "useAllDevices": true},
	}
	for _, edit := range edits {
		edit(spec)
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(CephClusterKind)
	u.SetNamespace(namespace)
	u.SetName(name)
	return u
}

// settings is what the operator reads of a CephCluster.
type settings struct {
	namespace, name string
	uid             types.UID
	generation      int64
	image           string
	dataDir         string
	monCount        int
	monPVC          bool
	zones           []zone
	hostNetwork     bool
	native          bool
	clusterID       string
	external        bool
	requireMsgr2    bool
	connections     bool
	ipFamily        string
	dualStack       bool
	logCollector    bool
	flapping        bool
	monCheckOff     bool
	monInterval     time.Duration
	monTimeout      time.Duration
	skipped         bool
	// osdAnnotations are for the OSDs and their pods.
	osdAnnotations map[string]string
	// Which probes are off, by the type of the daemon.
	startupProbeOff, livenessProbeOff map[string]bool
}

type zone struct {
	name    string
	arbiter bool
}

func readSettings(u *unstructured.Unstructured) settings {
	field := func(path ...string) any {
		v, _, _ := unstructured.NestedFieldNoCopy(u.Object, append([]string{"spec"}, path...)...)
		return v
	}
	yes := func(path ...string) bool { b, _ := field(path...).(bool); return b }
	text := func(path ...string) string { t, _ := field(path...).(string); return t }
	number := func(path ...string) int { n, _ := field(path...).(int64); return int(n) }
	duration := func(path ...string) time.Duration { d, _ := time.ParseDuration(text(path...)); return d }

	s := settings{
		namespace:    u.GetNamespace(),
		name:         u.GetName(),
		uid:          u.GetUID(),
		generation:   u.GetGeneration(),
		image:        text("cephVersion", "image"),
		dataDir:      text("dataDirHostPath"),
		monCount:     number("mon", "count"),
		monPVC:       field("mon", "volumeClaimTemplate") != nil,
		hostNetwork:  text("network", "provider") == "host" || yes("network", "hostNetwork"),
		native:       yes("network", "multiClusterService", "enabled"),
		clusterID:    text("network", "multiClusterService", "clusterID"),
		external:     yes("external", "enable"),
		requireMsgr2: yes("network", "connections", "requireMsgr2") || yes("network", "connections", "encryption", "enabled") || yes("network", "connections", "compression", "enabled"),
		connections:  field("network", "connections") != nil,
		ipFamily:     text("network", "ipFamily"),
		dualStack:    yes("network", "dualStack"),
		logCollector: yes("logCollector", "enabled"),
		flapping:     number("storage", "flappingRestartIntervalHours") != 0,
		monCheckOff:  yes("healthCheck", "daemonHealth", "mon", "disabled"),
		monInterval:  duration("healthCheck", "daemonHealth", "mon", "interval"),
		monTimeout:   duration("healthCheck", "daemonHealth", "mon", "timeout"),
	}
	s.osdAnnotations, _, _ = unstructured.NestedStringMap(u.Object, "spec", "annotations", "osd")
	_, s.skipped = u.GetLabels()[skipReconcileLabel]
	for _, path := range [][]string{{"mon", "stretchCluster", "zones"}, {"mon", "zones"}} {
		for _, item := range asList(field(path...)) {
			z, _ := item.(map[string]any)
			name, _ := z["name"].(string)
			arbiter, _ := z["arbiter"].(bool)
			s.zones = append(s.zones, zone{name: name, arbiter: arbiter})
		}
	}
	s.startupProbeOff, s.livenessProbeOff = map[string]bool{}, map[string]bool{}
	for _, daemonType := range []string{"mon", "mgr", "osd"} {
		s.startupProbeOff[daemonType] = yes("healthCheck", "startupProbe", daemonType, "disabled")
		s.livenessProbeOff[daemonType] = yes("healthCheck", "livenessProbe", daemonType, "disabled")
	}
	if s.image == "" {
		s.image = defaultCephImage
	}
	if s.dataDir == "" {
		s.dataDir = "/var/lib/rook"
	}
	return s
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

func (s settings) newMonPort() int {
	if s.requireMsgr2 {
		return msgr2Port
	}
	return msgr1Port
}
