package rook

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// DaemonFacts is what is known of one daemon.
type DaemonFacts struct {
	Daemon Daemon
	Export Export
	// Deployed says that the daemon has a Deployment, and Address what it advertises there.
	Deployed bool
	Address  netip.Addr
	// Stopped says that the Deployment is scaled to 0.
	Stopped bool
	// Foreign says that the address is neither a ClusterIP of the daemon's nor in the range of global IPs, which is known.
	Foreign bool
	// Rollout is how its Deployment is; only a snapshot has it.
	Rollout Rollout
	// ClusterIPs are those that the Service of the daemon has now.
	ClusterIPs []netip.Addr
	// Port is that under which Rook lists the mon, by MonPort of its Service, and ServiceOwner the UID of the CephCluster that
	// owns the Service; both are zero where there is none.
	Port         uint16
	ServiceOwner types.UID
	// HeldBy names the other daemon that holds the address of the export; it is empty for an address that is free.
	HeldBy string
	// Listed is where Rook's mon endpoints have it; it is invalid for a daemon that they do not list.
	Listed netip.Addr
}

// Truth returns the address at which the mon answers, or will answer. There is none for a mon of identity cluster, of
// which whatever Rook writes is left alone, and for one whose address is not known yet.
func (m DaemonFacts) Truth() (netip.Addr, bool) {
	switch {
	case m.Export.Identity == IdentityCluster:
		return netip.Addr{}, false
	case m.Deployed && !m.Address.IsValid() && m.Export.Pinned:
		// It was put to sleep, and wakes where it was.
		return m.Export.GlobalIP, m.Export.GlobalIP.IsValid()
	case m.Deployed:
		return m.Address, m.Address.IsValid()
	case m.Export.Ready() && m.HeldBy == "":
		return m.Export.GlobalIP, true
	}
	return netip.Addr{}, false
}

// untold says that the mon was put to sleep and that no pin tells where it wakes: then the list that is stored knows best.
func (m DaemonFacts) untold() bool {
	_, known := m.Truth()
	return m.Deployed && !known && !m.Address.IsValid() && m.Export.Identity != IdentityCluster
}

// AddForeign says whether the daemon is Foreign, given what is global.
func (m *DaemonFacts) AddForeign(isGlobal func(netip.Addr) bool) {
	// One whose Service was lost can be at what was its ClusterIP.
	m.Foreign = m.Deployed && m.Address.IsValid() && len(m.ClusterIPs) > 0 && !isGlobal(m.Address) && !slices.Contains(m.ClusterIPs, m.Address)
}

// obstacle returns why a mon to be born has no address, in a clause that can follow a colon.
func (m DaemonFacts) obstacle(d Daemon) string {
	if m.HeldBy != "" {
		return heldBy(m.Export.GlobalIP, m.HeldBy)
	}
	_, why := m.Export.obstacle(d)
	return why
}

// Untrue returns why what was taken for the address of a mon to be born is not, given what was known before, or nil.
func (m DaemonFacts) Untrue(d Daemon, before DaemonFacts) error {
	_, was := before.Truth()
	if _, known := m.Truth(); known || !was {
		return nil
	}
	return errors.New(m.obstacle(d))
}

func heldBy(address netip.Addr, holder string) string {
	return fmt.Sprintf("it %s, %s, which is that of %s", reason.UsedByAnother.Sentence(), address, holder)
}

// leftAlone says that the mon lives at an address that is Rook's to choose.
func (m DaemonFacts) leftAlone() bool {
	_, known := m.Truth()
	return !known && (m.Deployed || m.Export.Identity == IdentityCluster)
}

// exported says that the mon is to be born with the global IP of a Service that exists.
func (m DaemonFacts) exported() bool {
	return m.Export.Identity == IdentityClusterset && len(m.ClusterIPs) > 0
}

// truths returns the true addresses of all mons.
func truths(mons map[string]DaemonFacts) map[netip.Addr]bool {
	addresses := map[netip.Addr]bool{}
	for _, m := range mons {
		if truth, known := m.Truth(); known {
			addresses[truth] = true
		}
	}
	return addresses
}
