// Package assets finds what the scripts beside it build.
package assets

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The scripts, each of which prints the directory of what it built.
const (
	// ControlPlane is etcd, Kubernetes' control plane, kubectl and cert-manager's controllers.
	ControlPlane = "build.sh"
	// Nodes is all of that, what a node runs, and the images.
	Nodes = "nodes.sh"
	// Prometheus is prometheus and promtool.
	Prometheus = "prometheus.sh"
	// Helm is helm.
	Helm = "helm.sh"
)

// Build returns the directory that the script prints. Building for the first time takes minutes, and the script tells so.
func Build(ctx context.Context, script string) (string, error) {
	root, err := ModuleRoot(ctx)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(root, "e2e", "assets", script))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build what the tests start, by %s: %w", script, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// ModuleRoot returns the directory of the module that we are run in.
func ModuleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
