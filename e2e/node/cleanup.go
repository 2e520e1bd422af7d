package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const endTimeout = 20 * time.Second

// CleanUp removes what a run that did not come to Stop left of the node, in the directory and in that which the run had
// for it. It refuses while that run lives.
func CleanUp(dir, name string) error {
	if err := (Options{Name: name, Dir: dir}).check(); err != nil {
		return fmt.Errorf("clean up after node %s: %w", name, err)
	}
	lock, err := claim(name)
	if err != nil {
		return err
	}
	return release(lock, cleanUp(name, dir, claimedFor(lock)))
}

// cleanUp goes from the processes to what they held. Each of them is known for one of the node's by its environment, its
// cgroup or its root directory, and ended by its number.
func cleanUp(name string, dirs ...string) error {
	if err := endProcesses(name, dirs); err != nil {
		return err
	}
	all := []error{removeNamespace(name), removeCgroups(name)}
	for _, dir := range dirs {
		if dir != "" {
			all = append(all, removeFiles(dir, name))
		}
	}
	return errors.Join(all...)
}

func removeFiles(dir, name string) error {
	var all []error
	for _, device := range loopDevices(dir) {
		all = append(all, detach(device))
	}
	all = append(all, unmountBelow(dir))
	for _, path := range filesElsewhere(dir, name) {
		all = append(all, os.Remove(path))
	}
	// What is mounted is not ours to delete from.
	if left := mountsBelow(dir); len(left) > 0 {
		return errors.Join(append(all, fmt.Errorf("%s is kept, for there is still mounted: %s", dir, strings.Join(left, ", ")))...)
	}
	return errors.Join(append(all, os.RemoveAll(dir))...)
}

// endProcesses kills in rounds, as one that is killed may have started another before.
func endProcesses(name string, dirs []string) error {
	deadline := time.Now().Add(endTimeout)
	for {
		found := processes(name, dirs...)
		if len(found) == 0 {
			return nil
		}
		for _, p := range found {
			if err := p.kill(); err != nil {
				return err
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes of node %s do not end: %v", name, found)
		}
		time.Sleep(pollInterval / 5)
	}
}

func unmountBelow(dir string) error {
	var all []error
	for _, path := range slices.Backward(mountsBelow(dir)) {
		if err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) {
			all = append(all, fmt.Errorf("unmount %s: %w", path, err))
		}
	}
	return errors.Join(all...)
}

// removeNamespace gives up the name; the namespace goes with its last process, and its devices and rules with it.
func removeNamespace(name string) error {
	path := namespacePath(name)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("remove network namespace %s: %w", name, err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove network namespace %s: %w", name, err)
	}
	return nil
}

// removeCgroups waits for the kernel, to which a process that has ended counts a little longer.
func removeCgroups(name string) error {
	deadline := time.Now().Add(endTimeout)
	for {
		var failed []error
		for _, dir := range slices.Backward(cgroups(name)) {
			if err := unix.Rmdir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				failed = append(failed, fmt.Errorf("remove cgroup %s: %w", dir, err))
			}
		}
		if len(failed) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(failed...)
		}
		time.Sleep(pollInterval / 5)
	}
}

func detach(device string) error {
	file, err := os.Open(device)
	if err != nil {
		return fmt.Errorf("detach loop device: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := unix.IoctlSetInt(int(file.Fd()), unix.LOOP_CLR_FD, 0); err != nil && !errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("detach loop device %s: %w", device, err)
	}
	return nil
}

// filesElsewhere returns what is written outside the directory of the node whatever one configures: what the library of
// CNI caches of each pod, and the kubelet's links to logs.
func filesElsewhere(dir, name string) []string {
	found, _ := filepath.Glob("/var/lib/cni/results/" + cniNetwork(name) + "-*")
	links, _ := filepath.Glob("/var/log/containers/*.log")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && below(target, dir) {
			found = append(found, link)
		}
	}
	return found
}

// below says whether the path is the directory or in it.
func below(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
