package rookstandin

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	keyringScript  = "\nset -o errexit\ntrue\n"
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
	name := osdResource(osd.ID)
	labels := o.osdLabels(osd, node.Name)
	d := &appsv1.Deployment{
		ObjectMeta: o.meta(name),
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{
				"app": osdApp, "rook_cluster": o.cluster.namespace, "ceph-osd-id": osd.ID,
			}},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: podMeta(name, o.cluster.namespace, labels),
				Spec:       o.osdPod(osd, node, exported),
			},
		},
	}
	d.Annotations, d.Spec.Template.Annotations = maps.Clone(o.cluster.osdAnnotations), map[string]string{}
	maps.Copy(d.Spec.Template.Annotations, o.cluster.osdAnnotations)
	if o.options.Release.hasKeyRotation() {
		d.Spec.Template.Annotations["cephx-status"] = `{"keyGeneration":0,"keyCephVersion":""}`
	}
	d.Labels = o.withVersions(o.osdLabels(osd, node.Name))
	return d
}

func (o *Operator) osdPod(osd OSD, node Node, exported netip.Addr) corev1.PodSpec {
	dataDir := "/var/lib/ceph/osd/ceph-" + osd.ID
	mounts := baseMounts(adminKeyring, adminKeyringDir, dataDir)
	volumes := append(o.baseVolumes(adminKeyring), o.osdVolumes(osd)...)
	udev := corev1.VolumeMount{Name: "run-udev", MountPath: "/run/udev"}
	switch osd.Shape {
	case OnNode:
		mounts = append(mounts, udev, corev1.VolumeMount{Name: "devices", MountPath: "/dev"})
	case RawPVC, LVMPVC:
		mounts = append(mounts, udev, corev1.VolumeMount{Name: osd.claim() + "-bridge", MountPath: "/mnt/" + osd.claim()})
	case OnFile:
	}
	pod := corev1.PodSpec{
		ServiceAccountName: prepareServiceAccount,
		HostNetwork:        o.cluster.hostNetwork,
		HostIPC:            true,
		RestartPolicy:      corev1.RestartPolicyAlways,
		Volumes:            volumes,
		SecurityContext:    &corev1.PodSecurityContext{},
		Containers:         []corev1.Container{o.osdContainer(osd, node, mounts, exported)},
	}
	if o.cluster.hostNetwork {
		pod.DNSPolicy = corev1.DNSClusterFirstWithHostNet
	}
	if !osd.onPVC() {
		pod.NodeSelector = map[string]string{corev1.LabelHostname: node.Name}
	}
	for _, name := range o.osdInitContainers(osd) {
		pod.InitContainers = append(pod.InitContainers, o.osdInitContainer(osd, name, mounts, dataDir))
	}
	if o.cluster.logCollector {
		pod.ShareProcessNamespace = new(true)
		pod.Containers = append(pod.Containers, o.logCollector("ceph-osd."+osd.ID))
	}
	return pod
}

func (o *Operator) osdInitContainer(osd OSD, name string, mounts []corev1.VolumeMount, dataDir string) corev1.Container {
	init := corev1.Container{
		Name: name, Image: o.cluster.image, ImagePullPolicy: corev1.PullIfNotPresent,
		VolumeMounts: mounts, SecurityContext: privileged(), Resources: requests(),
	}
	switch name {
	case "activate":
		init.Command, init.Env = []string{"/bin/bash", "-c", activateScript}, activateEnv(osd)
		if osd.Shape == OnFile {
			init.Command = []string{"/bin/bash", "-c", activateFileScript, "--", o.fsid, strconv.FormatInt(osd.fileSize(), 10)}
			init.Env = append(init.Env, corev1.EnvVar{Name: "ROOK_OSD_UUID", Value: osd.uuid()})
		}
	case "chown-container-data-dir":
		init = o.chownContainer(mounts)
		if osd.Shape == OnFile {
			init.Args = append(init.Args, dataDir)
		}
	case "expand-bluefs":
		init.Command = []string{"ceph-bluestore-tool"}
		init.Args = []string{"bluefs-bdev-expand", "--path", dataDir}
	case "blkdevmapper":
		init.Command = []string{"/bin/bash", "-c", "set -xe; cp --archive --dereference --verbose /" + osd.claim() + " " + dataDir + "/block"}
		init.VolumeMounts = nil
		init.VolumeDevices = []corev1.VolumeDevice{{Name: osd.claim(), DevicePath: "/" + osd.claim()}}
	case "cephx-keyring-update":
		init.Command = []string{"/bin/bash", "-c", keyringScript}
		init.Env = []corev1.EnvVar{
			configSecretEnv("ROOK_CEPH_MON_HOST", "mon_host"), {Name: "CEPH_ARGS", Value: "--mon-host=$(ROOK_CEPH_MON_HOST)"},
		}
	default:
		init.Command = []string{"/bin/bash", "-c", "true"}
	}
	return init
}

// osdInitContainers returns the names of the init containers in order.
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
	return append(names, "chown-container-data-dir")
}

func (o *Operator) osdContainer(osd OSD, node Node, mounts []corev1.VolumeMount, exported netip.Addr) corev1.Container {
	command := []string{"ceph-osd"}
	if osd.Shape == LVMPVC {
		command = []string{"/rook/rook"}
	}
	if o.cluster.flapping && o.options.Release.canWrapFlappingOSDs() {
		command = append([]string{"bash", "-x", "-c", flappingScript, "--"}, command...)
	}
	c := corev1.Container{
		Name:            "osd",
		Command:         command,
		Args:            o.osdArgs(osd, node, exported),
		Image:           o.cluster.image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		VolumeMounts:    mounts,
		Env:             o.osdEnv(osd, node),
		EnvFrom: []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: "rook-ceph-osd-env-override"}, Optional: new(true),
		}}},
		Resources:       requests(),
		SecurityContext: privileged(),
		StartupProbe:    o.startupProbe("osd", osd.ID, 720),
		LivenessProbe:   o.livenessProbe("osd", osd.ID),
		WorkingDir:      logDir,
	}
	if exported.IsValid() {
		c.Ports = append(c.Ports, containerPort("osd-port-v2", 6800))
		if !o.cluster.requireMsgr2 {
			c.Ports = append(c.Ports, containerPort("osd-port-v1", 6801))
		}
	}
	return c
}

func (o *Operator) osdArgs(osd OSD, node Node, exported netip.Addr) []string {
	var args []string
	if osd.Shape == LVMPVC {
		args = append(args, "ceph", "osd", "start", "--")
	}
	args = append(args,
		"--foreground", "--id", osd.ID, "--fsid", o.fsid, "--setuser", "ceph", "--setgroup", "ceph",
		"--crush-location="+node.crushLocation())
	if osd.Fast && osd.onPVC() {
		args = append(args, fastFlags...)
	}
	args = append(args,
		"--default-log-to-stderr=true",
		"--default-err-to-stderr=true",
		"--default-mon-cluster-log-to-stderr=true",
		"--default-log-stderr-prefix=debug ",
		"--default-log-to-file=false",
		"--default-mon-cluster-log-to-file=false")
	if !o.cluster.hostNetwork {
		args = append(args, "--ms-learn-addr-from-peer=false")
	}
	args = append(args, o.bindFlags()...)
	if exported.IsValid() {
		args = append(args, "--public-addr="+exported.String(),
			"--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)")
	}
	return args
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

// volumeEnv is what ceph-volume is told wherever it runs.
var volumeEnv = []corev1.EnvVar{
	{Name: "CEPH_VOLUME_DEBUG", Value: "1"}, {Name: "CEPH_VOLUME_SKIP_RESTORECON", Value: "1"}, {Name: "DM_DISABLE_UDEV", Value: "1"},
}

func activateEnv(osd OSD) []corev1.EnvVar {
	_, block := osd.block()
	return append(slices.Clone(volumeEnv),
		configSecretEnv("ROOK_CEPH_MON_HOST", "mon_host"),
		corev1.EnvVar{Name: "CEPH_ARGS", Value: "-m $(ROOK_CEPH_MON_HOST)"},
		corev1.EnvVar{Name: "ROOK_BLOCK_PATH", Value: block},
		corev1.EnvVar{Name: "ROOK_METADATA_DEVICE"},
		corev1.EnvVar{Name: "ROOK_WAL_DEVICE"},
		corev1.EnvVar{Name: "ROOK_OSD_ID", Value: osd.ID},
	)
}

func (o *Operator) osdEnv(osd OSD, node Node) []corev1.EnvVar {
	mode, block := osd.block()
	env := []corev1.EnvVar{
		{Name: "ROOK_NODE_NAME", Value: node.Name},
		{Name: "ROOK_CLUSTER_ID", Value: string(o.cluster.uid)},
		{Name: "ROOK_CLUSTER_NAME", Value: o.cluster.name},
		fieldEnv("ROOK_PRIVATE_IP", "status.podIP"),
		fieldEnv("ROOK_PUBLIC_IP", "status.podIP"),
		configEnv("ROOK_MON_ENDPOINTS", EndpointsConfigMap, dataKey),
		{Name: "ROOK_CONFIG_DIR", Value: "/var/lib/rook"},
		{Name: "ROOK_CEPH_CONFIG_OVERRIDE", Value: "/etc/rook/config/override.conf"},
		{Name: "ROOK_CRUSHMAP_ROOT", Value: "default"},
		{Name: "ROOK_CRUSHMAP_HOSTNAME", Value: node.Name},
	}
	env = append(env, volumeEnv...)
	env = append(env, corev1.EnvVar{Name: "ROOK_OSDS_PER_DEVICE", Value: "1"})
	env = append(env, containerEnv(o.cluster.image)...)
	env = append(env,
		corev1.EnvVar{Name: "ROOK_OSD_RESTART_INTERVAL", Value: "0"},
		corev1.EnvVar{Name: "ROOK_OSD_UUID", Value: osd.uuid()},
		corev1.EnvVar{Name: "ROOK_OSD_ID", Value: osd.ID},
		configSecretEnv("ROOK_CEPH_MON_HOST", "mon_host"),
		corev1.EnvVar{Name: "CEPH_ARGS", Value: "-m $(ROOK_CEPH_MON_HOST)"},
		corev1.EnvVar{Name: "ROOK_BLOCK_PATH", Value: block},
		corev1.EnvVar{Name: "ROOK_CV_MODE", Value: mode},
		corev1.EnvVar{Name: "ROOK_OSD_DEVICE_CLASS", Value: deviceClass},
	)
	if o.options.Release.tellsCrushDeviceClass() {
		env = append(env, corev1.EnvVar{Name: "ROOK_OSD_CRUSH_DEVICE_CLASS", Value: deviceClass})
	}
	if osd.onPVC() {
		env = append(env, corev1.EnvVar{Name: "ROOK_PVC_BACKED_OSD", Value: "true"})
	}
	return append(env, fieldEnv("ROOK_POD_IP", "status.podIP"))
}

func (o *Operator) osdVolumes(osd OSD) []corev1.Volume {
	volumes := []corev1.Volume{o.hostPath("ceph-daemon-data", o.cluster.namespace+"/osd"+osd.ID)}
	if osd.Shape == OnFile {
		return volumes
	}
	volumes = append(volumes, corev1.Volume{Name: "run-udev", VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: "/run/udev"},
	}})
	if osd.Shape == OnNode {
		return append(volumes, corev1.Volume{Name: "devices", VolumeSource: corev1.VolumeSource{
			HostPath: &corev1.HostPathVolumeSource{Path: "/dev"},
		}})
	}
	return append(volumes,
		corev1.Volume{Name: osd.claim(), VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: osd.claim()},
		}},
		corev1.Volume{Name: osd.claim() + "-bridge", VolumeSource: corev1.VolumeSource{
			EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
		}},
	)
}
