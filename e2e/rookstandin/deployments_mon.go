package rookstandin

import (
	"net"
	"net/netip"
	"path"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
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
	release := o.options.Release
	v := o.podValues("mon", m.id, monsKeyring, keyringDir)
	v["publicIP"], v["zone"] = m.publicIP(), m.zone
	msgr2Only := m.endpoint.Port() == msgr2Port
	if !msgr2Only {
		v["msgr1Port"] = m.endpoint.Port()
	}
	v["msgr1Off"] = msgr2Only && release.bindsMsgr2PortOnly()
	if !o.cluster.hostNetwork {
		v["bindAddr"] = o.monBind(msgr2Only)
	}
	if release.hasServiceAccounts() {
		v["serviceAccount"] = "rook-ceph-default"
	}
	return o.deployment(monResource(m.id), o.monLabels(m, canary, false), o.monLabels(m, canary, true), pod("mon", v))
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
	volume := corev1.Volume{Name: "ceph-daemon-data"}
	if o.cluster.monPVC {
		volume.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: monResource(id)}
	} else {
		volume.HostPath = &corev1.HostPathVolumeSource{
			Path: path.Join(o.cluster.dataDir, "mon-"+id, "data"), Type: new(corev1.HostPathDirectoryOrCreate),
		}
	}
	d.Spec.Template.Spec.Volumes = append(d.Spec.Template.Spec.Volumes, volume)
}
