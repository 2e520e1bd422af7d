package shapes

import (
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Mon is a mon as Rook keeps it in mind.
type Mon struct {
	Endpoint    netip.AddrPort
	OutOfQuorum bool
}

// Mons are mons by their names.
type Mons map[string]Mon

// Sorted returns the names.
func (m Mons) Sorted() []string { return slices.Sorted(maps.Keys(m)) }

// OutOfQuorum returns the names of those that are out of quorum, sorted.
func (m Mons) OutOfQuorum() []string { return m.names(true) }

func (m Mons) names(out bool) []string {
	return slices.DeleteFunc(m.Sorted(), func(id string) bool { return m[id].OutOfQuorum != out })
}

// Flat returns the entries of EndpointsKey. The order is random, as Rook's is.
func (m Mons) Flat() []string {
	entries := make([]string, 0, len(m))
	for id, mon := range m {
		entries = append(entries, id+"="+mon.Endpoint.String())
	}
	return entries
}

// MonHost formats mon_host and mon_initial_members; a mon that is out of quorum is left out.
func (m Mons) MonHost() (hosts, members string) {
	return MonHost(m.Dialled()), strings.Join(m.names(false), ",")
}

// Dialled returns where the operator and the daemons find the mons; one that is out of quorum is left out.
func (m Mons) Dialled() []netip.AddrPort {
	var all []netip.AddrPort
	for _, id := range m.names(false) {
		all = append(all, m[id].Endpoint)
	}
	return all
}

// MonHost formats mon_host: both addresses of a mon that serves both protocols.
func MonHost(endpoints []netip.AddrPort) string {
	hosts := make([]string, 0, len(endpoints))
	for _, endpoint := range endpoints {
		host := "v2:" + net.JoinHostPort(endpoint.Addr().String(), strconv.Itoa(Msgr2Port))
		if endpoint.Port() != Msgr2Port {
			host += ",v1:" + endpoint.String()
		}
		hosts = append(hosts, "["+host+"]")
	}
	return strings.Join(hosts, ",")
}

// ParseMonHost is the inverse of MonHost as a daemon reads it: the addresses alone.
func ParseMonHost(text string) []netip.Addr {
	var all []netip.Addr
	for part := range strings.SplitSeq(strings.ReplaceAll(text, "[v", ",v"), ",") {
		_, endpoint, _ := strings.Cut(strings.TrimSpace(part), ":")
		if strings.Count(endpoint, "]") > strings.Count(endpoint, "[") {
			endpoint = strings.TrimSuffix(endpoint, "]")
		}
		if parsed, err := netip.ParseAddrPort(endpoint); err == nil && !slices.Contains(all, parsed.Addr()) {
			all = append(all, parsed.Addr())
		}
	}
	return all
}

// Monitors returns the endpoints for the CSI drivers; they dial port 3300 where msgr2 is required.
func (m Mons) Monitors(requireMsgr2 bool) []string {
	all := make([]string, 0, len(m))
	for _, mon := range m {
		endpoint := mon.Endpoint
		if requireMsgr2 && endpoint.Port() == Msgr1Port {
			endpoint = netip.AddrPortFrom(endpoint.Addr(), Msgr2Port)
		}
		all = append(all, endpoint.String())
	}
	return all
}
