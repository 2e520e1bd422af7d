package node

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// claim makes the name of a node ours for as long as we live: two runs at once would remove each other's nodes. A file
// that a crashed run left is found as it was.
func claim(name string) (*os.File, error) {
	path := "/run/rook-clusterset-node-" + name + ".lock"
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("claim the name of node %s: %w", name, err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("node %s is that of another run (%s is locked): %w", name, path, err), file.Close())
	}
	return file, nil
}

// claimFor notes the directory of the node, for whoever comes after a crash of ours.
func claimFor(lock *os.File, dir string) error {
	return os.WriteFile(lock.Name(), []byte(dir), 0o600)
}

// claimedFor returns the directory that a crashed run noted, if one did.
func claimedFor(lock *os.File) string {
	text, err := os.ReadFile(lock.Name())
	if err != nil {
		return ""
	}
	return string(text)
}

// release gives the name back. After a failure the note stays, for the next one to clean up by.
func release(lock *os.File, failure error) error {
	if failure != nil {
		return errors.Join(failure, lock.Close())
	}
	return errors.Join(os.Remove(lock.Name()), lock.Close())
}
