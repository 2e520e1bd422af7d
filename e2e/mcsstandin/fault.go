package mcsstandin

import (
	"net/netip"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Condition is the reason and the message of a condition.
type Condition struct {
	Reason  string
	Message string
}

// AwaitingExport is what Submariner says while its broker has not answered.
var AwaitingExport = Condition{Reason: "AwaitingExport", Message: "awaiting aggregation on the broker"}

// Fault is what goes wrong with the export of one Service. Its zero value is a healthy export.
type Fault struct {
	// NeverValid keeps Valid at False with this reason. The global IP is allocated all the same.
	NeverValid *Condition
	// NoAllocation leaves the Service without a global IP.
	NoAllocation bool
	// PeerAddress makes every source tell an address out of the range of the first peer.
	PeerAddress bool
	// Address, if valid, is what every source tells.
	Address netip.Addr
	// StaleImport makes ServiceImport, EndpointSlice and DNS tell the address that the Service had before, or one
	// that it never had if there was none before.
	StaleImport bool
	// TwoAddresses makes ServiceImport and DNS tell two addresses.
	TwoAddresses bool
	// IPv6 makes every source tell an IPv6 address.
	IPv6 bool
	// Delay is added to the delay of the allocation.
	Delay time.Duration
}

// SetFault makes the fault, and no other, true of the Service from now on. The zero Fault heals it.
func (s *Standin) SetFault(namespace, name string, f Fault) {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	s.mu.Lock()
	s.faults[key] = f
	s.mu.Unlock()
	s.wake(key)
}

// Reallocate takes the global IP of the Service away and gives it a new one, as a restart of Globalnet can do.
func (s *Standin) Reallocate(namespace, name string) {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	s.mu.Lock()
	if r := s.records[key]; r != nil {
		r.own = netip.Addr{}
	}
	s.mu.Unlock()
	s.wake(key)
}

func (s *Standin) fault(key types.NamespacedName) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[key]
}
