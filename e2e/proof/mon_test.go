package proof_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/rook-clusterset/rook-clusterset/e2e/node"
	"github.com/rook-clusterset/rook-clusterset/e2e/realceph"
)

// monStatus is what a mon says of itself.
type monStatus struct {
	// State is leader or peon for a mon in quorum; Rank is negative for one that is not in its own monmap.
	State  string          `json:"state"`
	Rank   int             `json:"rank"`
	Monmap realceph.Monmap `json:"monmap"`
}

// address returns the address of the one mon in its monmap; it is not valid if it has none there.
func (s monStatus) address() netip.Addr {
	if len(s.Monmap.Mons) == 0 {
		return netip.Addr{}
	}
	return s.Monmap.Mons[0].Public.Addr()
}

func (s monStatus) inQuorum() bool { return s.State == "leader" || s.State == "peon" }

// askMon asks a mon in its pod, through its admin socket: no address has a part in it.
func askMon(ctx context.Context, n *node.Node, namespace, pod, id string) (monStatus, error) {
	var status monStatus
	out, err := n.Exec(ctx, namespace, pod, "mon", nil,
		"timeout", "10", "ceph", "--admin-daemon", "/run/ceph/ceph-mon."+id+".asok", "mon_status", "--format", "json")
	if err != nil {
		return status, err
	}
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		return status, fmt.Errorf("read the status of mon.%s in %s: %w", id, namespace, err)
	}
	if status.Rank < 0 && len(status.Monmap.Mons) == 0 {
		return status, fmt.Errorf("mon.%s in %s has no monmap yet", id, namespace)
	}
	return status, nil
}
