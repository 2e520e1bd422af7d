package rook

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// What Rook names in the pod of a mon or an OSD.
const (
	initMonFSContainer = "init-mon-fs"

	publicAddrFlag     = "--public-addr"
	publicBindAddrFlag = "--public-bind-addr"
	clusterAddrFlag    = "--cluster-addr"
	bindIPv4Flag       = "--ms-bind-ipv4"
	bindIPv6Flag       = "--ms-bind-ipv6"

	podIPEnv   = "ROOK_POD_IP"
	podIPValue = "$(" + podIPEnv + ")"
)

// Rewrite makes an identified mon or OSD advertise the address while it goes on binding the IP of its pod, and says what
// became of it. For any reason but Rewritten the Deployment is as it was.
func Rewrite(d *appsv1.Deployment, ip netip.Addr) reason.Code {
	changes, code := plan(d, ip)
	for _, c := range changes {
		c.container.Args = c.args
		if c.addPodIP {
			c.container.Env = append(slices.Clip(c.container.Env), podIPEnvVar())
		}
	}
	return code
}

// Address returns the address that the daemon's own container advertises.
func Address(d *appsv1.Deployment) (netip.Addr, bool) {
	kind, _, ok := ParseName(d.Name)
	if !ok {
		return netip.Addr{}, false
	}
	own := containerNamed(d.Spec.Template.Spec.Containers, string(kind))
	if own == nil {
		return netip.Addr{}, false
	}
	text, _ := flagValue(own.Args, publicAddrFlag)
	addr := addressOrNone(text)
	return addr, addr.IsValid()
}

// change is what one container is to become.
type change struct {
	container *corev1.Container
	args      []string
	addPodIP  bool
}

// plan returns what has to change for the daemon to advertise the address, without changing anything yet.
func plan(d *appsv1.Deployment, ip netip.Addr) ([]change, reason.Code) {
	daemon, code := Identify(d)
	if code != "" {
		return nil, code
	}
	pod := &d.Spec.Template.Spec
	if pod.HostNetwork {
		return nil, reason.HostNetwork
	}
	if !ip.IsValid() {
		return nil, reason.AddressUnknown
	}
	ip = ip.Unmap()
	own := containerNamed(pod.Containers, string(daemon.Type))
	if own == nil || hasAddressFlags(own.Command) {
		return nil, reason.MalformedDeployment
	}
	if !canBind(own.Args, ip) {
		return nil, reason.AddressFamilyMismatch
	}
	var changes []change
	var ok bool
	if daemon.Type == Mon {
		changes, ok = planMon(pod, own, ip.String())
	} else {
		changes, ok = planOSD(own, ip.String())
	}
	switch {
	case !ok:
		return nil, reason.MalformedDeployment
	case len(changes) == 0:
		return nil, reason.AlreadyRight
	}
	return changes, reason.Rewritten
}

// planMon sets the address where the mon writes it into its store and where it serves: a mon of which only one is
// changed keeps its ClusterIP or never gets a rank.
func planMon(pod *corev1.PodSpec, mon *corev1.Container, ip string) ([]change, bool) {
	mkfs := containerNamed(pod.InitContainers, initMonFSContainer)
	if mkfs == nil || hasAddressFlags(mkfs.Command) {
		return nil, false
	}
	// Where Rook writes no address at all, it does not start the mon as it does in any release known here.
	for _, c := range []*corev1.Container{mkfs, mon} {
		if _, ok := flagValue(c.Args, publicAddrFlag); !ok {
			return nil, false
		}
	}
	changes, ok := planContainer(nil, mkfs, setting{name: publicAddrFlag, value: ip})
	if !ok {
		return nil, false
	}
	return planContainer(changes, mon,
		setting{name: publicAddrFlag, value: ip},
		// Rook's own value can have a port, and brackets around an IPv6 address.
		setting{name: publicBindAddrFlag, value: podIPValue, keep: true})
}

func planOSD(osd *corev1.Container, ip string) ([]change, bool) {
	if len(osd.Args) == 0 {
		return nil, false
	}
	return planContainer(nil, osd,
		setting{name: publicAddrFlag, value: ip},
		setting{name: publicBindAddrFlag, value: podIPValue},
		// Without it an OSD would bind the global IP on the cluster side too. One that stands already comes from a user
		// whose OSDs talk to each other over a network of their own, and they would no longer do so.
		setting{name: clusterAddrFlag, value: podIPValue, keep: true})
}

// planContainer adds the change of the container to the changes, if there is one.
func planContainer(changes []change, c *corev1.Container, settings ...setting) ([]change, bool) {
	args, ok := set(c.Args, settings...)
	if !ok {
		return nil, false
	}
	needsPodIP := slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, podIPValue) })
	addPodIP := needsPodIP && !hasEnv(c, podIPEnv)
	if !addPodIP && slices.Equal(args, c.Args) {
		return changes, true
	}
	return append(changes, change{container: c, args: args, addPodIP: addPodIP}), true
}

// canBind says whether the daemon may bind an address of the family of ip. Without the flags the configuration of Ceph
// decides, which cannot be seen here.
func canBind(args []string, ip netip.Addr) bool {
	name := bindIPv4Flag
	if ip.Is6() {
		name = bindIPv6Flag
	}
	text, _ := flagValue(args, name)
	on, err := strconv.ParseBool(text)
	return err != nil || on
}

// hasAddressFlags says whether a command holds one of our flags: there they cannot be set reliably, for it may be a
// shell script.
func hasAddressFlags(command []string) bool {
	return slices.ContainsFunc(command, func(arg string) bool {
		arg = strings.ReplaceAll(arg, "_", "-")
		return strings.Contains(arg, publicAddrFlag) || strings.Contains(arg, publicBindAddrFlag) || strings.Contains(arg, clusterAddrFlag)
	})
}

func containerNamed(containers []corev1.Container, name string) *corev1.Container {
	i := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &containers[i]
}

func hasEnv(c *corev1.Container, name string) bool {
	return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name })
}

func podIPEnvVar() corev1.EnvVar {
	return corev1.EnvVar{Name: podIPEnv, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "status.podIP"},
	}}
}
