package realceph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
)

// connectTimeout is for how many seconds Rook lets a command look for a mon.
const connectTimeout = "15"

// Runner makes the command that runs a program of Ceph where the pods of a node can be reached.
type Runner func(ctx context.Context, program string, args ...string) *exec.Cmd

// Chroot returns a Runner of the programs that lie in a root file system of their own. What the command is run by, in
// the network namespace of a node for one, is left to the other Runner.
func Chroot(run Runner, root string) Runner {
	return func(ctx context.Context, program string, args ...string) *exec.Cmd {
		return run(ctx, "chroot", append([]string{root, program}, args...)...)
	}
}

// Commands are those of the operator, by the program ceph.
type Commands struct {
	// Run makes each of them.
	Run Runner
}

var _ ceph.Commands = Commands{}

// QuorumStatus implements ceph.Commands.
func (c Commands) QuorumStatus(ctx context.Context, access ceph.Access) (ceph.Quorum, error) {
	var read struct {
		Names  []string `json:"quorum_names"`
		Monmap Monmap   `json:"monmap"`
	}
	if err := c.json(ctx, access, &read, "quorum_status"); err != nil {
		return ceph.Quorum{}, err
	}
	quorum := ceph.Quorum{Monmap: map[string]netip.Addr{}, Members: read.Names}
	for _, mon := range read.Monmap.Mons {
		quorum.Monmap[mon.Name] = mon.Public.Addr()
	}
	return quorum, nil
}

// Health implements ceph.Commands.
func (c Commands) Health(ctx context.Context, access ceph.Access) (ceph.Health, error) {
	var read struct {
		Quorum []string `json:"quorum_names"`
		Health struct {
			Status string `json:"status"`
			Checks map[string]struct {
				Severity string `json:"severity"`
				Summary  struct {
					Message string `json:"message"`
				} `json:"summary"`
			} `json:"checks"`
		} `json:"health"`
	}
	if err := c.json(ctx, access, &read, "status"); err != nil {
		return ceph.Health{}, err
	}
	health := ceph.Health{Status: read.Health.Status, Checks: map[string]ceph.Check{}, Mons: len(read.Quorum)}
	for code, check := range read.Health.Checks {
		health.Checks[code] = ceph.Check{Severity: check.Severity, Message: check.Summary.Message}
	}
	return health, nil
}

// RemoveMon implements ceph.Commands.
func (c Commands) RemoveMon(ctx context.Context, access ceph.Access, id string) error {
	_, err := c.ceph(ctx, access, "mon", "remove", id)
	return err
}

// CreateKey implements ceph.Commands.
func (c Commands) CreateKey(ctx context.Context, access ceph.Access, entity string, caps ...string) (string, error) {
	out, err := c.ceph(ctx, access, append([]string{"auth", "get-or-create-key", entity}, caps...)...)
	return strings.TrimSpace(string(out)), err
}

// NewOSD implements ceph.Commands.
func (c Commands) NewOSD(ctx context.Context, access ceph.Access, id, uuid string) error {
	out, err := c.ceph(ctx, access, "osd", "new", uuid)
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(string(out)); got != id {
		return fmt.Errorf("osd %s is osd.%s and not osd.%s", uuid, got, id)
	}
	return nil
}

// ceph runs one command. It reads no ceph.conf: what it is given is all it knows.
func (c Commands) ceph(ctx context.Context, access ceph.Access, args ...string) ([]byte, error) {
	cmd := c.Run(ctx, "ceph", append([]string{
		"--conf=/dev/null", "--mon-host=" + access.MonHost(), "--name=client.admin", "--key=" + access.AdminKey,
		"--connect-timeout=" + connectTimeout,
	}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run ceph %s at %s: %w: %s", strings.Join(args, " "), access.MonHost(), err, strings.TrimSpace(stderr.String()))
	}
	return out, nil
}

// json runs one that answers in JSON.
func (c Commands) json(ctx context.Context, access ceph.Access, into any, command string) error {
	out, err := c.ceph(ctx, access, command, "--format", "json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("read what ceph %s answered: %w", command, err)
	}
	return nil
}
