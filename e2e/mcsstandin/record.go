package mcsstandin

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// record is what the stand-in knows about one export beside what is stored.
type record struct {
	exportUID, serviceUID types.UID
	// written is the version of the Service for which the address was allocated.
	written         string
	born, allocated time.Time
	own             netip.Addr
	// told is what the GlobalIngressIP says, advertised what the ServiceImport, the EndpointSlice and DNS say.
	told       netip.Addr
	advertised []netip.Addr
	// allocation are the conditions of the GlobalIngressIP.
	allocation []metav1.Condition
	// stored is told once the API server has it.
	stored netip.Addr
	// spare is the second address, or the address never allocated, of a fault that needs one.
	spare netip.Addr
	vip   netip.Addr
	// stale says that Lighthouse was not told of a change, restarted that Globalnet has yet to look at what it finds.
	ready, registered, stale, restarted bool
}

// recordOf returns the record of the export. What an earlier export or Service of the name had is taken back.
func (s *Standin) recordOf(ctx context.Context, export *mcsv1alpha1.ServiceExport, service *corev1.Service) (*record, error) {
	key := client.ObjectKeyFromObject(export)
	s.mu.Lock()
	r := s.records[key]
	// One that was adopted does not know of whom it is.
	earlier := r != nil && r.exportUID+r.serviceUID != "" && (r.exportUID != export.UID || r.serviceUID != service.UID)
	s.mu.Unlock()
	if earlier {
		if err := s.release(ctx, key); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r == nil || earlier {
		r = &record{born: time.Now()}
		s.records[key] = r
	}
	r.exportUID, r.serviceUID = export.UID, service.UID
	return r, nil
}

// untilAllocation returns how long the export has to wait for its address.
func (s *Standin) untilAllocation(r *record, f Fault) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.own.IsValid() {
		return 0
	}
	return time.Until(r.born.Add(s.options.AllocationDelay + f.Delay))
}

// tellClusterIP makes Lighthouse tell the ClusterIP, as without Globalnet; of a headless Service, nothing.
func (s *Standin) tellClusterIP(r *record, service *corev1.Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.allocated.IsZero() {
		r.allocated = time.Now()
	}
	r.advertised = nil
	if address, err := netip.ParseAddr(service.Spec.ClusterIP); err == nil {
		r.advertised = []netip.Addr{address}
	}
}

// loseAddress takes the address away when Globalnet started anew and found no internal Service for it.
func (s *Standin) loseAddress(ctx context.Context, r *record, e exportedService) error {
	var restarted bool
	s.locked(func() { restarted = r.restarted })
	if !restarted {
		return nil
	}
	key := types.NamespacedName{Namespace: e.Namespace, Name: InternalServiceName(e.Name)}
	err := s.client.Get(ctx, key, &corev1.Service{})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("look for the internal Service of %s/%s: %w", e.Namespace, e.Name, err)
	}
	s.locked(func() {
		if r.restarted = false; err != nil {
			s.replaceAddress(r)
		}
	})
	return nil
}

// replaceAddress gives the record another address than it has, if there is one; whoever asks next gets the former.
func (s *Standin) replaceAddress(r *record) {
	if next, err := s.pool.Draw(); err == nil {
		s.pool.Free(r.own)
		r.own, r.stale = next, true
	}
}

// allocate gives the record its address, and what the sources tell instead of it under the fault. It returns false when the
// pool is exhausted.
func (s *Standin) allocate(r *record, f Fault, service *corev1.Service) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if !r.own.IsValid() {
		if r.own, err = s.pool.Draw(); err != nil {
			return false
		}
	} else if !r.stale && r.written != service.ResourceVersion && time.Since(r.allocated) < s.options.SecondAddressWindow {
		// Nobody knows of the first one any more: it is not freed.
		second, err := s.pool.Draw()
		if err != nil {
			return false
		}
		r.own, r.stale = second, true
	}
	r.written = service.ResourceVersion
	if r.allocated.IsZero() {
		r.allocated = time.Now()
	}
	if r.told, err = s.toldUnder(f, r); err != nil {
		return false
	}
	if (f.StaleImport || f.TwoAddresses) && !r.spare.IsValid() {
		if r.spare, err = s.pool.Draw(); err != nil {
			return false
		}
	}
	remembers := s.options.SecondAddressWindow > 0 || s.options.LighthouseRemembers
	switch {
	case f.StaleImport && len(r.advertised) == 0:
		r.advertised = []netip.Addr{r.spare}
	case f.StaleImport:
	case f.TwoAddresses:
		r.advertised = []netip.Addr{r.told, r.spare}
	case r.stale && remembers && len(r.advertised) > 0:
	default:
		r.advertised = []netip.Addr{r.told}
	}
	return true
}

func (s *Standin) toldUnder(f Fault, r *record) (netip.Addr, error) {
	switch {
	case f.Address.IsValid():
		return f.Address, nil
	case f.IPv6:
		low := r.own.As4()
		v6 := netip.MustParseAddr("fd00:242::").As16()
		copy(v6[12:], low[:])
		return netip.AddrFrom16(v6), nil
	case f.PeerAddress && len(s.peers) > 0:
		// A Service keeps the peer's address that it was given first.
		if r.told.IsValid() && s.options.Peers[0].GlobalCIDR.Contains(r.told) {
			return r.told, nil
		}
		return s.peers[0].Draw()
	default:
		return r.own, nil
	}
}

// vip returns the clusterset IP of the export, if it is to have one; it keeps what it has.
func (s *Standin) vip(export *mcsv1alpha1.ServiceExport, r *record) (netip.Addr, error) {
	wanted := s.options.ClustersetIPs
	if asked, ok := export.Annotations[ClustersetIPAnnotation]; ok {
		wanted = asked == "true"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if wanted && !r.vip.IsValid() {
		r.vip, err = s.vips.Draw()
	}
	return r.vip, err
}
