// Package controlplane starts a real etcd, kube-apiserver and kube-controller-manager, the real controllers of
// cert-manager, and replicas of rook-clusterset as processes, all on loopback and without root.
//
// It stands in for the kubelet and kube-proxy as far as rook-clusterset needs them: a Secret is mirrored into a
// directory, and what the API server sends to a Service reaches a process.
package controlplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
	"github.com/rook-clusterset/rook-clusterset/e2e/credentials"
	"github.com/rook-clusterset/rook-clusterset/e2e/process"
)

const (
	readyTimeout = 3 * time.Minute
	pollInterval = 50 * time.Millisecond
)

// keepVariable, if set in the environment, keeps the files of the control plane, logs among them.
const keepVariable = "ROOK_CLUSTERSET_KEEP"

// Plane is a running control plane.
type Plane struct {
	// Config is that of an administrator, and Kubeconfig the same as a file.
	Config     *rest.Config
	Kubeconfig string
	// Client is made from Config.
	Client client.WithWatch

	programs    string
	dir         string
	egress      *egress
	certManager *process.Process
	etcd        *process.Process
	apiServer   *process.Process
	processes   process.Group

	// lifetime ends with Stop, and background is what then has to end.
	lifetime   context.Context
	end        context.CancelFunc
	background sync.WaitGroup

	mu sync.Mutex
	// replicas are all that were ever started.
	replicas []*Replica

	scraping     sync.Mutex
	scraperToken string
}

// Start builds what is missing and starts everything but rook-clusterset. The caller must Stop what it got. If it fails,
// the logs stay, and the error says where.
func Start(ctx context.Context) (*Plane, error) {
	programs, err := assets.Build(ctx, assets.ControlPlane)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "clusterset")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the control plane: %w", err)
	}
	p := &Plane{programs: programs, dir: dir, Kubeconfig: filepath.Join(dir, "kubeconfig")}
	p.lifetime, p.end = context.WithCancel(context.Background())
	if err := p.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start the control plane (its logs are in %s): %w", dir, err), p.stop())
	}
	return p, nil
}

func (p *Plane) start(ctx context.Context) error {
	pki, err := credentials.NewAuthority(p.dir)
	if err != nil {
		return err
	}
	addresses := []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(kubernetesServiceIP)}
	if err := pki.Server("apiserver", []string{"localhost", "kubernetes.default.svc"}, addresses...); err != nil {
		return err
	}
	if p.egress, err = startEgress(filepath.Join(p.dir, "egress.sock")); err != nil {
		return err
	}
	etcd, err := p.startEtcd(ctx)
	if err != nil {
		return err
	}
	host, err := p.startAPIServer(ctx, pki, etcd)
	if err != nil {
		return err
	}
	if p.Config, err = pki.Admin(host); err != nil {
		return err
	}
	if err := credentials.WriteKubeconfig(p.Kubeconfig, p.Config); err != nil {
		return err
	}
	if err := p.waitForAPIServer(ctx); err != nil {
		return err
	}
	if p.Client, err = client.NewWithWatch(p.Config, client.Options{Scheme: scheme.Scheme}); err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	p.egress.services.Store(&p.Client)
	if err := p.startControllerManager(pki); err != nil {
		return err
	}
	crds := envtest.CRDInstallOptions{Paths: []string{filepath.Join(p.programs, "crds")}, ErrorIfPathMissing: true}
	if _, err := envtest.InstallCRDs(p.Config, crds); err != nil {
		return fmt.Errorf("install cert-manager's CRDs: %w", err)
	}
	p.certManager, err = p.run("cert-manager", "--kubeconfig="+p.Kubeconfig)
	return err
}

// run starts one of our programs, which Stop ends.
func (p *Plane) run(name string, args ...string) (*process.Process, error) {
	return p.processes.Start(p.dir, name, filepath.Join(p.programs, name), nil, args...)
}

// Stop ends every process that Start and StartReplica started, and removes their files.
func (p *Plane) Stop() error {
	err := p.stop()
	if os.Getenv(keepVariable) != "" {
		fmt.Fprintln(os.Stderr, "the files of the control plane are kept in", p.dir)
		return err
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

// stop kills, as nothing is to be kept: asked politely, the API server would wait for those that watch it.
func (p *Plane) stop() error {
	p.end()
	err := p.processes.Kill()
	if p.egress != nil {
		err = errors.Join(err, p.egress.server.Close())
	}
	p.background.Wait()
	return err
}

// Kubectl runs kubectl as administrator with the given standard input, and returns what it printed.
func (p *Plane) Kubectl(ctx context.Context, in []byte, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(p.programs, "kubectl"), append([]string{"--kubeconfig=" + p.Kubeconfig}, args...)...)
	// kubectl reads the user's preferences, and keeps what it has discovered, in the home directory.
	cmd.Env = append(os.Environ(), "HOME="+p.dir)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
