package shapes

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// apart are the goldens of daemons that the stand-in does not have.
var apart = map[string]*regexp.Regexp{
	"changed into what Rook does not write": regexp.MustCompile(`already-right|cluster-network|flag-without-value|flags-in-command|odd-flags|without-`),
	"on a claim, encrypted or wrapped":      regexp.MustCompile(`-pvc|encrypted|flapping`),
	"mons in zones, or that float":          regexp.MustCompile(`zone|arbiter|floating`),
	"an arg for an emergency":               regexp.MustCompile(`emergency-ciphers`),
	"no mon or OSD":                         regexp.MustCompile(`^(mds|mgr)-`),
}

// TestRookIsDescribedOnce holds the shapes to the golden files of the product, recorded and composed alike: the same release with
// the same settings has the same labels, selector, containers and args in both.
func TestRookIsDescribedOnce(t *testing.T) {
	files, err := filepath.Glob("../../../rook/testdata/*.in.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".in.yaml")
		if slices.ContainsFunc(slices.Collect(maps.Values(apart)), func(r *regexp.Regexp) bool { return r.MatchString(name) }) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			golden := &appsv1.Deployment{}
			require.NoError(t, yaml.Unmarshal(text, golden))
			require.Equal(t, factsOf(golden), factsOf(likeGolden(t, golden)))
		})
	}
}

// likeGolden makes a daemon of the release, the settings and the name that the golden tells.
func likeGolden(t *testing.T, golden *appsv1.Deployment) *appsv1.Deployment {
	labels, pod := golden.Labels, golden.Spec.Template.Spec
	daemon := pod.Containers[0]
	has := func(arg string) bool { return slices.Contains(daemon.Args, arg) }
	c := &Cluster{Namespace: golden.Namespace, Name: labels["app.kubernetes.io/part-of"], key: t.Name()}
	c.CephVersion, c.OperatorNamespace = labels["ceph-version"], labels["rook.io/operator-namespace"]
	_, err := fmt.Sscanf(labels["rook-version"], "v1.%d.%d", &c.Release.Minor, &c.Release.Patch)
	require.NoError(t, err)
	c.Spec.DataDirHostPath = "/var/lib/rook"
	if pod.HostNetwork {
		c.Spec.Network.Provider = "host"
	}
	c.Spec.LogCollector.Enabled = len(pod.Containers) > 1
	switch v4, v6 := has("--ms-bind-ipv4=true"), has("--ms-bind-ipv6=true"); {
	case v4 && v6:
		c.Spec.Network.DualStack = true
	case v4:
		c.Spec.Network.IPFamily = "IPv4"
	case v6:
		c.Spec.Network.IPFamily = "IPv6"
	}
	kind, port := labels["ceph_daemon_type"], Msgr2Port
	if slices.ContainsFunc(daemon.Ports, func(p corev1.ContainerPort) bool { return p.ContainerPort == Msgr1Port }) {
		port = Msgr1Port
	}
	return Make[appsv1.Deployment](c, kind, Values{
		"type": kind, "id": labels["ceph_daemon_id"], "fsid": after(daemon.Args, "--fsid"), "publicIP": after(daemon.Args, "--public-addr"),
		"port": port, "canary": labels[CanaryLabel] != "",
		"node": labels["failure-domain"], "backing": "device", "uuid": "UUID",
		"exported": after(daemon.Args, "--public-addr"), "updated": labels["device-type"] == "",
	})
}

// after returns what stands after the flag, as one word with it or as the next.
func after(args []string, flag string) string {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, flag+"="); ok {
			return value
		}
		if arg == flag && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// elsewhere takes out what a composed golden has of its node and its device.
var elsewhere = strings.NewReplacer(
	"ssd", "hdd", " topology-location-region:eu", "", " topology-location-zone:eu-1", "", " region=eu zone=eu-1", "",
)

// factsOf returns what the two must agree in. The README of the goldens tells how the environment and what a rewrite does not
// touch differ.
func factsOf(d *appsv1.Deployment) []string {
	facts := []string{
		fmt.Sprint("labels ", d.Labels), fmt.Sprint("selector ", d.Spec.Selector.MatchLabels), fmt.Sprint("pod labels ", d.Spec.Template.Labels),
	}
	pod := d.Spec.Template.Spec
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		if c.Name == "chown-container-data-dir" {
			c.Args = nil
		}
		facts = append(facts, fmt.Sprint(c.Name, " ", c.Args))
	}
	for i := range facts {
		facts[i] = elsewhere.Replace(facts[i])
	}
	return facts
}
