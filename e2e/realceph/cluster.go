package realceph

import (
	"context"
	_ "embed"
	"errors"
	"runtime"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

// Version is that of Debian trixie, as Rook labels it.
const Version = "18.2.7-0"

// smallMachine is the ceph.conf for three OSDs on one node that is busy with other things.
//
//go:embed ceph.conf
var smallMachine string

// ConfigOverride returns the ConfigMap with the ceph.conf for three OSDs on one small node, which a user makes before
// the CephCluster.
func ConfigOverride(namespace string) *corev1.ConfigMap {
	// Where Debian has the classes of objects, without which an OSD knows no images. Debian's own default is relative, and the
	// working directory of Rook's containers is another than that of its services.
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: rookstandin.ConfigOverride},
		Data:       map[string]string{"config": smallMachine + "osd_class_dir = /usr/lib/" + machine + "-linux-gnu/rados-classes\n"},
	}
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
func OSDsOnFiles() (osds []rookstandin.OSD) {
	for _, id := range []string{"0", "1", "2"} {
		osds = append(osds, rookstandin.OSD{ID: id, Shape: rookstandin.OnFile})
	}
	return osds
}

// MuteDebian mutes what is always amiss with Ceph of Debian: modules of the mgr that miss Python packages. Nothing here
// needs any of them.
func MuteDebian(ctx context.Context, c Client) error {
	var all []error
	for _, code := range []string{"MGR_MODULE_DEPENDENCY", "MGR_MODULE_ERROR", "RECENT_MGR_MODULE_CRASH"} {
		all = append(all, run(ctx, c, "ceph", "health", "mute", code, "--sticky"))
	}
	return errors.Join(all...)
}
