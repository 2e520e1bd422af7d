package rookstandin

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"sync"
	"text/template"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

const (
	monPVCSize = "10Gi"
	keyringDir = "/etc/ceph/keyring-store/"
	// adminKeyringDir is where an OSD finds the key with which it asks for its own.
	adminKeyringDir = "/etc/ceph/admin-keyring-store/"
)

//go:embed pods.yaml
var podsText string

// podTemplates holds the pod of each type of daemon, under the name of the type.
var podTemplates = template.Must(template.New("").Funcs(template.FuncMap{
	"list": func(items ...any) []any { return items },
	"quote": func(text string) (string, error) {
		quoted, err := json.Marshal(text)
		return string(quoted), err
	},
}).Parse(podsText))

// values are what the pod of a daemon is made with.
type values map[string]any

// podValues returns what the pods of all daemons are made with.
func (o *Operator) podValues(daemonType, id, keyring, keyringDir string) values {
	v := values{
		"id": id, "fsid": o.fsid, "image": o.cluster.image, "namespace": o.cluster.namespace, "cluster": o.cluster.name,
		"uid": string(o.cluster.uid), "operatorNamespace": o.options.OperatorNamespace, "hostDir": path.Clean(o.cluster.dataDir),
		"dataDir": "/var/lib/ceph/" + daemonType + "/ceph-" + id, "chownData": true, "keyring": keyring, "keyringDir": keyringDir,
		"connections": o.cluster.connections, "requireMsgr2": o.cluster.requireMsgr2, "hostNetwork": o.cluster.hostNetwork,
		"bindFlags": o.bindFlags(), "probe": probeScript(daemonType, id), "restarts": daemonType != "mgr",
	}
	if !o.cluster.startupProbeOff[daemonType] {
		v["startup"] = 6
	}
	if !o.cluster.livenessProbeOff[daemonType] {
		v["liveness"] = 3
	}
	if o.cluster.logCollector && daemonType != "mgr" {
		v["logScript"] = fmt.Sprintf("CEPH_CLIENT_ID=ceph-%s.%s\nPERIODICITY=daily\nLOG_ROTATE_CEPH_FILE=/etc/logrotate.d/ceph\n"+
			"while true; do\n  logrotate --verbose \"$LOG_ROTATE_CEPH_FILE\"\n  sleep 15m\ndone\n", daemonType, id)
	}
	return v
}

// madePods holds each pod that was made, by its text: Rook makes the same ones again in every reconcile.
var madePods sync.Map

// pod returns the pod of a daemon. The template stands beside, so that it fails in every test or in none.
func pod(daemonType string, v values) corev1.PodSpec {
	var text strings.Builder
	spec := &corev1.PodSpec{}
	err := podTemplates.ExecuteTemplate(&text, daemonType, v)
	if made, ok := madePods.Load(text.String()); ok && err == nil {
		return *made.(*corev1.PodSpec).DeepCopy()
	}
	if err == nil {
		err = yaml.UnmarshalStrict([]byte(text.String()), spec)
	}
	if err != nil {
		panic(fmt.Sprintf("make the pod of a %s: %v", daemonType, err))
	}
	madePods.Store(text.String(), spec.DeepCopy())
	return *spec
}

// deployment returns the Deployment of a daemon that has one pod.
func (o *Operator) deployment(name string, selector, labels map[string]string, spec corev1.PodSpec) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: o.meta(name),
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: selector},
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: o.cluster.namespace, Labels: labels},
				Spec:       spec,
			},
		},
	}
	d.Labels = o.withVersions(labels)
	return d
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

// probeScript asks the daemon through its admin socket, with the shell script that Rook writes out for it.
func probeScript(daemonType, id string) string {
	question := "status"
	if daemonType == "mon" {
		question = "mon_status"
	}
	return fmt.Sprintf("\noutp=\"$(ceph --admin-daemon /run/ceph/ceph-%[1]s.%[2]s.asok %[3]s 2>&1)\"\nrc=$?\n"+
		"if [ $rc -ne 0 ]; then\n\techo \"ceph daemon health check failed with the following output:\"\n"+
		"\techo \"$outp\" | sed -e 's/^/> /g'\n\texit $rc\nfi\n", daemonType, id, question)
}
