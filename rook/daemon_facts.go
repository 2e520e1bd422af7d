package rook

import "net/netip"

// DaemonFacts is what is known of one daemon.
type DaemonFacts struct {
	Daemon Daemon
	Export Export
	// Deployed says that the daemon has a Deployment, and Address what it advertises there.
	Deployed bool
	Address  netip.Addr
	// ClusterIPs are those that the Service of the daemon has now.
	ClusterIPs []netip.Addr
	// Listed is where Rook's mon endpoints have it; it is invalid for a daemon that they do not list.
	Listed netip.Addr
}

// Truth returns the address at which the mon answers, or will answer. There is none for a mon of identity cluster, of
// which whatever Rook writes is left alone, and for one whose address is not known yet.
func (m DaemonFacts) Truth() (netip.Addr, bool) {
	switch {
	case m.Export.Identity == IdentityCluster:
		return netip.Addr{}, false
	case m.Deployed:
		return m.Address, m.Address.IsValid()
	case m.Export.Ready():
		return m.Export.GlobalIP, true
	}
	return netip.Addr{}, false
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
