package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// nodeDevice carries the address of the node; cniDevice is the bridge that the pods are on.
const (
	nodeDevice = "node"
	cniDevice  = "pods"
)

func namespacePath(name string) string { return filepath.Join("/run/netns", name) }

// makeNetwork makes the network namespace, with the node's address in it.
func (n *Node) makeNetwork(ctx context.Context) error {
	for _, command := range []string{
		"netns add " + n.Name,
		"-n " + n.Name + " link set lo up",
		"-n " + n.Name + " link add " + nodeDevice + " type bridge",
		"-n " + n.Name + " address add " + n.NodeIP.String() + "/24 dev " + nodeDevice,
		"-n " + n.Name + " link set " + nodeDevice + " up",
		// It leads nowhere, but without a route to the address of a Service no rule of kube-proxy's gets to see a packet for it.
		"-n " + n.Name + " route add default dev " + nodeDevice,
	} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(command)...).CombinedOutput(); err != nil {
			return fmt.Errorf("make the network: ip %s: %w: %s", command, err, out)
		}
	}
	return n.InNetNS(func() error {
		for _, setting := range [][2]string{
			{"net/ipv4/ip_forward", "1"},
			// The answer of a pod to its neighbour, whom it knows by a Service, has to pass the rules as well.
			{"net/bridge/bridge-nf-call-iptables", "1"},
			// An answer may leave by another way than the question came.
			{"net/ipv4/conf/all/rp_filter", "0"},
			{"net/ipv4/conf/default/rp_filter", "0"},
		} {
			if err := os.WriteFile(filepath.Join("/proc/sys", setting[0]), []byte(setting[1]), 0o600); err != nil {
				return fmt.Errorf("make the network: %w", err)
			}
		}
		return nil
	})
}

// InNetNS calls the function on a thread in the network namespace of the node. Goroutines that it starts are not in it.
func (n *Node) InNetNS(f func() error) error { return inNamespace(n.NetNS, f) }

func inNamespace(path string, f func() error) error {
	result := make(chan error, 1)
	go func() {
		// It is never unlocked: the thread, which has left its place, ends with the goroutine.
		runtime.LockOSThread()
		result <- func() error {
			file, err := os.Open(path)
			if err != nil {
				return fmt.Errorf("open the network namespace: %w", err)
			}
			defer func() { _ = file.Close() }()
			if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("enter network namespace %s: %w", path, err)
			}
			return f()
		}()
	}()
	return <-result
}

// DialContext connects from inside the network namespace. The address is an IP address with a port.
func (n *Node) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	err := n.InNetNS(func() error {
		var err error
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}
