package controlplane

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// RestartAPIServer kills the API server, starts it again at the same address, and returns once it is ready.
func (p *Plane) RestartAPIServer(ctx context.Context) error {
	if err := p.apiServer.Stop(syscall.SIGKILL); err != nil {
		return err
	}
	var err error
	if p.apiServer, err = p.run("kube-apiserver", p.apiServer.Args()...); err != nil {
		return err
	}
	return p.waitForAPIServer(ctx)
}

// PauseEtcd stops etcd where it stands, for the time: what is asked of it meanwhile waits.
func (p *Plane) PauseEtcd(ctx context.Context, pause time.Duration) error {
	pid := p.etcd.PID()
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
