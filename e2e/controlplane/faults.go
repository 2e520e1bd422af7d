package controlplane

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/client-go/rest"

	"github.com/rook-clusterset/rook-clusterset/e2e/process"
)

// component is a process of the control plane, and how it is started again.
type component struct {
	name, program string
	args          []string
	process       *process.Process
}

func (p *Plane) runComponent(name string, args ...string) (*component, error) {
	c := &component{name: name, program: filepath.Join(p.programs, name), args: args}
	var err error
	c.process, err = p.run(name, c.program, nil, args...)
	return c, err
}

// RestartAPIServer kills the API server, starts it again at the same address, and returns once it is ready.
func (p *Plane) RestartAPIServer(ctx context.Context) error {
	if err := p.apiServer.process.Stop(syscall.SIGKILL); err != nil {
		return err
	}
	again, err := p.runComponent(p.apiServer.name, p.apiServer.args...)
	if err != nil {
		return err
	}
	p.apiServer = again
	httpClient, err := rest.HTTPClientFor(p.Config)
	if err != nil {
		return fmt.Errorf("make a client of the API server: %w", err)
	}
	return p.waitForReadiness(ctx, httpClient, again.process.Ended)
}

// PauseEtcd stops etcd where it stands, for the time: what is asked of it meanwhile waits.
func (p *Plane) PauseEtcd(ctx context.Context, pause time.Duration) error {
	pid := p.etcd.process.PID()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return fmt.Errorf("pause etcd: %w", err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		return fmt.Errorf("let etcd go on: %w", err)
	}
	return nil
}

// waitForReadiness waits until the API server is ready, unless ended tells that it will not be.
func (p *Plane) waitForReadiness(ctx context.Context, c *http.Client, ended func() error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	var last error
	for {
		if err := ended(); err != nil {
			return err
		}
		if last = p.ready(ctx, c); last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server is not ready: %w", last)
		case <-time.After(pollInterval):
		}
	}
}

// ready asks with little patience: a server that is coming up can leave a first question unanswered.
func (p *Plane) ready(ctx context.Context, c *http.Client) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout/18)
	defer cancel()
	_, err := get(ctx, c, p.Config.Host+"/readyz?verbose")
	return err
}
