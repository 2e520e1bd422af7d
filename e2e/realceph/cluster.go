package realceph

import (
	"runtime"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// Version is that of Debian trixie, as Rook labels it.
const Version = "18.2.7-0"

// smallMachine is the ceph.conf for three OSDs on one node that is busy with other things.
var smallMachine = []string{
	"[global]",
	// There is one node: the copies of an object are on different OSDs of it.
	"osd_crush_chooseleaf_type = 0",
	"osd_pool_default_size = 2",
	"osd_pool_default_min_size = 1",
	"osd_pool_default_pg_autoscale_mode = off",
	"osd_memory_target = 939524096",
	// A disk that is filled by others is no news here.
	"mon_data_avail_warn = 2",
	"mon_data_avail_crit = 1",
	"auth_allow_insecure_global_id_reclaim = false",
	// An OSD whose pod was deleted must be seen to be down before it is up again at another address.
	"osd_heartbeat_interval = 2",
	"osd_heartbeat_grace = 10",
	"mon_osd_min_down_reporters = 1",
	// Nobody waits half a minute to hear how the mirroring goes.
	"rbd_mirror_image_state_check_interval = 2",
	"rbd_mirror_pool_replayers_refresh_interval = 5",
	"rbd_mirror_sync_point_update_age = 5",
}

// ConfigOverride returns the ConfigMap with the ceph.conf for three OSDs on one small node, which a user makes before
// the CephCluster; more lines may follow.
func ConfigOverride(namespace string, lines ...string) *corev1.ConfigMap {
	all := append(append([]string{}, smallMachine...), "osd_class_dir = "+classDir())
	all = append(all, lines...)
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: rookstandin.ConfigOverride},
		Data:       map[string]string{"config": strings.Join(all, "\n") + "\n"},
	}
}

// classDir returns where Debian has the classes of objects, without which an OSD knows no images. Debian's own default is
// relative, and the working directory of Rook's containers is another than that of its services.
func classDir() string {
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	return "/usr/lib/" + machine + "-linux-gnu/rados-classes"
}

// OneNode returns what to change in a CephCluster for a single node: the image of Ceph, where on the node the daemons
// keep their data, and mons that may share the node. Probes are off, as each is a Python program that starts every few
// seconds.
func OneNode(image, dataDir string) func(spec map[string]any) {
	return func(spec map[string]any) {
		spec["cephVersion"] = map[string]any{"image": image, "allowUnsupported": true}
		spec["dataDirHostPath"] = dataDir
		spec["mon"] = map[string]any{"count": int64(3), "allowMultiplePerNode": true}
		off := map[string]any{}
		for _, daemonType := range []string{"mon", "mgr", "osd"} {
			off[daemonType] = map[string]any{"disabled": true}
		}
		spec["healthCheck"] = map[string]any{"startupProbe": off, "livenessProbe": off}
	}
}

// OSDsOnFiles returns three OSDs on files of the node.
func OSDsOnFiles() []rookstandin.OSD {
	return []rookstandin.OSD{
		{ID: "0", Shape: rookstandin.OnFile}, {ID: "1", Shape: rookstandin.OnFile}, {ID: "2", Shape: rookstandin.OnFile},
	}
}
