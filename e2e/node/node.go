// Package node stands up a real Kubernetes cluster of one node in a network namespace of its own: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, containerd, kubelet and kube-proxy as plain processes, without a container
// engine on the machine. It needs root.
//
// Two nodes may have the same pod and service networks: nothing crosses between them but what the caller wires.
package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/credentials"
	"github.com/rook-clusterset/rook-clusterset/e2e/process"
)

const (
	readyTimeout = 2 * time.Minute
	pollInterval = 100 * time.Millisecond
)

// keepVariable, if set in the environment, keeps the logs of a node.
const keepVariable = "ROOK_CLUSTERSET_KEEP"

// The networks of every node.
const (
	podCIDR     = "10.244.0.0/24"
	serviceCIDR = "10.96.0.0/16"
	// kubernetesIP is the first address of serviceCIDR.
	kubernetesIP = "10.96.0.1"
)

// longestDir leaves room, in the 42 characters that containerd allows, for the directory of its shims' sockets.
const longestDir = 40

// Options say what node to start.
type Options struct {
	// Name is that of the Node, of its network namespace and of its cgroup.
	Name string
	// Dir holds all files of the node. It is made, and removed by Stop. Its path has at most 40 characters.
	Dir string
	// Programs is the directory that Assets returned.
	Programs string
	// Images are archives to import before the kubelet starts; that of pause needs no naming.
	Images []string
}

// Node is a running cluster of one node.
type Node struct {
	Name string
	// NetNS is the path of the network namespace.
	NetNS string
	// NodeIP is the address that pods ask for names.
	NodeIP netip.Addr
	// Config is that of an administrator, dialling inside the network namespace; Kubeconfig is the same as a file, of use
	// to programs that run in the network namespace.
	Config     *rest.Config
	Kubeconfig string
	// Client is made from Config.
	Client client.WithWatch
	// Logs is the directory of the logs.
	Logs string

	options     Options
	credentials *credentials.Authority
	lock        *os.File
	processes   process.Group
}

// Start returns once the Node is Ready. What a crashed run left under that name is removed first. The caller must Stop
// what it got.
func Start(ctx context.Context, o Options) (*Node, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("start node %s: %w", o.Name, err)
	}
	if lacking := Lacking(); len(lacking) > 0 {
		return nil, fmt.Errorf("start node %s: this machine lacks what a node needs: %s", o.Name, strings.Join(lacking, "; "))
	}
	lock, err := claim(o.Name)
	if err != nil {
		return nil, err
	}
	n := &Node{
		Name: o.Name, NetNS: namespacePath(o.Name), NodeIP: netip.MustParseAddr("192.0.2.1"),
		Kubeconfig: filepath.Join(o.Dir, "kubeconfig"), Logs: filepath.Join(o.Dir, "logs"),
		options: o, lock: lock,
	}
	if err := errors.Join(cleanUp(o.Name, o.Dir, claimedFor(lock)), claimFor(lock, o.Dir)); err != nil {
		return nil, release(lock, fmt.Errorf("remove what was left of node %s: %w", o.Name, err))
	}
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start node %s (its logs are kept if %s is set): %w", o.Name, keepVariable, err), n.Stop())
	}
	return n, nil
}

// check says why there can be no such node.
func (o Options) check() error {
	if o.Name == "" || strings.Trim(o.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("%q is no name for a Node and its network namespace", o.Name)
	}
	if !filepath.IsAbs(o.Dir) || filepath.Clean(o.Dir) != o.Dir || len(o.Dir) > longestDir || o.Dir == "/" {
		return fmt.Errorf("directory %q is not a clean absolute path of at most %d characters", o.Dir, longestDir)
	}
	return nil
}

// start brings up the parts in the order in which they need each other; the images are imported meanwhile.
func (n *Node) start(ctx context.Context) error {
	for _, dir := range []string{n.Logs, n.path("pki"), n.path("s")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make the directories of the node: %w", err)
		}
	}
	if err := n.makeNetwork(ctx); err != nil {
		return err
	}
	if err := n.makeCredentials(); err != nil {
		return err
	}
	if err := n.startContainerd(ctx); err != nil {
		return err
	}
	group, together := errgroup.WithContext(ctx)
	group.Go(func() error { return n.importImages(together) })
	group.Go(func() error { return n.startControlPlane(together) })
	if err := group.Wait(); err != nil {
		return err
	}
	// Every kubelet of the machine has its socket for device plugins at the same place, and gives up if it finds another's.
	kubelets.Lock()
	defer kubelets.Unlock()
	if err := n.startKubelet(); err != nil {
		return err
	}
	return n.waitForNode(ctx)
}

// kubelets is held by the node whose kubelet starts.
var kubelets sync.Mutex

// waitForNode waits for the Node to be Ready, and for what pods of the default namespace need beside it.
func (n *Node) waitForNode(ctx context.Context) error {
	return n.eventually(ctx, "the Node is Ready", func(ctx context.Context) error {
		var node corev1.Node
		if err := n.Client.Get(ctx, client.ObjectKey{Name: n.Name}, &node); err != nil {
			return err
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionTrue {
				return fmt.Errorf("it is not, for %s: %s", condition.Reason, condition.Message)
			}
		}
		if len(node.Status.Conditions) == 0 || len(node.Spec.Taints) > 0 {
			return fmt.Errorf("its conditions are %v, its taints %v", node.Status.Conditions, node.Spec.Taints)
		}
		return n.Client.Get(ctx, client.ObjectKey{Namespace: "default", Name: "default"}, &corev1.ServiceAccount{})
	})
}

// Stop ends every process of the node, its containers' among them, and removes all that it has made on the machine.
func (n *Node) Stop() error {
	lock := n.lock
	if n.lock = nil; lock == nil {
		return nil
	}
	// The kubelet was started last, and goes first: it would restart what is killed.
	return release(lock, errors.Join(n.keepLogs(), n.processes.Kill(), cleanUp(n.Name, n.options.Dir)))
}

// keepLogs moves the logs aside if they are to be kept.
func (n *Node) keepLogs() error {
	if os.Getenv(keepVariable) == "" {
		return nil
	}
	kept, err := os.MkdirTemp("", n.Name+"-logs-")
	if err != nil {
		return fmt.Errorf("keep the logs of node %s: %w", n.Name, err)
	}
	fmt.Fprintln(os.Stderr, "the logs of node", n.Name, "are kept in", kept)
	// Those of the containers are read as they are: the kubelet's links to them would lead nowhere.
	return errors.Join(os.CopyFS(kept, os.DirFS(n.Logs)), os.CopyFS(filepath.Join(kept, "pods"), os.DirFS(n.path("podlogs"))))
}

// run starts a program in the network namespace, that Stop ends. nsenter becomes it, so that its number is the program's.
// It is nsenter, for `ip netns exec` would mount another /sys, without the cgroups.
func (n *Node) run(name string, args ...string) error {
	_, err := n.processes.Start(n.Logs, name, "nsenter", n.environment(), append([]string{"--net=" + n.NetNS, n.program(name)}, args...)...)
	return err
}

// environment marks a process as one of this node, and whatever it starts.
func (n *Node) environment() []string {
	return []string{
		marker(n.Name),
		"PATH=" + n.options.Programs + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin",
		// kubectl keeps there what it has discovered.
		"HOME=" + n.options.Dir,
	}
}

func (n *Node) path(elements ...string) string {
	return filepath.Join(append([]string{n.options.Dir}, elements...)...)
}

func (n *Node) program(name string) string { return filepath.Join(n.options.Programs, name) }

// eventually waits until the check passes, and fails early if a process of the node has ended.
func (n *Node) eventually(ctx context.Context, what string, check func(context.Context) error) error {
	return process.Await(ctx, readyTimeout, pollInterval, what, n.processes.Ended, check)
}
