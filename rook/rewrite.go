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

// ChangesFor returns the changes by which a mon or an OSD advertises the address while it goes on binding the IP of its
// pod. For any reason but Rewritten there are none.
func ChangesFor(d *appsv1.Deployment, ip netip.Addr) (Changes, reason.Code) {
	daemon, code := IdentifyOurs(d)
	switch {
	case code != "":
		return nil, code
	case d.Spec.Template.Spec.HostNetwork:
		return nil, reason.HostNetwork
	case !ip.IsValid():
		return nil, reason.AddressUnknown
	}
	return plan(daemon, d, ip)
}

// Address returns the address that the daemon's own container advertises.
func Address(d *appsv1.Deployment) (netip.Addr, bool) {
	kind, _, ok := ParseName(d.Name)
	if !ok {
		return netip.Addr{}, false
	}
	own, ok := find(&d.Spec.Template.Spec, containers, string(kind))
	if !ok {
		return netip.Addr{}, false
	}
	text, _ := flagValue(own.Args, publicAddrFlag)
	addr := addressOrNone(text)
	return addr, addr.IsValid()
}

// plan returns what has to change for an identified daemon to advertise the address.
func plan(daemon Daemon, d *appsv1.Deployment, ip netip.Addr) (Changes, reason.Code) {
	ip = ip.Unmap()
	pod := &d.Spec.Template.Spec
	own, ok := find(pod, containers, string(daemon.Type))
	if !ok || hasAddressFlags(own.Command) {
		return nil, reason.MalformedDeployment
	}
	if !canBind(own.Args, ip) {
		return nil, reason.AddressFamilyMismatch
	}
	var changes Changes
	switch daemon.Type {
	case Mon:
		changes, ok = planMon(pod, own, ip.String())
	case OSD:
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
func planMon(pod *corev1.PodSpec, mon found, ip string) (Changes, bool) {
	mkfs, ok := find(pod, initContainers, initMonFSContainer)
	if !ok || hasAddressFlags(mkfs.Command) {
		return nil, false
	}
	// Where Rook writes no address at all, it does not start the mon as it does in any release known here.
	for _, args := range [][]string{mkfs.Args, mon.Args} {
		if _, ok := flagValue(args, publicAddrFlag); !ok {
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

func planOSD(osd found, ip string) (Changes, bool) {
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
func planContainer(changes Changes, c found, settings ...setting) (Changes, bool) {
	args, ok := set(c.Args, settings...)
	if !ok {
		return nil, false
	}
	needsPodIP := slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, podIPValue) })
	addPodIP := needsPodIP && !hasEnv(c.Container, podIPEnv)
	if !addPodIP && slices.Equal(args, c.Args) {
		return changes, true
	}
	return append(changes, containerChange{
		place: c.place, oldArgs: c.Args, newArgs: args, addPodIP: addPodIP, firstEnv: len(c.Env) == 0,
	}), true
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

// found is a container of a pod.
type found struct {
	*corev1.Container
	place
}

func find(pod *corev1.PodSpec, list containerList, name string) (found, bool) {
	all := list.of(pod)
	i := slices.IndexFunc(all, func(c corev1.Container) bool { return c.Name == name })
	if i < 0 {
		return found{}, false
	}
	return found{Container: &all[i], place: place{list: list, index: i}}, true
}

func hasEnv(c *corev1.Container, name string) bool {
	return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name })
}
