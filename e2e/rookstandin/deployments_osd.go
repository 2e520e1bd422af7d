package rookstandin

import (
	"maps"
	"net/netip"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
)

// Shape is how an OSD is backed; the shape of its Deployment follows from it.
type Shape int

// Shapes of an OSD.
const (
	// OnNode is an OSD on a device of a node.
	OnNode Shape = iota
	// RawPVC is an OSD on a PVC in raw mode.
	RawPVC
	// LVMPVC is a legacy OSD on a PVC in LVM mode, which Rook's own binary starts.
	LVMPVC
	// OnFile is an OSD on a file of a node. Rook has none: it is for real OSDs on a machine without spare devices, and
	// like OnNode but for how its data comes to be.
	OnFile
)

// OSD is one OSD that the prepare job reports.
type OSD struct {
	ID    string
	Shape Shape
	// Fast adds the tuning flags of a fast storage class to an OSD on a PVC.
	Fast bool
	// FileSize is the size of the file of an OSD on a file, 4 GiB by default; little of it is ever written.
	FileSize int64
	// Lost makes a prepare job name the OSD once, and Rook write no Deployment of it: so it is where the operator ends
	// between the two, and the device is gone when it is back.
	Lost bool
}

func (osd OSD) fileSize() int64 {
	if osd.FileSize == 0 {
		return 4 << 30
	}
	return osd.FileSize
}

// onPVC says whether the OSD is on a claim, and not on a device or a file of one node.
func (osd OSD) onPVC() bool { return osd.Shape == RawPVC || osd.Shape == LVMPVC }

// uuid returns the UUID that the prepare job gave the OSD.
func (osd OSD) uuid() string {
	return "00000000-0000-4000-8000-" + strings.Repeat("0", 12-len(osd.ID)) + osd.ID
}

func (osd OSD) claim() string { return "set1-data-" + osd.ID }

var fastFlags = []string{
	"--osd-op-num-threads-per-shard=2",
	"--osd-op-num-shards=8",
	"--osd-recovery-sleep=0",
	"--osd-snap-trim-sleep=0",
	"--osd-delete-sleep=0",
	"--bluestore-min-alloc-size=4096",
	"--bluestore-prefer-deferred-size=0",
	"--bluestore-compression-min-blob-size=8912",
	"--bluestore-compression-max-blob-size=65536",
	"--bluestore-max-blob-size=65536",
	"--bluestore-cache-size=3221225472",
	"--bluestore-throttle-cost-per-io=4000",
	"--bluestore-deferred-batch-ops=16",
}

const (
	deviceClass    = "hdd"
	flappingScript = "\nfunction wait_on_flapping() {\n\texit_code=$1\n\tif [ \"$exit_code\" -eq 133 ]; then\n\t\tsleep 24h\n\tfi\n}\n" +
		"\"$@\" &\npid=$!\ntrap 'kill -TERM \"$pid\"; wait \"$pid\"' TERM\nwait \"$pid\"\nwait_on_flapping \"$?\"\n"
	activateScript = "\nset -o errexit\nset -o pipefail\nset -o nounset\nset -o xtrace\n\nOSD_ID=\"$ROOK_OSD_ID\"\nCV_MODE=raw\n" +
		"DEVICE=\"$ROOK_BLOCK_PATH\"\nOSD_LIST=\"$(mktemp)\"\nceph-volume raw list \"$DEVICE\" > \"$OSD_LIST\"\ncat \"$OSD_LIST\"\n" +
		"ceph-volume raw activate --device \"$DEVICE\" --no-systemd --no-tmpfs\n"
	// activateFileScript begins as Rook's script does, which asks for the key in the same words, and then does for a file
	// what ceph-volume does for a device. Data that was begun and not finished is begun anew.
	activateFileScript = "\nset -o errexit\nset -o pipefail\nset -o nounset\nset -o xtrace\n\nOSD_DATA_DIR=/var/lib/ceph/osd/ceph-\"$ROOK_OSD_ID\"\n" +
		"ceph -n client.admin auth get-or-create osd.\"$ROOK_OSD_ID\" mon 'allow profile osd' mgr 'allow profile osd' osd 'allow *'" +
		" -k " + adminKeyringDir + "keyring > /tmp/keyring\n" +
		"[ -s \"$OSD_DATA_DIR\"/ready ] || rm -rf \"${OSD_DATA_DIR:?}\"/*\n" +
		"mv /tmp/keyring \"$OSD_DATA_DIR\"/keyring\n" +
		"[ -s \"$OSD_DATA_DIR\"/ready ] || ceph-osd --id \"$ROOK_OSD_ID\" --fsid \"$1\" --mkfs --no-mon-config" +
		" --osd-uuid \"$ROOK_OSD_UUID\" --bluestore-block-size=\"$2\"\n"
)

// updatedOSDDeployment returns the Deployment of an OSD that had one before. Releases that do not read the type of its device
// from there have lost it by then.
func (o *Operator) updatedOSDDeployment(osd OSD, node Node, exported netip.Addr) *appsv1.Deployment {
	d := o.osdDeployment(osd, node, exported)
	if !o.options.Release.keepsDeviceType() {
		delete(d.Labels, "device-type")
		delete(d.Spec.Template.Labels, "device-type")
	}
	return d
}

// osdDeployment returns the Deployment of an OSD. The exported address is given in native multi-cluster mode alone.
func (o *Operator) osdDeployment(osd OSD, node Node, exported netip.Addr) *appsv1.Deployment {
	release := o.options.Release
	v := o.podValues("osd", osd.ID, adminKeyring, adminKeyringDir)
	mode, block := osd.block()
	maps.Copy(v, values{
		"node": node.Name, "uuid": osd.uuid(), "mode": mode, "block": block, "crushLocation": "--crush-location=" + node.crushLocation(),
		"deviceClass": deviceClass, "crushDeviceClass": release.tellsCrushDeviceClass(), "serviceAccount": prepareServiceAccount,
		"inits": o.osdInitContainers(osd), "activate": []string{activateScript}, "command": o.osdCommand(osd),
		"device": osd.Shape == OnNode, "chownData": osd.Shape == OnFile,
	})
	if osd.Shape == OnFile {
		v["activate"] = []string{activateFileScript, "--", o.fsid, strconv.FormatInt(osd.fileSize(), 10)}
	}
	if osd.onPVC() {
		v["claim"] = osd.claim()
	}
	if osd.Fast && osd.onPVC() {
		v["tuning"] = fastFlags
	}
	if exported.IsValid() {
		v["exported"] = exported.String()
	}
	if v["startup"] != nil {
		v["startup"] = 720
	}
	selector := map[string]string{"app": osdApp, "rook_cluster": o.cluster.namespace, "ceph-osd-id": osd.ID}
	d := o.deployment(osdResource(osd.ID), selector, o.osdLabels(osd, node.Name), pod("osd", v))
	d.Annotations, d.Spec.Template.Annotations = maps.Clone(o.cluster.osdAnnotations), map[string]string{}
	maps.Copy(d.Spec.Template.Annotations, o.cluster.osdAnnotations)
	if release.hasKeyRotation() {
		d.Spec.Template.Annotations["cephx-status"] = `{"keyGeneration":0,"keyCephVersion":""}`
	}
	return d
}

func (o *Operator) osdCommand(osd OSD) []string {
	command := []string{"ceph-osd"}
	if osd.Shape == LVMPVC {
		command = []string{"/rook/rook"}
	}
	if o.cluster.flapping && o.options.Release.canWrapFlappingOSDs() {
		command = append([]string{"bash", "-x", "-c", flappingScript, "--"}, command...)
	}
	return command
}

// osdInitContainers returns the names of the init containers in order, but for the last, which all daemons have.
func (o *Operator) osdInitContainers(osd OSD) []string {
	var names []string
	switch osd.Shape {
	case OnNode, OnFile:
		names = []string{"activate", "expand-bluefs"}
	case RawPVC:
		names = []string{"blkdevmapper", "activate", "expand-bluefs"}
	case LVMPVC:
		names = []string{"config-init", "copy-bins", "blkdevmapper"}
		if !o.options.Release.atLeast(13, 0) {
			names = append(names, "expand-bluefs")
		}
	}
	if o.options.Release.hasKeyRotation() {
		names = append(names, "cephx-keyring-update")
	}
	return names
}

// block returns how the data of the OSD is kept, and where.
func (osd OSD) block() (mode, path string) {
	switch osd.Shape {
	case RawPVC:
		return "raw", "/mnt/" + osd.claim()
	case LVMPVC:
		return "lvm", "/dev/ceph-block/osd-block-" + osd.ID
	case OnFile:
		return "raw", "/var/lib/ceph/osd/ceph-" + osd.ID + "/block"
	case OnNode:
	}
	return "raw", "/dev/vdb"
}
