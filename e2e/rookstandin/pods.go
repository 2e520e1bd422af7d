package rookstandin

import (
	"fmt"
	"path"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	monPVCSize = "10Gi"
	logDir     = "/var/log/ceph"
	crashDir   = "/var/lib/ceph/crash"
	socketDir  = "/run/ceph"
	keyringDir = "/etc/ceph/keyring-store/"
	// adminKeyringDir is where an OSD finds the key with which it asks for its own.
	adminKeyringDir = "/etc/ceph/admin-keyring-store/"
)

func fieldEnv(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path},
	}}
}

func resourceEnv(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: path, Divisor: resource.MustParse("0")},
	}}
}

func configSecretEnv(name, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: ConfigSecret}, Key: key},
	}}
}

func configEnv(name, configMap, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: configMap}, Key: key},
	}}
}

// containerEnv returns the environment of every container that runs an image of Ceph.
func containerEnv(image string) []corev1.EnvVar {
	return []corev1.EnvVar{
		{Name: "CONTAINER_IMAGE", Value: image},
		fieldEnv("POD_NAME", "metadata.name"),
		fieldEnv("POD_NAMESPACE", "metadata.namespace"),
		fieldEnv("NODE_NAME", "spec.nodeName"),
		resourceEnv("POD_MEMORY_LIMIT", "limits.memory"),
		resourceEnv("POD_MEMORY_REQUEST", "requests.memory"),
		resourceEnv("POD_CPU_LIMIT", "limits.cpu"),
		resourceEnv("POD_CPU_REQUEST", "requests.cpu"),
		{Name: "CEPH_USE_RANDOM_NONCE", Value: "true"},
	}
}

// daemonEnv returns the environment of a daemon: that of its container, and how it finds the mons.
func (o *Operator) daemonEnv() []corev1.EnvVar {
	env := containerEnv(o.cluster.image)
	if o.cluster.connections {
		env = append(env, corev1.EnvVar{
			Name: "ROOK_MSGR2", Value: fmt.Sprintf("msgr2_%t_encryption_false_compression_false", o.cluster.requireMsgr2),
		})
	}
	return append(env,
		configSecretEnv("ROOK_CEPH_MON_HOST", "mon_host"),
		configSecretEnv("ROOK_CEPH_MON_INITIAL_MEMBERS", "mon_initial_members"),
	)
}

// daemonFlags returns the flags with which the command line of a mon or mgr begins.
func (o *Operator) daemonFlags(id string) []string {
	return append([]string{
		"--fsid=" + o.fsid,
		"--keyring=/etc/ceph/keyring-store/keyring",
		"--default-log-to-stderr=true",
		"--default-err-to-stderr=true",
		"--default-mon-cluster-log-to-stderr=true",
		"--default-log-stderr-prefix=debug ",
		"--default-log-to-file=false",
		"--default-mon-cluster-log-to-file=false",
		"--mon-host=$(ROOK_CEPH_MON_HOST)",
		"--mon-initial-members=$(ROOK_CEPH_MON_INITIAL_MEMBERS)",
		"--id=" + id,
		"--setuser=ceph",
		"--setgroup=ceph",
	}, o.bindFlags()...)
}

// bindFlags returns the flags of the address families; there are none where the CephCluster names no family.
func (o *Operator) bindFlags() []string {
	switch {
	case o.cluster.dualStack:
		return []string{"--ms-bind-ipv4=true", "--ms-bind-ipv6=true"}
	case o.cluster.ipFamily == "IPv4":
		return []string{"--ms-bind-ipv4=true", "--ms-bind-ipv6=false"}
	case o.cluster.ipFamily == "IPv6":
		return []string{"--ms-bind-ipv4=false", "--ms-bind-ipv6=true"}
	default:
		return nil
	}
}

// hostPath returns a volume that is a directory of the node, under that which the CephCluster names.
func (o *Operator) hostPath(name, dir string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{
		Path: path.Join(o.cluster.dataDir, dir), Type: new(corev1.HostPathDirectoryOrCreate),
	}}}
}

// baseVolumes returns the volumes that every daemon has, dataVolumes come on top.
func (o *Operator) baseVolumes(keyring string) []corev1.Volume {
	return []corev1.Volume{
		{Name: "rook-config-override", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			DefaultMode: new(int32(0o644)),
			Sources: []corev1.VolumeProjection{{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: ConfigOverride},
				Items:                []corev1.KeyToPath{{Key: "config", Path: "ceph.conf", Mode: new(int32(0o444))}},
			}}},
		}}},
		{Name: keyring, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: keyring, DefaultMode: new(int32(0o644)),
		}}},
		{Name: "ceph-admin-secret", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: monSecret, DefaultMode: new(int32(0o644)), Optional: new(true),
			Items: []corev1.KeyToPath{{Key: "ceph-secret", Path: "secret.keyring"}},
		}}},
		o.hostPath("rook-ceph-log", path.Join(o.cluster.namespace, "log")),
		o.hostPath("rook-ceph-crash", path.Join(o.cluster.namespace, "crash")),
		o.hostPath("ceph-daemons-sock-dir", "exporter"),
	}
}

func baseMounts(keyring, keyringDir, dataDir string) []corev1.VolumeMount {
	return []corev1.VolumeMount{
		{Name: "rook-config-override", ReadOnly: true, MountPath: "/etc/ceph"},
		{Name: keyring, ReadOnly: true, MountPath: keyringDir},
		{Name: "rook-ceph-log", MountPath: logDir},
		{Name: "rook-ceph-crash", MountPath: crashDir},
		{Name: "ceph-daemons-sock-dir", MountPath: socketDir},
		{Name: "ceph-daemon-data", MountPath: dataDir},
	}
}

func (o *Operator) chownContainer(mounts []corev1.VolumeMount, dataDirs ...string) corev1.Container {
	return corev1.Container{
		Name:            "chown-container-data-dir",
		Command:         []string{"chown"},
		Args:            append([]string{"--verbose", "--recursive", "ceph:ceph", logDir, crashDir, socketDir}, dataDirs...),
		Image:           o.cluster.image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		VolumeMounts:    mounts,
		SecurityContext: privileged(),
		Resources:       requests(),
	}
}

func (o *Operator) logCollector(daemon string) corev1.Container {
	return corev1.Container{
		Name: "log-collector",
		Command: []string{"/bin/bash", "-x", "-e", "-m", "-c", fmt.Sprintf(
			"CEPH_CLIENT_ID=%s\nPERIODICITY=daily\nLOG_ROTATE_CEPH_FILE=/etc/logrotate.d/ceph\n"+
				"while true; do\n  logrotate --verbose \"$LOG_ROTATE_CEPH_FILE\"\n  sleep 15m\ndone\n", daemon)},
		TTY: true, Stdin: true,
		Image:           o.cluster.image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		VolumeMounts: []corev1.VolumeMount{
			{Name: "rook-config-override", ReadOnly: true, MountPath: "/etc/ceph"},
			{Name: "rook-ceph-log", MountPath: logDir},
		},
		SecurityContext: privileged(),
		Resources:       requests(),
	}
}

func privileged() *corev1.SecurityContext {
	return &corev1.SecurityContext{Privileged: new(true), Capabilities: &corev1.Capabilities{Add: []corev1.Capability{}, Drop: []corev1.Capability{"NET_RAW"}}}
}

// requests are as a user of a small node sets them. An OSD takes what it may use from its request, and wants 896 MiB.
func requests() corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("50m"), corev1.ResourceMemory: resource.MustParse("1Gi"),
		},
		Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")},
	}
}

// startupProbe is nil where the CephCluster wants none.
func (o *Operator) startupProbe(daemonType, id string, failures int32) *corev1.Probe {
	if o.cluster.startupProbeOff[daemonType] {
		return nil
	}
	return probe(daemonType, id, failures)
}

// livenessProbe is nil where the CephCluster wants none.
func (o *Operator) livenessProbe(daemonType, id string) *corev1.Probe {
	if o.cluster.livenessProbeOff[daemonType] {
		return nil
	}
	return probe(daemonType, id, 3)
}

// probe asks the daemon through its admin socket, with the shell script that Rook writes out for it.
func probe(daemonType, id string, failures int32) *corev1.Probe {
	question := "status"
	if daemonType == "mon" {
		question = "mon_status"
	}
	script := fmt.Sprintf("\noutp=\"$(ceph --admin-daemon "+socketDir+"/ceph-%[1]s.%[2]s.asok %[3]s 2>&1)\"\nrc=$?\n"+
		"if [ $rc -ne 0 ]; then\n\techo \"ceph daemon health check failed with the following output:\"\n"+
		"\techo \"$outp\" | sed -e 's/^/> /g'\n\texit $rc\nfi\n", daemonType, id, question)
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{
			Command: []string{"env", "-i", "sh", "-c", script},
		}},
		InitialDelaySeconds: 10, TimeoutSeconds: 5, PeriodSeconds: 10, FailureThreshold: failures,
	}
}

func containerPort(name string, port int32) corev1.ContainerPort {
	return corev1.ContainerPort{Name: name, ContainerPort: port, Protocol: corev1.ProtocolTCP}
}

// podMeta returns the metadata of a pod template.
func podMeta(name, namespace string, labels map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels}
}
