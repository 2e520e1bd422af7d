package ceph

import (
	"context"
	"net/netip"

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
}

// HealthTeller are Commands to a cluster that tells its health itself. What the model would tell is put together by the operator.
type HealthTeller interface {
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
type Check struct{ Severity, Message string }

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

// NewOSD implements Commands.
func (c *Cluster) NewOSD(ctx context.Context, access Access, _, _ string) error {
	_, err := c.QuorumStatus(ctx, access)
	return err
}
