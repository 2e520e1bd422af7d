package realceph

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

const keyringDir = "/etc/ceph/keyring-store"

// KeyringSecret returns a Secret with the keyring of a client, such as a mirror daemon.
func KeyringSecret(namespace, name, entity, key string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		StringData: map[string]string{"keyring": "[" + entity + "]\n\tkey = " + key + "\n"},
	}
}

// MirrorEntity is the name with which a mirror daemon logs in to its own cluster, MirrorCaps what it may do there.
const MirrorEntity = "client.rbd-mirror.a"

// MirrorKeyring is the Secret in which the mirror daemon finds the keyring of MirrorEntity.
const MirrorKeyring = mirrorName + "-keyring"

const mirrorName = "rook-ceph-rbd-mirror-a"

// MirrorCaps are pairs of a daemon type and what is allowed there.
func MirrorCaps() []string { return []string{"mon", "profile rbd-mirror", "osd", "profile rbd"} }

// MirrorDeployment returns the Deployment of the mirror daemon as Rook writes it for a CephRBDMirror named a, in the
// namespace of a cluster with that fsid. The Secret MirrorKeyring must hold the keyring of MirrorEntity.
func MirrorDeployment(namespace, image, fsid string) *appsv1.Deployment {
	labels := map[string]string{
		"app": "rook-ceph-rbd-mirror", "rook_cluster": namespace, "rbd-mirror": "a",
		"ceph_daemon_id": "a", "ceph_daemon_type": "rbd-mirror",
	}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: mirrorName, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Name: mirrorName, Labels: labels},
				Spec: corev1.PodSpec{
					Containers: []corev1.Container{{
						Name: "rbd-mirror", Image: image, ImagePullPolicy: corev1.PullIfNotPresent,
						Command: []string{"rbd-mirror"},
						Args: []string{
							"--fsid=" + fsid,
							"--keyring=" + keyringDir + "/keyring",
							"--default-log-to-stderr=true",
							"--default-err-to-stderr=true",
							"--default-mon-cluster-log-to-stderr=true",
							"--default-log-stderr-prefix=debug ",
							"--default-log-to-file=false",
							"--default-mon-cluster-log-to-file=false",
							"--mon-host=$(ROOK_CEPH_MON_HOST)",
							"--mon-initial-members=$(ROOK_CEPH_MON_INITIAL_MEMBERS)",
							"--id=a",
							"--setuser=ceph",
							"--setgroup=ceph",
							"--foreground",
							"--name=" + MirrorEntity,
						},
						Env: []corev1.EnvVar{monHostEnv(), configEnv("ROOK_CEPH_MON_INITIAL_MEMBERS", "mon_initial_members")},
						VolumeMounts: []corev1.VolumeMount{
							{Name: "rook-config-override", ReadOnly: true, MountPath: "/etc/ceph"},
							{Name: "keyring", ReadOnly: true, MountPath: keyringDir},
							{Name: "ceph-daemons-sock-dir", MountPath: "/run/ceph"},
						},
					}},
					Volumes: []corev1.Volume{
						// The daemon insists on an /etc/ceph/ceph.conf; its own cluster it knows from its arguments.
						{Name: "rook-config-override", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
							LocalObjectReference: corev1.LocalObjectReference{Name: rookstandin.ConfigOverride},
							Items:                []corev1.KeyToPath{{Key: "config", Path: "ceph.conf"}},
						}}},
						secretVolume("keyring", MirrorKeyring),
						// Without a directory for its admin socket the daemon aborts; this one is for everybody to write.
						{Name: "ceph-daemons-sock-dir", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
					},
				},
			},
		},
	}
}

func monHostEnv() corev1.EnvVar { return configEnv("ROOK_CEPH_MON_HOST", "mon_host") }

// configEnv reads what Rook wrote for the daemons of the namespace.
func configEnv(name, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: rookstandin.ConfigSecret}, Key: key,
	}}}
}

func secretVolume(name, secret string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: secret}}}
}
