// Package node stands up a real Kubernetes cluster of one node in a network namespace of its own: etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, containerd, kubelet and kube-proxy as plain processes, without a container
// engine on the machine. It needs root.
//
// Two nodes may have the same pod and service networks: nothing crosses between them but what the caller wires.
package node

import (
	"context"
	"errors"
	"net/netip"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Options say what node to start.
type Options struct {
	// Name is that of the Node, of its network namespace and of its cgroup.
	Name string
	// Dir holds all files of the node. It is made, and removed by Stop.
	Dir string
	// Programs is the directory that Assets returned.
	Programs string
	// Images are archives to import before the kubelet starts; that of pause needs no naming.
	Images []string
	// PodCIDR is 10.244.0.0/24, and ServiceCIDR 10.96.0.0/16, unless given.
	PodCIDR, ServiceCIDR netip.Prefix
	// NodeIP is 192.0.2.1 unless given. Pods ask it for names.
	NodeIP netip.Addr
}

// Node is a running cluster of one node.
type Node struct {
	Name string
	// NetNS is the path of the network namespace.
	NetNS  string
	NodeIP netip.Addr
	// Config is that of an administrator, dialling inside the network namespace; Kubeconfig is the same as a file, of use
	// to programs that run in the network namespace.
	Config     *rest.Config
	Kubeconfig string
	// Client is made from Config.
	Client client.WithWatch
	// Logs is the directory of the logs.
	Logs string
}

// Start returns once the Node is Ready. The caller must Stop what it got.
func Start(context.Context, Options) (*Node, error) { return nil, errors.ErrUnsupported }

// Stop ends every process of the node, its containers' among them, and removes all that it has made on the machine.
func (n *Node) Stop() error { return errors.ErrUnsupported }
