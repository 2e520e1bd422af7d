package rookstandin

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// builder returns an operator that only builds objects.
func builder(t *testing.T, release string, edits ...func(*settings)) *Operator {
	t.Helper()
	parsed, err := ParseRelease(release)
	require.NoError(t, err)
	o := &Operator{
		options: Options{Release: parsed, CephVersion: "18.2.7-0", OperatorNamespace: "rook-system", Nodes: DefaultNodes},
		cluster: settings{namespace: "rook-ceph", name: "my-cluster", uid: "uid", image: "ceph", monCount: 3},
		fsid:    "F",
		memory:  newMemory(),
		clock:   wallClock{},
	}
	for _, edit := range edits {
		edit(&o.cluster)
	}
	return o
}

func container(t *testing.T, containers []corev1.Container, name string) corev1.Container {
	t.Helper()
	i := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return containers[i]
}

func names(containers []corev1.Container) []string {
	var all []string
	for _, c := range containers {
		all = append(all, c.Name)
	}
	return all
}

// commonFlags are those with which every command line of a mon begins.
const commonFlags = "--fsid=F --keyring=/etc/ceph/keyring-store/keyring --default-log-to-stderr=true --default-err-to-stderr=true " +
	"--default-mon-cluster-log-to-stderr=true --default-log-stderr-prefix=debug  --default-log-to-file=false " +
	"--default-mon-cluster-log-to-file=false --mon-host=$(ROOK_CEPH_MON_HOST) " +
	"--mon-initial-members=$(ROOK_CEPH_MON_INITIAL_MEMBERS) --id=a --setuser=ceph --setgroup=ceph "

func TestArgumentsOfAMon(t *testing.T) {
	const match = " --setuser-match-path=/var/lib/ceph/mon/ceph-a/store.db"
	ipv6 := func(s *settings) { s.ipFamily = "IPv6" }
	for name, c := range map[string]struct {
		release  string
		edit     func(*settings)
		endpoint string
		zone     string
		mkfs     string
		daemon   string
	}{
		"on port 6789": {
			"v1.19.10", nil, "10.96.0.1:6789", "",
			"--public-addr=10.96.0.1 --mkfs",
			"--foreground --public-addr=10.96.0.1" + match + " --public-bind-addr=$(ROOK_POD_IP)",
		},
		"on port 3300, up to 1.14.2": {
			"v1.14.2", nil, "10.96.0.1:3300", "",
			"--public-addr=10.96.0.1 --mkfs",
			"--foreground --public-addr=10.96.0.1" + match + " --public-bind-addr=$(ROOK_POD_IP)",
		},
		"on port 3300, since 1.14.3": {
			"v1.14.3", nil, "10.96.0.1:3300", "",
			"--public-addr=10.96.0.1 --mkfs",
			"--foreground --public-addr=10.96.0.1" + match + " --ms-bind-msgr1=false --public-bind-addr=$(ROOK_POD_IP):3300",
		},
		"of IPv6 on port 3300": {
			"v1.20.6", ipv6, "[fd00::1]:3300", "",
			"--ms-bind-ipv4=false --ms-bind-ipv6=true --public-addr=fd00::1 --mkfs",
			"--ms-bind-ipv4=false --ms-bind-ipv6=true --foreground --public-addr=fd00::1" + match + " --ms-bind-msgr1=false --public-bind-addr=[$(ROOK_POD_IP)]:3300",
		},
		"of both families on port 3300": {
			"v1.20.6", func(s *settings) { s.dualStack = true }, "10.96.0.1:3300", "",
			"--ms-bind-ipv4=true --ms-bind-ipv6=true --public-addr=10.96.0.1 --mkfs",
			"--ms-bind-ipv4=true --ms-bind-ipv6=true --foreground --public-addr=10.96.0.1" + match + " --ms-bind-msgr1=false --public-bind-addr=$(ROOK_POD_IP)",
		},
		"in a zone": {
			"v1.17.9", nil, "10.96.0.1:6789", "z1",
			"--public-addr=10.96.0.1 --mkfs",
			"--foreground --public-addr=10.96.0.1" + match + " --set-crush-location zone=z1 --public-bind-addr=$(ROOK_POD_IP)",
		},
		"on the host network": {
			"v1.20.6", func(s *settings) { s.hostNetwork = true }, "192.168.0.1:6789", "",
			"--public-addr=192.168.0.1 --mkfs",
			"--foreground --public-addr=192.168.0.1" + match,
		},
	} {
		t.Run(name, func(t *testing.T) {
			edit := c.edit
			if edit == nil {
				edit = func(*settings) {}
			}
			o := builder(t, c.release, edit)
			pod := o.monDeployment(mon{id: "a", endpoint: netip.MustParseAddrPort(c.endpoint), zone: c.zone}, false).Spec.Template.Spec
			require.Equal(t, []string{"chown-container-data-dir", "init-mon-fs"}, names(pod.InitContainers))
			require.Equal(t, commonFlags+c.mkfs, strings.Join(pod.InitContainers[1].Args, " "))
			require.Equal(t, commonFlags+c.daemon, strings.Join(pod.Containers[0].Args, " "))
			last := pod.Containers[0].Env[len(pod.Containers[0].Env)-1]
			require.Equal(t, "ROOK_POD_IP", last.Name)
			require.NotContains(t, fmt.Sprint(pod.InitContainers[1].Env), "ROOK_POD_IP")
		})
	}
}

func TestLabelsThatDifferByRelease(t *testing.T) {
	for release, c := range map[string]struct{ mon, canary, osd []string }{
		"v1.11.11": {mon: []string{"stretch-zone"}, canary: []string{"mon_canary", "stretch-zone"}},
		"v1.12.11": {mon: []string{"zone"}, canary: []string{"mon_canary", "zone"}, osd: []string{"osd-store"}},
		"v1.15.7":  {mon: []string{"mon_daemon", "zone"}, canary: []string{"mon_canary", "zone"}, osd: []string{"device-type", "osd-store"}},
		"v1.20.6":  {mon: []string{"mon_daemon", "zone"}, canary: []string{"mon_canary", "zone"}, osd: []string{"device-type", "encrypted", "osd-store"}},
	} {
		t.Run(release, func(t *testing.T) {
			o := builder(t, release)
			differing := func(d *appsv1.Deployment, candidates ...string) []string {
				return slices.DeleteFunc(candidates, func(key string) bool { _, ok := d.Labels[key]; return !ok })
			}
			m := mon{id: "a", endpoint: netip.MustParseAddrPort("10.96.0.1:6789"), zone: "z1"}
			require.Equal(t, c.mon, differing(o.monDeployment(m, false), "mon_canary", "mon_daemon", "stretch-zone", "zone"))
			require.Equal(t, c.canary, differing(o.canaryDeployment(m), "mon_canary", "mon_daemon", "stretch-zone", "zone"))
			osd := o.osdDeployment(OSD{ID: "3"}, DefaultNodes[0], netip.Addr{})
			require.ElementsMatch(t, c.osd, differing(osd, "device-type", "encrypted", "osd-store"))
			require.Equal(t, release, osd.Labels["rook-version"])
			require.NotContains(t, osd.Spec.Template.Labels, "rook-version")
			require.Equal(t, map[string]string{"app": "rook-ceph-osd", "rook_cluster": "rook-ceph", "ceph-osd-id": "3"}, osd.Spec.Selector.MatchLabels)
			require.Equal(t, map[string]string{
				"app": "rook-ceph-mon", "rook_cluster": "rook-ceph", "mon_cluster": "rook-ceph", "ceph_daemon_id": "a", "mon": "a",
			}, o.monDeployment(m, false).Spec.Selector.MatchLabels)
		})
	}
}

func TestBothKindsOfCanary(t *testing.T) {
	for release, keepsArgs := range map[string]bool{
		"v1.16.9": false, "v1.17.8": false, "v1.17.9": true, "v1.18.4": false, "v1.18.5": true, "v1.20.6": true,
	} {
		t.Run(release, func(t *testing.T) {
			canary := builder(t, release).canaryDeployment(mon{id: "b", endpoint: netip.AddrPortFrom(netip.Addr{}, 6789)})
			require.Equal(t, "rook-ceph-mon-b-canary", canary.Name)
			require.Equal(t, "true", canary.Labels["mon_canary"])
			require.Empty(t, canary.Spec.Template.Spec.InitContainers)
			c := container(t, canary.Spec.Template.Spec.Containers, "mon")
			if keepsArgs {
				require.Contains(t, c.Args, "--public-addr=")
			} else {
				require.Equal(t, []string{"3600"}, c.Args)
			}
		})
	}
}

func TestShapesOfAnOSD(t *testing.T) {
	const logging = "--default-log-to-stderr=true --default-err-to-stderr=true --default-mon-cluster-log-to-stderr=true " +
		"--default-log-stderr-prefix=debug  --default-log-to-file=false --default-mon-cluster-log-to-file=false --ms-learn-addr-from-peer=false"
	const start = "--foreground --id 3 --fsid F --setuser ceph --setgroup ceph --crush-location=root=default host=node-1 "
	for name, c := range map[string]struct {
		release  string
		osd      OSD
		flapping bool
		command  string
		args     string
		init     []string
	}{
		"on a node": {
			"v1.19.10",
			OSD{ID: "3"},
			false, "ceph-osd", start + logging,
			[]string{"activate", "expand-bluefs", "cephx-keyring-update", "chown-container-data-dir"},
		},
		"on a node, before keys were rotated": {
			"v1.17.9",
			OSD{ID: "3"},
			false, "ceph-osd", start + logging,
			[]string{"activate", "expand-bluefs", "chown-container-data-dir"},
		},
		"on a file, which Rook has not": {
			"v1.20.6",
			OSD{ID: "3", Shape: OnFile, Fast: true},
			false, "ceph-osd", start + logging,
			[]string{"activate", "expand-bluefs", "cephx-keyring-update", "chown-container-data-dir"},
		},
		"on a raw PVC, tuned": {
			"v1.20.6",
			OSD{ID: "3", Shape: RawPVC, Fast: true},
			false, "ceph-osd", start + strings.Join(fastFlags, " ") + " " + logging,
			[]string{"blkdevmapper", "activate", "expand-bluefs", "cephx-keyring-update", "chown-container-data-dir"},
		},
		"on a PVC with LVM": {
			"v1.12.11",
			OSD{ID: "3", Shape: LVMPVC},
			false, "/rook/rook", "ceph osd start -- " + start + logging,
			[]string{"config-init", "copy-bins", "blkdevmapper", "expand-bluefs", "chown-container-data-dir"},
		},
		"wrapped against flapping": {
			"v1.20.6",
			OSD{ID: "3"},
			true, "bash -x -c " + flappingScript + " -- ceph-osd", start + logging,
			[]string{"activate", "expand-bluefs", "cephx-keyring-update", "chown-container-data-dir"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := builder(t, c.release, func(s *settings) { s.flapping = c.flapping; s.logCollector = true })
			d := o.osdDeployment(c.osd, DefaultNodes[0], netip.Addr{})
			require.Equal(t, "rook-ceph-osd-3", d.Name)
			pod := d.Spec.Template.Spec
			require.Equal(t, []string{"osd", "log-collector"}, names(pod.Containers))
			require.Equal(t, c.init, names(pod.InitContainers))
			require.Equal(t, c.command, strings.Join(pod.Containers[0].Command, " "))
			require.Equal(t, c.args, strings.Join(pod.Containers[0].Args, " "))
			require.Contains(t, fmt.Sprint(pod.Containers[0].Env), "ROOK_POD_IP")
			seen := map[string]bool{}
			for _, env := range pod.Containers[0].Env {
				require.False(t, seen[env.Name], "%s twice", env.Name)
				seen[env.Name] = true
			}
		})
	}
}

func TestWhatIsADifference(t *testing.T) {
	osd := func(t *testing.T) *appsv1.Deployment {
		return builder(t, "v1.20.6").osdDeployment(OSD{ID: "0"}, DefaultNodes[0], netip.Addr{})
	}
	for name, c := range map[string]struct {
		change  func(stored *appsv1.Deployment)
		differs bool
	}{
		"nothing":                      {func(*appsv1.Deployment) {}, false},
		"an argument that was added":   {func(d *appsv1.Deployment) { addArg(d, "--public-addr=242.0.0.1") }, true},
		"an environment variable more": {func(d *appsv1.Deployment) { addEnv(d, "EXTRA") }, false},
		"an annotation more":           {func(d *appsv1.Deployment) { d.Annotations["deployment.kubernetes.io/revision"] = "1" }, false},
		"a default of the API server":  {func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds = new(int32(600)) }, false},
		"a container more": {func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers = append(d.Spec.Template.Spec.Containers, corev1.Container{Name: "sidecar"})
		}, false},
		"the replicas":   {func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(0)) }, true},
		"a label lost":   {func(d *appsv1.Deployment) { delete(d.Labels, "app") }, true},
		"the status":     {func(d *appsv1.Deployment) { d.Status.ReadyReplicas = 1 }, false},
		"the generation": {func(d *appsv1.Deployment) { d.Generation, d.ResourceVersion = 7, "9" }, false},
	} {
		t.Run(name, func(t *testing.T) {
			stored := osd(t)
			require.NoError(t, setLastApplied(stored))
			c.change(stored)
			different, err := differs(stored, osd(t))
			require.NoError(t, err)
			require.Equal(t, c.differs, different)
		})
	}
}

func TestWhatTheOperatorNoLongerWantsIsADifference(t *testing.T) {
	stored := builder(t, "v1.20.6", func(s *settings) { s.logCollector = true }).osdDeployment(OSD{ID: "0"}, DefaultNodes[0], netip.Addr{})
	require.NoError(t, setLastApplied(stored))
	wanted := builder(t, "v1.20.6").osdDeployment(OSD{ID: "0"}, DefaultNodes[0], netip.Addr{})
	different, err := differs(stored, wanted)
	require.NoError(t, err)
	require.True(t, different)
}

func TestTheNoteOfWhatWasAppliedIsTheSameEachTime(t *testing.T) {
	first := builder(t, "v1.20.6").osdDeployment(OSD{ID: "0"}, DefaultNodes[0], netip.Addr{})
	second := first.DeepCopy()
	require.NoError(t, setLastApplied(first))
	require.NoError(t, setLastApplied(second))
	require.Equal(t, first.Annotations, second.Annotations)
	text, err := lastApplied(first)
	require.NoError(t, err)
	require.Contains(t, string(text), `"name":"rook-ceph-osd-0"`)
}

func addArg(d *appsv1.Deployment, arg string) {
	c := &d.Spec.Template.Spec.Containers[0]
	c.Args = append(c.Args, arg)
}

func addEnv(d *appsv1.Deployment, name string) {
	c := &d.Spec.Template.Spec.Containers[0]
	c.Env = append(c.Env, corev1.EnvVar{Name: name})
}
