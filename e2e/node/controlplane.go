package node

import (
	"context"
	"fmt"
	"net"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/credentials"
)

// Each node has loopback for itself, so that ports need not be looked for.
const (
	etcdURL      = "http://127.0.0.1:2379"
	etcdPeersURL = "http://127.0.0.1:2380"
	apiServerURL = "https://127.0.0.1:6443"
)

// makeCredentials writes the certificates into pki, and the kubeconfigs.
func (n *Node) makeCredentials() error {
	var err error
	if n.credentials, err = credentials.NewAuthority(n.path("pki")); err != nil {
		return err
	}
	nodeIP, serviceIP := net.IP(n.NodeIP.AsSlice()), net.ParseIP(kubernetesIP)
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	if err := n.credentials.Server("apiserver", names, net.IPv4(127, 0, 0, 1), nodeIP, serviceIP); err != nil {
		return err
	}
	if err := n.credentials.Server("kubelet", []string{n.Name}, nodeIP); err != nil {
		return err
	}
	// The API server's identity towards the kubelet.
	if err := n.credentials.Client("apiserver-kubelet", "kube-apiserver", "system:masters"); err != nil {
		return err
	}
	kubelet, err := n.credentials.Config(apiServerURL, "system:node:"+n.Name, "system:nodes")
	if err != nil {
		return err
	}
	if err := credentials.WriteKubeconfig(n.path("kubelet.kubeconfig"), kubelet); err != nil {
		return err
	}
	if n.Config, err = n.credentials.Admin(apiServerURL); err != nil {
		return err
	}
	n.Config.Dial = n.DialContext
	return credentials.WriteKubeconfig(n.Kubeconfig, n.Config)
}

// startControlPlane starts what is no part of the node itself, and kube-proxy.
func (n *Node) startControlPlane(ctx context.Context) error {
	if err := n.run("etcd",
		"--name="+n.Name, "--data-dir="+n.path("etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+etcdURL, "--advertise-client-urls="+etcdURL,
		"--listen-peer-urls="+etcdPeersURL, "--initial-advertise-peer-urls="+etcdPeersURL, "--initial-cluster="+n.Name+"="+etcdPeersURL,
	); err != nil {
		return err
	}
	if err := n.startAPIServer(ctx); err != nil {
		return err
	}
	if err := n.run("kube-controller-manager",
		"--kubeconfig="+n.Kubeconfig, "--leader-elect=false", "--secure-port=0",
		"--kube-api-qps=200", "--kube-api-burst=400",
		"--service-account-private-key-file="+n.credentials.Path("sa.key"), "--root-ca-file="+n.credentials.Path("ca.crt"),
	); err != nil {
		return err
	}
	if err := n.run("kube-scheduler",
		"--kubeconfig="+n.Kubeconfig, "--leader-elect=false", "--secure-port=0",
	); err != nil {
		return err
	}
	return n.run("kube-proxy",
		"--kubeconfig="+n.Kubeconfig, "--hostname-override="+n.Name,
		"--proxy-mode=iptables", "--cluster-cidr="+podCIDR, "--iptables-localhost-nodeports=false",
		// A change of a Service is to be seen at once.
		"--iptables-min-sync-period=100ms",
		// The limit of connections is the machine's, and not to be set from a network namespace.
		"--conntrack-max-per-core=0",
	)
}

// startAPIServer returns once the API server is ready.
func (n *Node) startAPIServer(ctx context.Context) error {
	pki := n.credentials
	if err := n.run("kube-apiserver",
		"--etcd-servers="+etcdURL,
		"--advertise-address="+n.NodeIP.String(), "--secure-port=6443",
		"--tls-cert-file="+pki.Path("apiserver.crt"), "--tls-private-key-file="+pki.Path("apiserver.key"),
		"--client-ca-file="+pki.Path("ca.crt"),
		// The node has no name that could be resolved.
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate="+pki.Path("apiserver-kubelet.crt"), "--kubelet-client-key="+pki.Path("apiserver-kubelet.key"),
		"--authorization-mode=Node,RBAC", "--allow-privileged",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+pki.Path("sa.key"), "--service-account-signing-key-file="+pki.Path("sa.key"),
		"--service-cluster-ip-range="+serviceCIDR,
		"--event-ttl=20m",
	); err != nil {
		return err
	}
	asker, err := discovery.NewDiscoveryClientForConfig(n.Config)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	if err := n.eventually(ctx, "the API server is ready", func(ctx context.Context) error {
		return asker.RESTClient().Get().AbsPath("/readyz").Param("verbose", "true").Do(ctx).Error()
	}); err != nil {
		return err
	}
	if n.Client, err = client.NewWithWatch(n.Config, client.Options{Scheme: scheme.Scheme}); err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	return nil
}
