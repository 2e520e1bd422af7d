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

// Commands returns the commands of the model.
func (c *Cluster) Commands() Commands { return modelCommands{c} }

type modelCommands struct{ ceph *Cluster }

func (c modelCommands) QuorumStatus(_ context.Context, access Access) (Quorum, error) {
	return c.ceph.QuorumStatus(addresses(access.Dial))
}

func (c modelCommands) RemoveMon(_ context.Context, access Access, id string) error {
	return c.ceph.RemoveMon(addresses(access.Dial), id)
}

func (c modelCommands) CreateKey(_ context.Context, access Access, _ string, _ ...string) (string, error) {
	if _, err := c.ceph.QuorumStatus(addresses(access.Dial)); err != nil {
		return "", err
	}
	return c.ceph.NewKey(), nil
}

func (c modelCommands) NewOSD(_ context.Context, access Access, _, _ string) error {
	_, err := c.ceph.QuorumStatus(addresses(access.Dial))
	return err
}

func addresses(dial []netip.AddrPort) []netip.Addr {
	all := make([]netip.Addr, 0, len(dial))
	for _, endpoint := range dial {
		all = append(all, endpoint.Addr())
	}
	return all
}
