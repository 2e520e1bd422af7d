package rookstandin

import (
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// daemonLabels returns what stands on every daemon; Rook calls what is not part of a selector the new labels.
func (o *Operator) daemonLabels(app, daemonType, id string, withNew bool) map[string]string {
	labels := map[string]string{
		"app":            app,
		"rook_cluster":   o.cluster.namespace,
		"ceph_daemon_id": id,
		daemonType:       id,
	}
	if withNew {
		labels["ceph_daemon_type"] = daemonType
		labels["app.kubernetes.io/name"] = "ceph-" + daemonType
		labels["app.kubernetes.io/instance"] = id
		labels["app.kubernetes.io/component"] = "cephclusters.ceph.rook.io"
		labels["app.kubernetes.io/part-of"] = o.cluster.name
		labels["app.kubernetes.io/managed-by"] = "rook-ceph-operator"
		labels["app.kubernetes.io/created-by"] = "rook-ceph-operator"
		labels["rook.io/operator-namespace"] = o.options.OperatorNamespace
	}
	return labels
}

// monLabels returns the labels of a mon, of its selector if withNew is false.
func (o *Operator) monLabels(m mon, canary, withNew bool) map[string]string {
	labels := o.daemonLabels(monApp, "mon", m.id, withNew)
	labels["mon_cluster"] = o.cluster.namespace
	if canary {
		labels[canaryLabel] = "true"
	}
	if !withNew {
		return labels
	}
	if o.cluster.monPVC {
		labels["pvc_name"] = monResource(m.id)
		labels["pvc_size"] = monPVCSize
	}
	if m.zone != "" {
		if o.options.Release.hasStretchZoneLabel() {
			labels["stretch-zone"] = m.zone
		} else {
			labels["zone"] = m.zone
		}
	}
	if !canary && o.options.Release.hasMonDaemonLabel() {
		labels["mon_daemon"] = "true"
	}
	return labels
}

func (o *Operator) osdLabels(osd OSD, host string) map[string]string {
	labels := o.daemonLabels(osdApp, "osd", osd.ID, true)
	labels["ceph-osd-id"] = osd.ID
	labels["failure-domain"] = host
	labels["portable"] = "false"
	labels["device-class"] = deviceClass
	labels["topology-location-root"] = "default"
	labels["topology-location-host"] = strings.ReplaceAll(host, ".", "-")
	if o.options.Release.hasOSDStoreLabel() {
		labels["osd-store"] = "bluestore"
	}
	if o.options.Release.hasDeviceTypeLabel() {
		labels["device-type"] = deviceClass
	}
	if o.options.Release.hasEncryptedLabel() {
		labels["encrypted"] = "false"
	}
	if osd.onPVC() {
		labels["ceph.rook.io/pvc"] = osd.claim()
		labels["ceph.rook.io/DeviceSet"] = "set1"
	}
	return labels
}

// withVersions adds the labels that stand on a Deployment and not on its pods.
func (o *Operator) withVersions(labels map[string]string) map[string]string {
	labels = maps.Clone(labels)
	labels["rook-version"] = o.options.Release.String()
	labels["ceph-version"] = o.options.CephVersion
	return labels
}

// meta returns the metadata of something that the CephCluster controls.
func (o *Operator) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: o.cluster.namespace,
		Name:      name,
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion:         CephClusterKind.GroupVersion().String(),
			Kind:               CephClusterKind.Kind,
			Name:               o.cluster.name,
			UID:                o.cluster.uid,
			Controller:         new(true),
			BlockOwnerDeletion: new(true),
		}},
	}
}

// metaUncontrolled returns the metadata of something that the CephCluster owns without controlling it.
func (o *Operator) metaUncontrolled(name string) metav1.ObjectMeta {
	m := o.meta(name)
	m.OwnerReferences[0].Controller = nil
	return m
}
