package mcsstandin

import (
	"net/netip"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// Join makes the DNS of each stand-in tell what the others export, as a broker between real clusters does. What
// ExportAtPeer feigns is told beside it.
func Join(standins ...*Standin) {
	for _, s := range standins {
		others := slices.DeleteFunc(slices.Clone(standins), func(other *Standin) bool { return other == s })
		s.locked(func() { s.members = others })
	}
}

// exportsAtMembers returns what the other members of the clusterset export under this name.
func (s *Standin) exportsAtMembers(service types.NamespacedName) (exports []remoteExport) {
	var members []*Standin
	s.locked(func() { members = s.members })
	for _, member := range members {
		for _, address := range member.registered(service) {
			exports = append(exports, remoteExport{clusterID: member.options.ClusterID, address: address})
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
