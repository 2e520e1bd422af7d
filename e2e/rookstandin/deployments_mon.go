package rookstandin

import (
	"net"
	"net/netip"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mon is a mon as the operator is about to write it.
type mon struct {
	id       string
	endpoint netip.AddrPort
	zone     string
}

// publicIP returns the address as Rook writes it into the arguments: empty as long as there is none.
func (m mon) publicIP() string {
	if !m.endpoint.Addr().IsValid() {
		return ""
	}
	return m.endpoint.Addr().String()
}

// monDeployment returns the Deployment of a mon without its storage and its node, which Rook adds later.
func (o *Operator) monDeployment(m mon, canary bool) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: o.meta(monResource(m.id)),
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: o.monLabels(m, canary, false)},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: podMeta(monResource(m.id), o.cluster.namespace, o.monLabels(m, canary, true)),
				Spec:       o.monPod(m),
			},
		},
	}
	d.Labels = o.withVersions(o.monLabels(m, canary, true))
	return d
}

func (o *Operator) monPod(m mon) corev1.PodSpec {
	dataDir := "/var/lib/ceph/mon/ceph-" + m.id
	mounts := baseMounts(monsKeyring, keyringDir, dataDir)
	pod := corev1.PodSpec{
		InitContainers: []corev1.Container{
			o.chownContainer(mounts, dataDir),
			{
				Name:            "init-mon-fs",
				Command:         []string{"ceph-mon"},
				Args:            append(o.daemonFlags(m.id), "--public-addr="+m.publicIP(), "--mkfs"),
				Image:           o.cluster.image,
				ImagePullPolicy: corev1.PullIfNotPresent,
				VolumeMounts:    mounts,
				SecurityContext: privileged(),
				Env:             o.daemonEnv(),
				Resources:       requests(),
			},
		},
		Containers:      []corev1.Container{o.monContainer(m, mounts, dataDir)},
		RestartPolicy:   corev1.RestartPolicyAlways,
		Volumes:         o.baseVolumes(monsKeyring),
		HostNetwork:     o.cluster.hostNetwork,
		SecurityContext: &corev1.PodSecurityContext{},
		Tolerations: []corev1.Toleration{{
			Key: "node.kubernetes.io/unreachable", Operator: corev1.TolerationOpExists,
			Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(5)),
		}},
	}
	if o.options.Release.hasServiceAccounts() {
		pod.ServiceAccountName = "rook-ceph-default"
	}
	if o.cluster.hostNetwork {
		pod.DNSPolicy = corev1.DNSClusterFirstWithHostNet
	}
	if o.cluster.logCollector {
		pod.ShareProcessNamespace = new(true)
		pod.Containers = append(pod.Containers, o.logCollector("ceph-mon."+m.id))
	}
	if m.zone != "" {
		pod.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{m.zone},
				}},
			}}},
		}}
	}
	return pod
}

func (o *Operator) monContainer(m mon, mounts []corev1.VolumeMount, dataDir string) corev1.Container {
	args := append(o.daemonFlags(m.id),
		"--foreground", "--public-addr="+m.publicIP(), "--setuser-match-path="+dataDir+"/store.db")
	ports := []corev1.ContainerPort{containerPort("tcp-msgr2", msgr2Port)}
	msgr2Only := m.endpoint.Port() == msgr2Port
	if !msgr2Only {
		ports = append(ports, containerPort("tcp-msgr1", int32(m.endpoint.Port())))
	}
	if msgr2Only && o.options.Release.bindsMsgr2PortOnly() {
		args = append(args, "--ms-bind-msgr1=false")
	}
	if m.zone != "" {
		args = append(args, "--set-crush-location", "zone="+m.zone)
	}
	if !o.cluster.hostNetwork {
		args = append(args, "--public-bind-addr="+o.monBind(msgr2Only))
	}
	return corev1.Container{
		Name:            "mon",
		Command:         []string{"ceph-mon"},
		Args:            args,
		Image:           o.cluster.image,
		ImagePullPolicy: corev1.PullIfNotPresent,
		VolumeMounts:    mounts,
		SecurityContext: privileged(),
		Ports:           ports,
		Env:             append(o.daemonEnv(), fieldEnv("ROOK_POD_IP", "status.podIP")),
		Resources:       requests(),
		StartupProbe:    o.startupProbe("mon", m.id, 6),
		LivenessProbe:   o.livenessProbe("mon", m.id),
		WorkingDir:      logDir,
	}
}

// monBind returns the address that the mon binds. A mon of msgr2 alone binds with the port, lest it listens on both.
func (o *Operator) monBind(msgr2Only bool) string {
	const podIP = "$(ROOK_POD_IP)"
	if !msgr2Only || o.cluster.dualStack || !o.options.Release.bindsMsgr2PortOnly() {
		return podIP
	}
	if o.cluster.ipFamily == "IPv6" {
		return "[" + podIP + "]:" + strconv.Itoa(msgr2Port)
	}
	return net.JoinHostPort(podIP, strconv.Itoa(msgr2Port))
}

// canaryDeployment returns the Deployment that finds a node for a mon by being scheduled in its stead.
func (o *Operator) canaryDeployment(m mon) *appsv1.Deployment {
	d := o.monDeployment(mon{id: m.id, endpoint: netip.AddrPortFrom(netip.Addr{}, m.endpoint.Port()), zone: m.zone}, true)
	d.Name += "-canary"
	template := &d.Spec.Template
	template.Name += "-canary"
	template.Spec.InitContainers = nil
	canary := &template.Spec.Containers[0]
	canary.StartupProbe, canary.LivenessProbe = nil, nil
	canary.Command, canary.Args = sleepCommand(canary.Args, o.options.Release.canaryKeepsArgs())
	o.addMonStorage(d, m.id)
	return d
}

func sleepCommand(args []string, keepArgs bool) ([]string, []string) {
	if keepArgs {
		return []string{"/bin/bash", "-c", "trap 'exit' SIGTERM\nwhile true; do sleep 1; done"}, args
	}
	return []string{"sleep"}, []string{"3600"}
}

// addMonStorage adds where the mon keeps its store.
func (o *Operator) addMonStorage(d *appsv1.Deployment, id string) {
	volume := o.hostPath("ceph-daemon-data", "mon-"+id+"/data")
	if o.cluster.monPVC {
		volume.HostPath = nil
		volume.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: monResource(id)}
	}
	d.Spec.Template.Spec.Volumes = append(d.Spec.Template.Spec.Volumes, volume)
}
