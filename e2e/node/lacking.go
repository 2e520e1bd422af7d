package node

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// cniPlugins is where Debian has them.
const cniPlugins = "/usr/lib/cni"

// programs are those of the machine that a node needs, by the Debian package that has them.
var programs = [][2]string{
	{"ip", "iproute2"},
	{"nsenter", "util-linux"},
	{"mount", "mount"},
	{"runc", "runc"},
	{"iptables", "iptables"},
	{"iptables-save", "iptables"},
	{"iptables-restore", "iptables"},
	{"conntrack", "conntrack"},
	{"ethtool", "ethtool"},
	{"losetup", "mount"},
	{"modprobe", "kmod"},
}

// Lacking returns what the machine lacks for a node, one sentence each. What packages it lacks, e2e/assets/debian.sh installs.
func Lacking() []string {
	if os.Geteuid() != 0 {
		return []string{"it has to be run as root, for network namespaces, mounts and cgroups"}
	}
	var all []string
	for _, program := range programs {
		if !hasProgram(program[0]) {
			all = append(all, "there is no program "+program[0]+": install package "+program[1])
		}
	}
	for _, plugin := range []string{"bridge", "host-local"} {
		if _, err := os.Stat(filepath.Join(cniPlugins, plugin)); err != nil {
			all = append(all, "there is no CNI plugin "+plugin+" in "+cniPlugins+": install package containernetworking-plugins")
		}
	}
	all = append(all, lackingCgroups()...)
	if !hasFeature("overlay", "/proc/filesystems", "\toverlay\n") {
		all = append(all, "the kernel has no overlayfs")
	}
	if !hasFeature("br_netfilter", "/proc/sys/net/bridge/bridge-nf-call-iptables", "") {
		all = append(all, "the kernel does not let iptables see what crosses a bridge (br_netfilter)")
	}
	return append(all, lackingNetwork()...)
}

// lackingCgroups knows both versions.
func lackingCgroups() []string {
	controllers, err := os.ReadFile(filepath.Join(cgroupRoot, "cgroup.controllers"))
	var all []string
	for _, name := range []string{"cpu", "cpuset", "memory", "pids"} {
		if err == nil && slices.Contains(strings.Fields(string(controllers)), name) {
			continue
		}
		if _, stat := os.Stat(filepath.Join(cgroupRoot, name, "cgroup.procs")); stat == nil {
			continue
		}
		all = append(all, "there is no cgroup controller "+name+" below "+cgroupRoot)
	}
	if len(all) > 0 {
		return all
	}
	parent := filepath.Join(cgroupRoot, "memory")
	if err == nil {
		parent = cgroupRoot
	}
	// A name of its own, for others may be looking at the same time.
	probe, err := os.MkdirTemp(parent, "clusterset-probe-")
	if err != nil {
		return []string{"no cgroup can be made: " + err.Error()}
	}
	_ = os.Remove(probe)
	return nil
}

// lackingNetwork tries what kube-proxy does, in a network namespace that ends with its thread.
func lackingNetwork() []string {
	if !hasProgram("iptables") {
		return nil
	}
	result := make(chan []string, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			result <- []string{"no network namespace can be made: " + err.Error()}
			return
		}
		var all []string
		for _, rule := range []string{
			"POSTROUTING -m comment --comment probe -j MASQUERADE",
			"PREROUTING -p tcp -m statistic --mode random --probability 0.5 -j DNAT --to-destination 192.0.2.1:1",
			"PREROUTING -m mark --mark 0x4000/0x4000 -j RETURN",
		} {
			out, err := exec.Command("iptables", append([]string{"-w", "-t", "nat", "-A"}, strings.Fields(rule)...)...).CombinedOutput()
			if err != nil {
				all = append(all, "iptables does not take the rule "+rule+": "+string(bytes.TrimSpace(out)))
			}
		}
		result <- all
	}()
	return <-result
}

func hasProgram(name string) bool {
	if _, err := exec.LookPath(name); err == nil {
		return true
	}
	_, err := os.Stat(filepath.Join("/usr/sbin", name))
	return err == nil
}

// hasFeature says whether the kernel has what a file tells, or can be made to have it by a module.
func hasFeature(module, file, with string) bool {
	has := func() bool {
		text, err := os.ReadFile(file)
		return err == nil && bytes.Contains(text, []byte(with))
	}
	return has() || exec.Command("modprobe", module).Run() == nil && has()
}
