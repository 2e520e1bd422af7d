package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"k8s.io/client-go/rest"

	"github.com/rook-clusterset/rook-clusterset/e2e/credentials"
	"github.com/rook-clusterset/rook-clusterset/e2e/process"
)

const (
	serviceRange        = "10.96.0.0/16"
	kubernetesServiceIP = "10.96.0.1"
)

// startEtcd returns the URL that it serves at.
func (p *Plane) startEtcd(ctx context.Context) (string, error) {
	var urls [2]string
	for i := range urls {
		port, err := freePort(ctx)
		if err != nil {
			return "", err
		}
		urls[i] = "http://" + loopback(port)
	}
	var err error
	p.etcd, err = p.run("etcd",
		"--data-dir="+filepath.Join(p.dir, "etcd"),
		"--listen-client-urls="+urls[0], "--advertise-client-urls="+urls[0],
		"--listen-peer-urls="+urls[1], "--initial-advertise-peer-urls="+urls[1], "--initial-cluster=default="+urls[1],
		"--unsafe-no-fsync",
	)
	return urls[0], err
}

// startAPIServer returns the URL that it will serve at.
func (p *Plane) startAPIServer(ctx context.Context, pki *credentials.Authority, etcd string) (string, error) {
	selectors := filepath.Join(p.dir, "egress.yaml")
	if err := os.WriteFile(selectors, []byte(p.egress.configuration()), 0o600); err != nil {
		return "", fmt.Errorf("write the egress configuration: %w", err)
	}
	port, err := freePort(ctx)
	if err != nil {
		return "", err
	}
	p.apiServer, err = p.run("kube-apiserver",
		"--etcd-servers="+etcd,
		"--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(port),
		"--tls-cert-file="+pki.Path("apiserver.crt"), "--tls-private-key-file="+pki.Path("apiserver.key"),
		"--client-ca-file="+pki.Path("ca.crt"),
		"--authorization-mode=RBAC", "--allow-privileged",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+pki.Path("sa.key"), "--service-account-signing-key-file="+pki.Path("sa.key"),
		"--service-cluster-ip-range="+serviceRange,
		"--egress-selector-config-file="+selectors,
	)
	return "https://" + loopback(port), err
}

// waitForAPIServer asks with little patience: a server that is coming up can leave a first question unanswered.
func (p *Plane) waitForAPIServer(ctx context.Context) error {
	httpClient, err := rest.HTTPClientFor(p.Config)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	ended := func() error { return errors.Join(p.etcd.Ended(), p.apiServer.Ended()) }
	return process.Await(ctx, readyTimeout, pollInterval, "the API server is ready", ended, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, readyTimeout/18)
		defer cancel()
		_, err := get(ctx, httpClient, p.Config.Host+"/readyz?verbose")
		return err
	})
}

func (p *Plane) startControllerManager(pki *credentials.Authority) error {
	_, err := p.run("kube-controller-manager",
		"--kubeconfig="+p.Kubeconfig, "--leader-elect=false", "--secure-port=0",
		"--kube-api-qps=500", "--kube-api-burst=1000",
		// Many at once overtake their own cache, and write each status that is on the way to the one that counts.
		"--concurrent-deployment-syncs=1", "--concurrent-replicaset-syncs=1",
		"--service-account-private-key-file="+pki.Path("sa.key"), "--root-ca-file="+pki.Path("ca.crt"),
		// No kubelet keeps the lease of a Node here, and no pod is to be called unready for that; Endpoints nobody reads any more.
		"--controllers=*,-node-lifecycle-controller,-taint-eviction-controller,-endpoints-controller,-endpointslice-mirroring-controller",
	)
	return err
}

func get(ctx context.Context, c *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", url, err)
	}
	response, err := c.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", url, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("read the answer of %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s: %s", url, response.Status, body)
	}
	return string(body), nil
}
