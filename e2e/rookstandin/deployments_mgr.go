package rookstandin

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mgrLabels returns the labels of the mgr, of its selector if withNew is false.
func (o *Operator) mgrLabels(withNew bool) map[string]string {
	labels := o.daemonLabels(mgrApp, "mgr", mgrID, withNew)
	labels["instance"] = mgrID
	if withNew {
		labels["mgr_role"] = "active"
	}
	return labels
}

// mgrDeployment returns the Deployment of the one mgr: a daemon beside the mons and OSDs that nobody rewrites.
func (o *Operator) mgrDeployment() *appsv1.Deployment {
	const id, name = mgrID, "rook-ceph-mgr-" + mgrID
	dataDir := "/var/lib/ceph/mgr/ceph-" + id
	mounts := baseMounts(name+"-keyring", keyringDir, dataDir)
	volumes := append(o.baseVolumes(name+"-keyring"),
		corev1.Volume{Name: "ceph-daemon-data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	d := &appsv1.Deployment{
		ObjectMeta: o.meta(name),
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: o.mgrLabels(false)},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: podMeta(name, o.cluster.namespace, o.mgrLabels(true)),
				Spec: corev1.PodSpec{
					InitContainers: []corev1.Container{o.chownContainer(mounts, dataDir)},
					Containers: []corev1.Container{{
						Name:    "mgr",
						Command: []string{"ceph-mgr"},
						Args: append(o.daemonFlags(id), "--client-mount-uid=0", "--client-mount-gid=0", "--foreground",
							"--public-addr=$(ROOK_POD_IP)"),
						Image:        o.cluster.image,
						VolumeMounts: mounts,
						Resources:    requests(),
						Ports: []corev1.ContainerPort{
							containerPort("mgr", 6800), containerPort("http-metrics", 9283), containerPort("dashboard", 7000),
						},
						Env: append(o.daemonEnv(),
							corev1.EnvVar{Name: "ROOK_OPERATOR_NAMESPACE", Value: o.options.OperatorNamespace},
							corev1.EnvVar{Name: "ROOK_CEPH_CLUSTER_CRD_VERSION", Value: CephClusterKind.Version},
							corev1.EnvVar{Name: "ROOK_CEPH_CLUSTER_CRD_NAME", Value: o.cluster.name},
							corev1.EnvVar{Name: "CEPH_ARGS", Value: "--mon-host $(ROOK_CEPH_MON_HOST) --keyring " + keyringDir + "keyring"},
							fieldEnv("ROOK_POD_IP", "status.podIP")),
						StartupProbe:  o.startupProbe("mgr", id, 6),
						LivenessProbe: o.livenessProbe("mgr", id),
						WorkingDir:    logDir,
					}},
					Volumes:     volumes,
					HostNetwork: o.cluster.hostNetwork,
				},
			},
		},
	}
	if o.options.Release.hasServiceAccounts() {
		d.Spec.Template.Spec.ServiceAccountName = "rook-ceph-mgr"
	}
	d.Labels = o.withVersions(o.mgrLabels(true))
	return d
}
