package webhook

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// daemon returns a Deployment as Rook v1.17 writes it, without what its containers do.
func daemon(kind rook.Type, id string) *appsv1.Deployment {
	name := "rook-ceph-" + string(kind) + "-" + id
	labels := map[string]string{
		"app": "rook-ceph-" + string(kind), "ceph_daemon_type": string(kind), "ceph_daemon_id": id, "rook_cluster": rookNamespace,
		"app.kubernetes.io/managed-by": "rook-ceph-operator", "app.kubernetes.io/part-of": rookNamespace,
		"rook-version": "v1.17.9", "ceph-version": "18.2.7-0",
	}
	return &appsv1.Deployment{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: rookNamespace, Labels: labels,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: rookNamespace, UID: "cluster-uid",
				Controller: new(true), BlockOwnerDeletion: new(true),
			}},
		},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": labels["app"], "ceph_daemon_id": id}},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}},
		},
	}
}

func mon(id, publicAddr string) *appsv1.Deployment {
	d := daemon(rook.Mon, id)
	d.Spec.Template.Spec.InitContainers = []corev1.Container{
		{Name: "chown-container-data-dir", Command: []string{"chown"}, Args: []string{"--verbose", "ceph:ceph", "/var/lib/ceph/mon/ceph-" + id}},
		{Name: "init-mon-fs", Command: []string{"ceph-mon"}, Args: []string{"--fsid=f", "--id=" + id, "--public-addr=" + publicAddr, "--mkfs"}},
	}
	d.Spec.Template.Spec.Containers = []corev1.Container{{
		Name: "mon", Command: []string{"ceph-mon"},
		Args: []string{"--fsid=f", "--id=" + id, "--foreground", "--public-addr=" + publicAddr, "--public-bind-addr=$(ROOK_POD_IP)"},
		Env:  []corev1.EnvVar{podIP()},
	}}
	return d
}

func osd(id string) *appsv1.Deployment {
	d := daemon(rook.OSD, id)
	d.Spec.Template.Spec.Containers = []corev1.Container{{
		Name: "osd", Command: []string{"ceph-osd"},
		Args: []string{"--foreground", "--id", id, "--fsid", "f", "--crush-location=root=default host=n1", "--ms-learn-addr-from-peer=false"},
		Env:  []corev1.EnvVar{podIP()},
	}}
	return d
}

func osdAt(id, globalIP string) *appsv1.Deployment {
	d := osd(id)
	c := &d.Spec.Template.Spec.Containers[0]
	c.Args = append(c.Args, "--public-addr="+globalIP, "--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)")
	return d
}

// advertise makes a daemon that does not yet do so advertise the address.
func advertise(t testing.TB, d *appsv1.Deployment, ip netip.Addr) {
	t.Helper()
	changes, code := rook.ChangesFor(d, ip)
	require.Equal(t, reason.Rewritten, code)
	changes.Apply(d)
}

func podIP() corev1.EnvVar {
	return corev1.EnvVar{Name: "ROOK_POD_IP", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "status.podIP"}}}
}

func argsOf(d *appsv1.Deployment, container string) []string {
	pod := d.Spec.Template.Spec
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		if c.Name == container {
			return c.Args
		}
	}
	return nil
}
