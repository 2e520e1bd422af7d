package mcsstandin

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

type workQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// record is what the stand-in knows about one export beside what is stored.
type record struct {
	exportUID, serviceUID types.UID
	born                  time.Time
	allocated             time.Time
	own                   netip.Addr
	// told is what the GlobalIngressIP says, advertised what the ServiceImport, the EndpointSlice and DNS say.
	told       netip.Addr
	advertised []netip.Addr
	// stored is told once the API server has it.
	stored netip.Addr
	// spare is the second address, or the address never allocated, of a fault that needs one.
	spare      netip.Addr
	ready      bool
	registered bool
}

// Reconcile brings one export a step further, in the order of Submariner: GlobalIngressIP, internal Service, Valid,
// ServiceImport and EndpointSlice, aggregation, Ready.
func (s *Standin) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	key := req.NamespacedName
	export := &mcsv1alpha1.ServiceExport{}
	err := s.client.Get(ctx, key, export)
	if apierrors.IsNotFound(err) || (err == nil && export.DeletionTimestamp != nil) {
		return reconcile.Result{}, s.release(ctx, key)
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("get ServiceExport %s: %w", key, err)
	}
	service := &corev1.Service{}
	err = s.client.Get(ctx, key, service)
	if apierrors.IsNotFound(err) || (err == nil && service.DeletionTimestamp != nil) {
		if err := s.release(ctx, key); err != nil {
			return reconcile.Result{}, err
		}
		return reconcile.Result{}, s.setConditions(ctx, export,
			condition("Valid", metav1.ConditionFalse, "ServiceUnavailable", "Service to be exported doesn't exist"))
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("get Service %s: %w", key, err)
	}
	if service.Spec.Type != corev1.ServiceTypeClusterIP || service.Spec.ClusterIP == corev1.ClusterIPNone {
		return reconcile.Result{}, s.setConditions(ctx, export, condition("Valid", metav1.ConditionFalse,
			"UnsupportedServiceType", fmt.Sprintf("Service of type %s not supported", service.Spec.Type)))
	}
	return s.reconcileExport(ctx, key, export, service)
}

func (s *Standin) reconcileExport(
	ctx context.Context, key types.NamespacedName, export *mcsv1alpha1.ServiceExport, service *corev1.Service,
) (reconcile.Result, error) {
	f := s.fault(key)
	r, again := s.recordOf(key, export.UID, service.UID)
	if again {
		if err := s.release(ctx, key); err != nil {
			return reconcile.Result{}, err
		}
		r, _ = s.recordOf(key, export.UID, service.UID)
	}
	noAddressYet := condition("Valid", metav1.ConditionFalse, "ServiceGlobalIPUnavailable", "Service doesn't have a global IP yet")

	if f.NoAllocation {
		failed := condition("Allocated", metav1.ConditionFalse, "IPPoolAllocationFailed", "Error allocating IP: no free IPs")
		if err := s.ensureIngressIP(ctx, key, r, netip.Addr{}, failed); err != nil {
			return reconcile.Result{}, err
		}
		return reconcile.Result{}, s.setConditions(ctx, export,
			condition("Valid", metav1.ConditionFalse, failed.Reason, failed.Message))
	}
	if wait := s.untilAllocation(r, f); wait > 0 {
		if err := s.ensureIngressIP(ctx, key, r, netip.Addr{}, metav1.Condition{}); err != nil {
			return reconcile.Result{}, err
		}
		return reconcile.Result{RequeueAfter: wait}, s.setConditions(ctx, export, noAddressYet)
	}
	if err := s.allocate(r, f); err != nil {
		return reconcile.Result{}, err
	}
	if err := s.ensureInternalService(ctx, key, service, r); err != nil {
		return reconcile.Result{}, err
	}
	allocated := condition("Allocated", metav1.ConditionTrue, "Success", "Allocated global IP")
	if err := s.ensureIngressIP(ctx, key, r, r.told, allocated); err != nil {
		return reconcile.Result{}, err
	}
	s.mu.Lock()
	r.stored = r.told
	s.mu.Unlock()
	if f.NeverValid != nil {
		return reconcile.Result{}, s.setConditions(ctx, export,
			condition("Valid", metav1.ConditionFalse, f.NeverValid.Reason, f.NeverValid.Message))
	}
	if wait := time.Until(r.allocated.Add(s.options.ValidityDelay)); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, s.setConditions(ctx, export, noAddressYet)
	}
	return s.publish(ctx, key, export, service, r)
}

// publish does what follows once the ServiceExport is Valid.
func (s *Standin) publish(
	ctx context.Context, key types.NamespacedName, export *mcsv1alpha1.ServiceExport, service *corev1.Service, r *record,
) (reconcile.Result, error) {
	ready, err := s.backendReady(ctx, key)
	if err != nil {
		return reconcile.Result{}, err
	}
	s.mu.Lock()
	r.ready = ready
	s.mu.Unlock()
	valid := condition("Valid", metav1.ConditionTrue, s.trueReason("Valid"), "")
	if wait := time.Until(r.allocated.Add(s.options.ValidityDelay + s.options.ExportDelay)); wait > 0 {
		if err := s.ensureClusterImport(ctx, key, service, r); err != nil {
			return reconcile.Result{}, err
		}
		return reconcile.Result{RequeueAfter: wait}, s.setConditions(ctx, export, valid, condition("Ready",
			metav1.ConditionFalse, "AwaitingExport", "ServiceImport created - awaiting aggregation on the broker"))
	}
	if err := s.setConditions(ctx, export, valid); err != nil {
		return reconcile.Result{}, err
	}
	if err := s.ensureClusterImport(ctx, key, service, r); err != nil {
		return reconcile.Result{}, err
	}
	if err := s.ensureAggregatedImport(ctx, key, service); err != nil {
		return reconcile.Result{}, err
	}
	if err := s.ensureSlices(ctx, key, service, r); err != nil {
		return reconcile.Result{}, err
	}
	// Ready says that all of this has reached the broker.
	if err := s.setConditions(ctx, export, valid, condition("Ready", metav1.ConditionTrue, s.trueReason("Exported"),
		"Service was successfully exported to the broker")); err != nil {
		return reconcile.Result{}, err
	}
	s.mu.Lock()
	r.registered = true
	s.mu.Unlock()
	return reconcile.Result{}, nil
}

func (s *Standin) trueReason(reason string) string {
	if s.options.EmptyReasons {
		return ""
	}
	return reason
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

// recordOf returns the record of the export, and whether it is about an earlier export or Service of the same name.
func (s *Standin) recordOf(key types.NamespacedName, exportUID, serviceUID types.UID) (*record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[key]
	if !ok {
		r = &record{exportUID: exportUID, serviceUID: serviceUID, born: time.Now()}
		s.records[key] = r
	}
	return r, r.exportUID != exportUID || r.serviceUID != serviceUID
}

// allocate gives the record its address, and what the sources tell instead of it under the fault.
func (s *Standin) allocate(r *record, f Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !r.own.IsValid() {
		own, err := s.pool.draw()
		if err != nil {
			return fmt.Errorf("allocate a global IP: %w", err)
		}
		r.own = own
	}
	if r.allocated.IsZero() {
		r.allocated = time.Now()
	}
	told, err := s.toldUnder(f, r)
	if err != nil {
		return err
	}
	r.told = told
	if (f.StaleImport || f.TwoAddresses) && !r.spare.IsValid() {
		if r.spare, err = s.pool.draw(); err != nil {
			return fmt.Errorf("allocate a spare global IP: %w", err)
		}
	}
	switch {
	case f.StaleImport && len(r.advertised) == 0:
		r.advertised = []netip.Addr{r.spare}
	case f.StaleImport:
	case f.TwoAddresses:
		r.advertised = []netip.Addr{r.told, r.spare}
	default:
		r.advertised = []netip.Addr{r.told}
	}
	return nil
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
	case f.PeerAddress:
		if len(s.peers) == 0 {
			return netip.Addr{}, fmt.Errorf("tell the address of a peer: there is no peer")
		}
		// A Service keeps the peer's address that it was given first.
		if r.told.IsValid() && s.options.Peers[0].GlobalCIDR.Contains(r.told) {
			return r.told, nil
		}
		return s.peers[0].draw()
	default:
		return r.own, nil
	}
}

// backendReady says whether any pod behind the Service is ready.
func (s *Standin) backendReady(ctx context.Context, key types.NamespacedName) (bool, error) {
	list := &discoveryv1.EndpointSliceList{}
	err := s.client.List(ctx, list, client.InNamespace(key.Namespace), client.MatchingLabels{discoveryv1.LabelServiceName: key.Name})
	if err != nil {
		return false, fmt.Errorf("list the EndpointSlices of Service %s: %w", key, err)
	}
	return slices.ContainsFunc(list.Items, func(slice discoveryv1.EndpointSlice) bool {
		return slices.ContainsFunc(slice.Endpoints, func(e discoveryv1.Endpoint) bool {
			return e.Conditions.Ready != nil && *e.Conditions.Ready
		})
	}), nil
}

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}
