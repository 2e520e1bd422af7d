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
	// NoAllocation leaves the Service without a global IP, as a pool that is exhausted does.
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
	s.locked(func() { s.faults[key] = f })
	s.wake(key)
}

// Reallocate takes the global IP of the Service away and gives it a new one, as a restart of Globalnet can do.
func (s *Standin) Reallocate(namespace, name string) {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	s.locked(func() {
		if r := s.records[key]; r != nil {
			s.replaceAddress(r)
		}
	})
	s.wake(key)
}

// RestartGlobalnet restarts what allocates. Until it is back, after 8 to 18 s in a real cluster, no GlobalIngressIP has an
// address; then each has its own again, but for one whose internal Service is gone: that gets another.
func (s *Standin) RestartGlobalnet(away time.Duration) {
	s.restart(&s.globalnetBack, away, func(r *record) { r.stored, r.restarted = netip.Addr{}, true })
}

// RestartLighthouse restarts the agent. Until it is back, for tens of seconds in a real cluster, no export is Valid, however
// well its daemon is; then Lighthouse tells what the GlobalIngressIPs say.
func (s *Standin) RestartLighthouse(away time.Duration) {
	s.restart(&s.lighthouseBack, away, func(r *record) { r.stale = false })
}

func (s *Standin) restart(back *time.Time, away time.Duration, each func(*record)) {
	var keys []types.NamespacedName
	s.locked(func() {
		*back = time.Now().Add(away)
		for key, r := range s.records {
			each(r)
			keys = append(keys, key)
		}
	})
	for _, key := range keys {
		s.wake(key)
	}
}

// away returns how long it takes until what was restarted is back.
func (s *Standin) away(back *time.Time) (still time.Duration) {
	s.locked(func() { still = time.Until(*back) })
	return still
}
