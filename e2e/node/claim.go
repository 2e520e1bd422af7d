package node

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// claim makes the name of a node ours for as long as we live: two runs at once would remove each other's nodes.
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

func release(lock *os.File) error { return errors.Join(os.Remove(lock.Name()), lock.Close()) }
