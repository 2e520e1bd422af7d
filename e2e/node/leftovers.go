package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// cgroupName is the cgroup of all containers of the node, cniNetwork the pods' network.
func cgroupName(name string) string { return "clusterset-" + name }
func cniNetwork(name string) string { return "clusterset-" + name }

// marker is what the environment of each process of the node has, but for those in its containers.
func marker(name string) string { return "ROOK_CLUSTERSET_NODE=" + name }

// Leftovers returns what there still is of the node on the machine, one sentence each: processes, mounts, the network
// namespace, loop devices, cgroups and files.
func Leftovers(dir, name string) []string {
	var all []string
	for _, p := range processes(name, dir) {
		all = append(all, "process "+p.String())
	}
	for _, path := range mountsBelow(dir) {
		all = append(all, "mount "+path)
	}
	if _, err := os.Lstat(namespacePath(name)); err == nil {
		all = append(all, "network namespace "+name)
	}
	for _, device := range loopDevices(dir) {
		all = append(all, "loop device "+device)
	}
	for _, path := range cgroups(name) {
		all = append(all, "cgroup "+path)
	}
	for _, path := range filesElsewhere(dir, name) {
		all = append(all, "file "+path)
	}
	if _, err := os.Lstat(dir); err == nil {
		all = append(all, "directory "+dir)
	}
	return all
}

// found is a process of the node, and why we call it so.
type found struct {
	pid  int
	ours func() bool
}

// String is the number and the command line.
func (p found) String() string {
	line, _ := os.ReadFile(procPath(p.pid, "cmdline"))
	return fmt.Sprintf("%d (%s)", p.pid, bytes.TrimSpace(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
}

// kill looks again once it has a handle: the number alone may be another's by then.
func (p found) kill() error {
	handle, err := os.FindProcess(p.pid)
	if err != nil {
		return fmt.Errorf("find process %d: %w", p.pid, err)
	}
	defer func() { _ = handle.Release() }()
	if !p.ours() {
		return nil
	}
	if err := handle.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill process %s: %w", p, err)
	}
	return nil
}

// processes returns those whose environment has the marker, those in the cgroups of the node's containers, and those whose
// root directory is one of the images in the directories. The last would tell what is in no cgroup of ours, against all intent.
func processes(name string, dirs ...string) []found {
	byNumber := map[int]found{}
	note := func(pid int, ours func() bool) {
		if pid != os.Getpid() && ours() {
			byNumber[pid] = found{pid, ours}
		}
	}
	mounts, _ := os.Readlink("/proc/self/ns/mnt")
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		note(pid, func() bool { return isMarked(pid, name) })
		if its, err := os.Readlink(procPath(pid, "ns/mnt")); err == nil && its != mounts {
			note(pid, func() bool { return isRootedIn(pid, dirs) })
		}
	}
	for _, cgroup := range cgroups(name) {
		for _, pid := range members(cgroup) {
			note(pid, func() bool { return slices.Contains(members(cgroup), pid) })
		}
	}
	return slices.SortedFunc(maps.Values(byNumber), func(a, b found) int { return a.pid - b.pid })
}

func isMarked(pid int, name string) bool {
	environment, err := os.ReadFile(procPath(pid, "environ"))
	return err == nil && slices.Contains(strings.Split(string(environment), "\x00"), marker(name))
}

// isRootedIn looks at the layers of the file system that the process has as its root, if it is an overlay.
func isRootedIn(pid int, dirs []string) bool {
	mounts, err := os.ReadFile(procPath(pid, "mountinfo"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > mountPoint && fields[mountPoint] == "/" {
			return slices.ContainsFunc(dirs, func(dir string) bool { return dir != "" && strings.Contains(line, "upperdir="+dir+"/") })
		}
	}
	return false
}

func members(cgroup string) []int {
	text, _ := os.ReadFile(filepath.Join(cgroup, "cgroup.procs"))
	var all []int
	for line := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(line); err == nil && pid != 0 && !gone(pid) {
			all = append(all, pid)
		}
	}
	return all
}

// gone says whether the process is but a number that its parent has not asked for yet.
func gone(pid int) bool {
	status, err := os.ReadFile(procPath(pid, "status"))
	return err != nil || bytes.Contains(status, []byte("\nState:\tZ"))
}

func procPath(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }

// cgroups returns the directories of the node's cgroup, in each hierarchy, a parent before its children.
func cgroups(name string) []string {
	tops, _ := filepath.Glob(filepath.Join(cgroupRoot, "*", cgroupName(name)))
	tops = append(tops, filepath.Join(cgroupRoot, cgroupName(name)))
	var all []string
	for _, top := range tops {
		_ = filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				all = append(all, path)
			}
			return nil
		})
	}
	return all
}

// mountPoint is the field of /proc/PID/mountinfo that says where.
const mountPoint = 4

// mountsBelow returns what is mounted at or below the directory, in the order of mounting.
func mountsBelow(dir string) []string {
	text, _ := os.ReadFile("/proc/self/mountinfo")
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	var all []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > mountPoint {
			if path := unescape.Replace(fields[mountPoint]); below(path, dir) {
				all = append(all, path)
			}
		}
	}
	return all
}

// loopDevices returns those that have a file of the directory behind them.
func loopDevices(dir string) []string {
	files, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	var all []string
	for _, file := range files {
		if backing, err := os.ReadFile(file); err == nil && below(strings.TrimSpace(string(backing)), dir) {
			all = append(all, filepath.Join("/dev", strings.Split(file, "/")[3]))
		}
	}
	return all
}
