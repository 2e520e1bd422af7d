package controlplane

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	appsv1 "k8s.io/api/apps/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
	"github.com/rook-clusterset/rook-clusterset/e2e/process"
)

// The names under which the shipped manifests install rook-clusterset.
const (
	Namespace      = "rook-clusterset"
	deployment     = "rook-clusterset"
	serviceAccount = "rook-clusterset"
	webhookService = "rook-clusterset-webhook"
	servingSecret  = "rook-clusterset-serving-cert"
)

// programVariable, if set in the environment, names the rook-clusterset program that was built from the tree before.
const programVariable = "ROOK_CLUSTERSET_PROGRAM"

// Replica is a process of rook-clusterset that acts with the rights, and serves with the certificate, that a pod of the
// shipped Deployment would have.
type Replica struct {
	plane   *Plane
	process *process.Process
	name    string
	ports   struct{ webhook, health, metrics int }
	// told is set once somebody knows that the replica ended by itself.
	told bool
}

// StartReplica starts a replica and waits until it is ready. The shipped manifests must have been applied.
func (p *Plane) StartReplica(ctx context.Context, name string, args ...string) (*Replica, error) {
	r, err := p.LaunchReplica(ctx, name, args...)
	if err != nil {
		return nil, err
	}
	return r, r.waitReady(ctx)
}

// LaunchReplica starts a replica and does not wait for it.
func (p *Plane) LaunchReplica(ctx context.Context, name string, args ...string) (*Replica, error) {
	binary, err := p.Program(ctx)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := p.ServiceAccountKubeconfig(ctx, Namespace, serviceAccount)
	if err != nil {
		return nil, err
	}
	certs, err := os.MkdirTemp(p.dir, name+"-certs-")
	if err != nil {
		return nil, fmt.Errorf("make the certificate directory of %s: %w", name, err)
	}
	if err := p.MountSecret(ctx, types.NamespacedName{Namespace: Namespace, Name: servingSecret}, certs); err != nil {
		return nil, err
	}
	r := &Replica{plane: p, name: name}
	for _, port := range []*int{&r.ports.webhook, &r.ports.health, &r.ports.metrics} {
		if *port, err = freePort(ctx); err != nil {
			return nil, err
		}
	}
	env, err := p.environment(ctx)
	if err != nil {
		return nil, err
	}
	r.process, err = p.processes.Start(p.dir, name, binary, env, append([]string{
		"manager", "--kubeconfig=" + kubeconfig, "--cert-dir=" + certs, "--log-format=text",
		"--webhook-port=" + strconv.Itoa(r.ports.webhook),
		"--health-probe-bind-address=" + loopback(r.ports.health),
		"--metrics-bind-address=" + loopback(r.ports.metrics),
	}, args...)...)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.replicas = append(p.replicas, r)
	p.mu.Unlock()
	return r, nil
}

// environment returns what the shipped Deployment sets for its container.
func (p *Plane) environment(ctx context.Context) ([]string, error) {
	d := &appsv1.Deployment{}
	if err := p.Client.Get(ctx, types.NamespacedName{Namespace: Namespace, Name: deployment}, d); err != nil {
		return nil, fmt.Errorf("read what the manifests installed: %w", err)
	}
	container := d.Spec.Template.Spec.Containers[0]
	var env []string
	for _, v := range container.Env {
		switch from := v.ValueFrom; {
		case from == nil:
			env = append(env, v.Name+"="+v.Value)
		case from.FieldRef != nil && from.FieldRef.FieldPath == "metadata.namespace":
			env = append(env, v.Name+"="+d.Namespace)
		case from.ResourceFieldRef != nil && from.ResourceFieldRef.Resource == "limits.memory":
			env = append(env, v.Name+"="+strconv.FormatInt(container.Resources.Limits.Memory().Value(), 10))
		default:
			return nil, fmt.Errorf("the shipped Deployment sets %s from what no process has here", v.Name)
		}
	}
	return env, nil
}

// Serve makes the replicas the endpoints of the webhook Service; none takes the webhook down.
func (p *Plane) Serve(replicas ...*Replica) {
	var backends []string
	for _, r := range replicas {
		backends = append(backends, loopback(r.ports.webhook))
	}
	p.Route(types.NamespacedName{Namespace: Namespace, Name: webhookService}, backends...)
	// No pod runs the replicas here, of which the controller of EndpointSlices would tell.
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: webhookService + "-replicas"}}
	_, err := controllerutil.CreateOrUpdate(p.lifetime, p.Client, slice, func() error {
		slice.Labels = map[string]string{discoveryv1.LabelServiceName: webhookService, discoveryv1.LabelManagedBy: "e2e"}
		slice.AddressType = discoveryv1.AddressTypeIPv4
		slice.Endpoints = nil
		for i := range backends {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
				// Loopback, where they are, may not stand here.
				Addresses:  []string{fmt.Sprintf("192.0.2.%d", i+1)},
				Conditions: discoveryv1.EndpointConditions{Ready: new(true)},
			})
		}
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "the endpoints of the webhook are not told:", err)
	}
}

// Stop ends the replica as the kubelet does, Kill as a lost node does.
func (r *Replica) Stop() error { return r.process.Stop(syscall.SIGTERM) }

// Kill ends the replica at once.
func (r *Replica) Kill() error { return r.process.Stop(syscall.SIGKILL) }

// Ended says how a replica that should be running has ended, with the end of its log; nil means that it runs.
func (r *Replica) Ended() error { return r.process.Ended() }

// Ready says why the kubelet would not call the replica ready; nil means that it would.
func (r *Replica) Ready(ctx context.Context) error {
	_, err := get(ctx, http.DefaultClient, "http://"+loopback(r.ports.health)+"/readyz?verbose")
	return err
}

// WebhookURL is where the replica answers whoever reaches it.
func (r *Replica) WebhookURL(path string) string {
	return "https://" + loopback(r.ports.webhook) + path
}

// PID is the number of the process.
func (r *Replica) PID() int { return r.process.PID() }

// Log returns what the replica has logged.
func (r *Replica) Log() string {
	text, err := os.ReadFile(r.process.Log())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Metrics returns the metrics of the replica in the text format.
func (r *Replica) Metrics(ctx context.Context) (string, error) {
	c, err := r.plane.scraper(ctx)
	if err != nil {
		return "", err
	}
	return get(ctx, c, r.MetricsURL())
}

// MetricsURL is where the replica serves its metrics.
func (r *Replica) MetricsURL() string { return "https://" + loopback(r.ports.metrics) + "/metrics" }

func (r *Replica) waitReady(ctx context.Context) error {
	err := process.Await(ctx, readyTimeout, pollInterval, "replica "+r.name+" is ready", r.process.Ended, r.Ready)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, r.process.Tail())
	}
	return nil
}

// Program returns the path of the rook-clusterset program, built from the tree.
func (p *Plane) Program(ctx context.Context) (string, error) {
	if built := os.Getenv(programVariable); built != "" {
		return built, nil
	}
	binary := filepath.Join(p.dir, "rook-clusterset")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	root, err := assets.ModuleRoot(ctx)
	if err != nil {
		return "", err
	}
	// As the shipped image has it, so that its memory is measured and not that of symbols.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build rook-clusterset: %w: %s", err, out)
	}
	return binary, nil
}
