package ceph

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/netip"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// Commands are what the operator asks of Ceph, each as one command of the program ceph.
type Commands interface {
	// QuorumStatus is ceph quorum_status.
	QuorumStatus(ctx context.Context, access Access) (Quorum, error)
	// RemoveMon is ceph mon remove.
	RemoveMon(ctx context.Context, access Access, id string) error
	// CreateKey is ceph auth get-or-create-key: caps are pairs of a daemon type and what is allowed there.
	CreateKey(ctx context.Context, access Access, entity string, caps ...string) (string, error)
	// NewOSD is ceph osd new, for an OSD that is known by that UUID from then on.
	NewOSD(ctx context.Context, access Access, id, uuid string) error
	// Health is ceph status.
	Health(ctx context.Context, access Access) (Health, error)
}

// Health is what ceph status tells of it.
type Health struct {
	// Status is HEALTH_OK, HEALTH_WARN or HEALTH_ERR.
	Status string
	// Checks are those that complain, by their codes.
	Checks map[string]Check
	// Mons is how many mons are in quorum.
	Mons int
}

// Check is a health check that complains.
type Check struct {
	Severity string `json:"severity"`
	Message  string `json:"message"`
}

// Access is what a Ceph command needs to reach the cluster. The operator makes it from its memory, as Rook makes its
// own ceph.conf: no other address is ever dialled.
type Access struct {
	Dial []netip.AddrPort
	// AdminKey is the key of client.admin.
	AdminKey string
}

// MonHost returns the addresses as mon_host has them.
func (a Access) MonHost() string { return shapes.MonHost(a.Dial) }

// QuorumStatus implements Commands.
func (c *Cluster) QuorumStatus(_ context.Context, access Access) (Quorum, error) {
	var dial []netip.Addr
	for _, endpoint := range access.Dial {
		dial = append(dial, endpoint.Addr())
	}
	return c.QuorumAt(dial...)
}

// RemoveMon implements Commands: it takes the mon out of the monmap.
func (c *Cluster) RemoveMon(ctx context.Context, access Access, id string) error {
	_, err := c.QuorumStatus(ctx, access)
	if err == nil {
		c.change(func() {
			delete(c.monmap, id)
			delete(c.mons, id)
		})
	}
	return err
}

// CreateKey implements Commands.
func (c *Cluster) CreateKey(ctx context.Context, access Access, entity string, _ ...string) (string, error) {
	_, err := c.QuorumStatus(ctx, access)
	return Key(entity), err
}

// Key returns the key of whoever has that name, in Ceph's encoding: the type (1, AES), when it was made in seconds and nanoseconds,
// the length, and 16 bytes; all in base64. It is always the same, so that a story that is told again is the same to the letter.
func Key(name string) string {
	secret := sha256.Sum256([]byte(name))
	key := binary.LittleEndian.AppendUint16(nil, 1)
	key = append(key, make([]byte, 8)...)
	key = binary.LittleEndian.AppendUint16(key, 16)
	return base64.StdEncoding.EncodeToString(append(key, secret[:16]...))
}

// NewOSD implements Commands.
func (c *Cluster) NewOSD(ctx context.Context, access Access, _, _ string) error {
	_, err := c.QuorumStatus(ctx, access)
	return err
}

// Complain adds health checks to what the cluster tells of itself; none takes them back.
func (c *Cluster) Complain(checks ...string) { c.change(func() { c.complaints = checks }) }

// Health implements Commands. Which OSDs are down is told by their Deployments.
func (c *Cluster) Health(ctx context.Context, access Access) (Health, error) {
	quorum, err := c.QuorumStatus(ctx, access)
	if err != nil {
		return Health{}, err
	}
	osds := &appsv1.DeploymentList{}
	if err := c.stored.List(ctx, osds, client.InNamespace(c.namespace), client.MatchingLabels{"app": shapes.OSDApp}); err != nil {
		return Health{}, fmt.Errorf("list the OSDs: %w", err)
	}
	health := Health{Status: "HEALTH_OK", Checks: map[string]Check{}, Mons: len(quorum.Members)}
	complain := func(check, message string) {
		health.Status, health.Checks[check] = "HEALTH_WARN", Check{Severity: "HEALTH_WARN", Message: message}
	}
	if down := len(quorum.Monmap) - len(quorum.Members); down > 0 {
		complain("MON_DOWN", fmt.Sprintf("%d/%d mons down", down, len(quorum.Monmap)))
	}
	for i := range osds.Items {
		if osds.Items[i].Status.AvailableReplicas == 0 {
			complain("OSD_DOWN", osds.Items[i].Name+" is down")
			complain("PG_DEGRADED", "degraded data redundancy")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, check := range c.complaints {
		complain(check, "told by the story")
	}
	return health, nil
}
