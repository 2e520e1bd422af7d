package mcsstandin

import (
	"maps"
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// Join makes the DNS of each stand-in tell what the others export, as a broker between real clusters does. What
// ExportAtPeer feigns is told beside it.
func Join(standins ...*Standin) {
	for _, s := range standins {
		members := map[string]*Standin{}
		for _, other := range standins {
			if other != s {
				members[other.options.ClusterID] = other
			}
		}
		s.mu.Lock()
		s.members = members
		s.mu.Unlock()
	}
}

// exportsAtMembers returns what the other members of the clusterset export under this name.
func (s *Standin) exportsAtMembers(service types.NamespacedName) []remoteExport {
	s.mu.Lock()
	members := maps.Clone(s.members)
	s.mu.Unlock()
	var exports []remoteExport
	for _, id := range slices.Sorted(maps.Keys(members)) {
		for _, address := range members[id].registered(service) {
			exports = append(exports, remoteExport{clusterID: id, address: address})
		}
	}
	return exports
}

// registered returns the addresses of a Service that this cluster has exported to the broker.
func (s *Standin) registered(service types.NamespacedName) []netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[service]
	if r == nil || !r.registered {
		return nil
	}
	return slices.Clone(r.advertised)
}
