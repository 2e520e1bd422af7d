package rook_test

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

var globalIP = netip.MustParseAddr("242.0.0.10")

// deployment returns the least that is still a daemon of Rook.
func deployment(kind rook.Type, id string, own corev1.Container, init ...corev1.Container) *appsv1.Deployment {
	own.Name = string(kind)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "rook-ceph",
			Name:      "rook-ceph-" + string(kind) + "-" + id,
			Labels: map[string]string{
				rook.AppLabel: "rook-ceph-" + string(kind), rook.DaemonTypeLabel: string(kind), rook.DaemonIDLabel: id, rook.OSDIDLabel: id,
			},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "rook-ceph", UID: "uid-1", Controller: new(true),
			}},
		},
		Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			InitContainers: init, Containers: []corev1.Container{own},
		}}},
	}
}

func monAt(address string) *appsv1.Deployment {
	return deployment(rook.Mon, "a",
		corev1.Container{Args: []string{"--id=a", "--public-addr=" + address, "--public-bind-addr=$(ROOK_POD_IP)"}, Env: podIP},
		corev1.Container{Name: "init-mon-fs", Args: []string{"--id=a", "--public-addr=" + address, "--mkfs"}})
}

func osdWith(args ...string) *appsv1.Deployment {
	return deployment(rook.OSD, "0", corev1.Container{Args: args, Env: podIP})
}

func osdAt(address string) *appsv1.Deployment {
	return osdWith("--foreground", "--public-addr="+address, "--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)")
}

var podIP = []corev1.EnvVar{{Name: "ROOK_POD_IP", ValueFrom: &corev1.EnvVarSource{
	FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "status.podIP"},
}}}

// rewrite makes the Deployment advertise the address, and says what became of it.
func rewrite(d *appsv1.Deployment, ip netip.Addr) reason.Code {
	changes, code := rook.ChangesFor(d, ip)
	changes.Apply(d)
	return code
}

func TestTheFlagsOfAnOSDStandOnceHoweverTheyStood(t *testing.T) {
	const public, bind, cluster = "--public-addr=242.0.0.10", "--public-bind-addr=$(ROOK_POD_IP)", "--cluster-addr=$(ROOK_POD_IP)"
	for name, c := range map[string]struct{ args, want []string }{
		"absent, they are added at the end": {
			args: []string{"--foreground", "--id", "0"}, want: []string{"--foreground", "--id", "0", public, bind, cluster},
		},
		"present, they stay in their place": {
			args: []string{"--cluster-addr=$(ROOK_POD_IP)", "--id", "0", "--public-addr=10.1.1.1", "--foreground"},
			want: []string{cluster, "--id", "0", public, "--foreground", bind},
		},
		"a value of its own argument goes with its flag": {
			args: []string{"--public-addr", "10.1.1.1", "--id", "0", "--public-bind-addr", "10.1.1.1"}, want: []string{public, "--id", "0", bind, cluster},
		},
		"underscores are dashes": {
			args: []string{"--public_addr=10.1.1.1", "--public_bind-addr", "10.1.1.1", "--cluster_addr=$(ROOK_POD_IP)"}, want: []string{public, bind, cluster},
		},
		"what stands twice stands once": {
			args: []string{"--public-addr=10.1.1.1", "--id=0", "--public_addr", "10.1.1.2", "--public-addr=10.1.1.3"}, want: []string{public, "--id=0", bind, cluster},
		},
		"an empty value is replaced": {
			args: []string{"--public-addr=", "--cluster-addr="}, want: []string{public, cluster, bind},
		},
		"the address of a cluster network is kept": {
			args: []string{"--cluster-addr", "192.168.7.7", "--foreground"}, want: []string{"--cluster-addr=192.168.7.7", "--foreground", public, bind},
		},
		"of several addresses of a cluster network the last is kept, as Ceph would": {
			args: []string{"--cluster-addr=192.168.7.7", "--cluster-addr=192.168.7.8"}, want: []string{"--cluster-addr=192.168.7.8", public, bind},
		},
		"flags that only begin alike are others": {
			args: []string{"--public-address=x", "--public-network=10.0.0.0/8", "-public-addr=y", "--cluster-addrs"},
			want: []string{"--public-address=x", "--public-network=10.0.0.0/8", "-public-addr=y", "--cluster-addrs", public, bind, cluster},
		},
		"those of Rook's own binary come before the flags of Ceph": {
			args: []string{"ceph", "osd", "start", "--", "--foreground", "--public-addr=10.1.1.1"},
			want: []string{"ceph", "osd", "start", "--", "--foreground", public, bind, cluster},
		},
		"only a whole command of Rook's own binary is one": {
			args: []string{"ceph", "osd", "start", "--public-addr=10.1.1.1"}, want: []string{"ceph", "osd", "start", public, bind, cluster},
		},
		"what follows the end of the flags stays behind it": {
			args: []string{"--foreground", "--", "--public-addr=10.1.1.1"}, want: []string{"--foreground", public, bind, cluster, "--", "--public-addr=10.1.1.1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := osdWith(c.args...)
			require.Equal(t, reason.Rewritten, rewrite(d, globalIP))
			require.Equal(t, c.want, d.Spec.Template.Spec.Containers[0].Args)
			require.Equal(t, reason.AlreadyRight, rewrite(d, globalIP))
		})
	}
}

func TestWhatIsNotUnderstoodStaysAsItIs(t *testing.T) {
	mkfs := corev1.Container{Name: "init-mon-fs", Args: []string{"--public-addr=10.1.1.1", "--mkfs"}}
	for name, d := range map[string]*appsv1.Deployment{
		"a flag without its value at the end":                 osdWith("--foreground", "--public-addr"),
		"a flag without its value before another":             osdWith("--public-addr", "--foreground"),
		"an OSD without arguments":                            osdWith(),
		"an OSD without its container":                        renamed(osdAt("10.1.1.1"), "ceph-osd"),
		"an OSD whose command has a flag":                     deployment(rook.OSD, "0", corev1.Container{Command: []string{"ceph-osd", "--public_addr=10.1.1.1"}, Args: []string{"-f"}}),
		"an OSD whose script has a flag":                      deployment(rook.OSD, "0", corev1.Container{Command: []string{"sh", "-c", "exec ceph-osd --cluster-addr=1.2.3.4 $@"}, Args: []string{"-f"}}),
		"a mon without a public address":                      deployment(rook.Mon, "a", corev1.Container{Args: []string{"--id=a"}}, mkfs),
		"a mon that makes its store without address":          deployment(rook.Mon, "a", corev1.Container{Args: mkfs.Args}, corev1.Container{Name: "init-mon-fs", Args: []string{"--mkfs"}}),
		"a mon that does not make its store":                  deployment(rook.Mon, "a", corev1.Container{Args: mkfs.Args}),
		"a mon with a command that has a flag":                deployment(rook.Mon, "a", corev1.Container{Command: mkfs.Args, Args: mkfs.Args}, mkfs),
		"a mon that makes its store by a command with a flag": deployment(rook.Mon, "a", corev1.Container{Args: mkfs.Args}, corev1.Container{Name: "init-mon-fs", Command: mkfs.Args, Args: mkfs.Args}),
		"a mon with a bind flag without its value":            deployment(rook.Mon, "a", corev1.Container{Args: []string{"--public-addr=10.1.1.1", "--public-bind-addr"}}, mkfs),
	} {
		t.Run(name, func(t *testing.T) {
			before := d.DeepCopy()
			require.Equal(t, reason.MalformedDeployment, rewrite(d, globalIP))
			require.Equal(t, before, d)
		})
	}
}

func renamed(d *appsv1.Deployment, container string) *appsv1.Deployment {
	d.Spec.Template.Spec.Containers[0].Name = container
	return d
}

func TestADaemonIsNotGivenAnAddressOfAFamilyThatItDoesNotBind(t *testing.T) {
	v4, v6 := netip.MustParseAddr("242.0.0.10"), netip.MustParseAddr("fd42::10")
	for name, c := range map[string]struct {
		flags []string
		ip    netip.Addr
		want  reason.Code
	}{
		"nothing is said":                           {ip: v6, want: reason.Rewritten},
		"only IPv4, given IPv4":                     {flags: []string{"--ms-bind-ipv4=true", "--ms-bind-ipv6=false"}, ip: v4, want: reason.Rewritten},
		"only IPv4, given IPv6":                     {flags: []string{"--ms-bind-ipv4=true", "--ms-bind-ipv6=false"}, ip: v6, want: reason.AddressFamilyMismatch},
		"only IPv6, given IPv4":                     {flags: []string{"--ms_bind_ipv4", "false", "--ms_bind_ipv6", "true"}, ip: v4, want: reason.AddressFamilyMismatch},
		"both, given IPv6":                          {flags: []string{"--ms-bind-ipv4=true", "--ms-bind-ipv6=true"}, ip: v6, want: reason.Rewritten},
		"said twice, the last counts":               {flags: []string{"--ms-bind-ipv6=true", "--ms-bind-ipv6=false"}, ip: v6, want: reason.AddressFamilyMismatch},
		"only IPv4, given IPv4 in the form of IPv6": {flags: []string{"--ms-bind-ipv6=false"}, ip: netip.MustParseAddr("::ffff:242.0.0.10"), want: reason.Rewritten},
	} {
		t.Run(name, func(t *testing.T) {
			d := osdWith(append(c.flags, "--foreground")...)
			require.Equal(t, c.want, rewrite(d, c.ip))
			if c.want == reason.Rewritten {
				ip, _ := rook.Address(d)
				require.Equal(t, c.ip.Unmap(), ip)
			}
		})
	}
}

func TestNoAddressIsNeverWritten(t *testing.T) {
	d := osdWith("--foreground")
	require.Equal(t, reason.AddressUnknown, rewrite(d, netip.Addr{}))
	require.Equal(t, osdWith("--foreground"), d)
}

func TestTheAddressOfADaemonIsThatOfItsOwnContainer(t *testing.T) {
	for name, c := range map[string]struct {
		d    *appsv1.Deployment
		want string
	}{
		"a mon":                     {d: monAt("10.96.0.1"), want: "10.96.0.1"},
		"a mon with IPv6":           {d: monAt("fd00::1"), want: "fd00::1"},
		"an OSD":                    {d: osdAt("242.0.0.10"), want: "242.0.0.10"},
		"the last of several":       {d: osdWith("--public-addr=1.1.1.1", "--public_addr", "1.1.1.2"), want: "1.1.1.2"},
		"an OSD that has none":      {d: osdWith("--foreground")},
		"a mon that has none yet":   {d: monAt("")},
		"one that is only expanded": {d: osdWith("--public-addr=$(ROOK_POD_IP)")},
		"one without a value":       {d: osdWith("--public-addr")},
		"not a daemon":              {d: &appsv1.Deployment{}},
		"no such container":         {d: renamed(osdAt("1.1.1.1"), "other")},
	} {
		t.Run(name, func(t *testing.T) {
			ip, ok := rook.Address(c.d)
			require.Equal(t, c.want != "", ok)
			if ok {
				require.Equal(t, c.want, ip.String())
			}
		})
	}
}
