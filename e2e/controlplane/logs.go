package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// logsVariable, if set in the environment, is the directory in which logs are kept.
const logsVariable = "ROOK_CLUSTERSET_LOGS"

// EndedReplicas returns how each replica has ended that nobody had stopped, with its last lines, and each but once.
func (p *Plane) EndedReplicas() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []error
	for _, r := range p.replicas {
		if r.told {
			continue
		}
		if err := r.process.EndedByItself(); err != nil {
			r.told = true
			all = append(all, err)
		}
	}
	return all
}

// KeepLogs copies the whole logs of all replicas, also of those that are gone, to where they outlive the control plane,
// and returns the directory. The name sets them apart from what is kept at other times.
func (p *Plane) KeepLogs(name string) (string, error) {
	base := os.Getenv(logsVariable)
	if base == "" {
		base = filepath.Join(os.TempDir(), "rook-clusterset-logs-"+strconv.Itoa(os.Getpid()))
	}
	dir, err := filepath.Abs(filepath.Join(base, name))
	if err != nil {
		return "", fmt.Errorf("keep logs in %s: %w", base, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("keep logs: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.replicas {
		text, err := os.ReadFile(r.process.Log())
		if err != nil {
			return "", fmt.Errorf("keep the log of %s: %w", r.name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, r.name+".log"), text, 0o600); err != nil {
			return "", fmt.Errorf("keep the log of %s: %w", r.name, err)
		}
	}
	return dir, nil
}
