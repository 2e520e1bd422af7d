package mcsstandin

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

type workQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// retryAllocation is how long an export without an address waits until it asks again for one.
const retryAllocation = time.Second

// What Submariner says of an export that has no address.
var (
	noAddressYet = condition("Valid", metav1.ConditionFalse, "ServiceGlobalIPUnavailable", "Service doesn't have a global IP yet")
	exhausted    = condition("Allocated", metav1.ConditionFalse, "IPPoolAllocationFailed",
		"Error allocating a global IP from the pool: "+errExhausted.Error())
	success        = condition("Allocated", metav1.ConditionTrue, "Success", "Allocated global IP")
	awaitingExport = condition("Ready", metav1.ConditionFalse, "AwaitingExport", "ServiceImport created - awaiting aggregation on the broker")
	importDeleted  = condition("Ready", metav1.ConditionFalse, "NoServiceImport", "ServiceImport was deleted")
)

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
		return reconcile.Result{}, s.setWithdrawn(ctx, export, "ServiceUnavailable", "Service to be exported doesn't exist")
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("get Service %s: %w", key, err)
	}
	if service.Spec.Type != "" && service.Spec.Type != corev1.ServiceTypeClusterIP {
		// Globalnet keeps the address all the same.
		if err := s.withdraw(ctx, key); err != nil {
			return reconcile.Result{}, err
		}
		return reconcile.Result{}, s.setWithdrawn(ctx, export, "UnsupportedServiceType",
			fmt.Sprintf("Service of type %s not supported", service.Spec.Type))
	}
	return s.reconcileExport(ctx, export, service)
}

func (s *Standin) reconcileExport(
	ctx context.Context, export *mcsv1alpha1.ServiceExport, service *corev1.Service,
) (reconcile.Result, error) {
	key := client.ObjectKeyFromObject(export)
	f := s.fault(key)
	r, again := s.recordOf(key, export.UID, service.UID)
	if again {
		if err := s.release(ctx, key); err != nil {
			return reconcile.Result{}, err
		}
		r, _ = s.recordOf(key, export.UID, service.UID)
	}
	if s.options.NoGlobalnet || service.Spec.ClusterIP == corev1.ClusterIPNone {
		s.tellClusterIP(r, service)
	} else if wait, unavailable, err := s.globalnet(ctx, r, f, service); err != nil || unavailable != nil {
		if err == nil {
			err = s.setConditions(ctx, export, *unavailable)
		}
		return reconcile.Result{RequeueAfter: wait}, err
	} else if wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	if f.NeverValid != nil {
		return reconcile.Result{}, s.setConditions(ctx, export,
			condition("Valid", metav1.ConditionFalse, f.NeverValid.Reason, f.NeverValid.Message))
	}
	if wait := max(time.Until(r.allocated.Add(s.options.ValidityDelay)), time.Until(s.back(&s.lighthouseBack))); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, s.setConditions(ctx, export, noAddressYet)
	}
	return s.publish(ctx, export, service, r)
}

// globalnet gives the Service its address. It returns how long that still takes, and what the export says until then.
func (s *Standin) globalnet(
	ctx context.Context, r *record, f Fault, service *corev1.Service,
) (time.Duration, *metav1.Condition, error) {
	e := Export{Cluster: s.options.ClusterID, Service: service}
	if wait := time.Until(s.back(&s.globalnetBack)); wait > 0 {
		if !r.own.IsValid() {
			return wait, &noAddressYet, nil
		}
		e.Allocation = new(condition("Allocated", metav1.ConditionFalse, "ReserveAllocatedIPsFailed",
			fmt.Sprintf("Error reserving the allocated global IP(s) from the pool: requested IP %s already allocated", r.own)))
		return wait, nil, s.putShape(ctx, GlobalIngressIP, e)
	}
	if wait := s.untilAllocation(r, f); wait > 0 {
		return wait, &noAddressYet, s.putShape(ctx, GlobalIngressIP, e)
	}
	if err := s.loseAddress(ctx, r, e); err != nil {
		return 0, nil, err
	}
	if f.NoAllocation || !s.allocate(r, f, service) {
		failed := condition("Valid", metav1.ConditionFalse, exhausted.Reason, "Unable to obtain global IP: "+exhausted.Message)
		e.Allocation = &exhausted
		return retryAllocation, &failed, s.putShape(ctx, GlobalIngressIP, e)
	}
	// The API server takes no special address there: under a fault that tells one it is the address that was allocated.
	if e.External = r.told; special(r.told) || r.told.Is6() {
		e.External = r.own
	}
	if err := s.putShape(ctx, InternalService, e); err != nil {
		return 0, nil, err
	}
	e.Allocated, e.Allocation = r.told, &success
	if err := s.putShape(ctx, GlobalIngressIP, e); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	r.stored = r.told
	s.mu.Unlock()
	return 0, nil, nil
}

// publish does what follows once the ServiceExport is Valid.
func (s *Standin) publish(
	ctx context.Context, export *mcsv1alpha1.ServiceExport, service *corev1.Service, r *record,
) (reconcile.Result, error) {
	key := client.ObjectKeyFromObject(export)
	ready, err := s.backendReady(ctx, key)
	if err != nil {
		return reconcile.Result{}, err
	}
	s.mu.Lock()
	r.ready = ready
	s.mu.Unlock()
	e := Export{
		Cluster: s.options.ClusterID, Service: service, Advertised: r.advertised, Ready: ready,
		Exporters: map[string]time.Time{s.options.ClusterID: export.CreationTimestamp.Time},
	}
	valid := condition("Valid", metav1.ConditionTrue, s.trueReason("Valid"), "")
	said := []metav1.Condition{valid}
	if !meta.IsStatusConditionTrue(export.Status.Conditions, "Ready") {
		said = append(said, awaitingExport)
	}
	if err := s.setConditions(ctx, export, said...); err != nil {
		return reconcile.Result{}, err
	}
	if wait := time.Until(r.allocated.Add(s.options.ValidityDelay + s.options.ExportDelay)); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, s.putShape(ctx, ClusterImport, e)
	}
	if err := s.distribute(ctx, export, e, r); err != nil {
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

// setWithdrawn says why what was exported no longer is.
func (s *Standin) setWithdrawn(ctx context.Context, export *mcsv1alpha1.ServiceExport, reason, message string) error {
	said := []metav1.Condition{condition("Valid", metav1.ConditionFalse, reason, message)}
	if meta.FindStatusCondition(export.Status.Conditions, "Ready") != nil {
		said = append(said, importDeleted)
	}
	return s.setConditions(ctx, export, said...)
}

// setConditions sets the conditions of the export. With strict CRDs the API server refuses a condition without a reason;
// Lighthouse writes that into its log and goes on.
func (s *Standin) setConditions(ctx context.Context, export *mcsv1alpha1.ServiceExport, conditions ...metav1.Condition) error {
	before := export.DeepCopy()
	for _, c := range conditions {
		meta.SetStatusCondition(&export.Status.Conditions, c)
	}
	if equality.Semantic.DeepEqual(before.Status, export.Status) {
		return nil
	}
	err := s.client.Status().Patch(ctx, export, client.MergeFrom(before))
	accepted := slices.DeleteFunc(slices.Clone(conditions), func(c metav1.Condition) bool { return c.Reason == "" })
	if apierrors.IsInvalid(err) && len(accepted) < len(conditions) {
		s.options.Logger.Error(err, "the conditions of a ServiceExport were refused", "export", client.ObjectKeyFromObject(export))
		export.Status = before.Status
		return s.setConditions(ctx, export, accepted...)
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("set the conditions of ServiceExport %s/%s: %w", export.Namespace, export.Name, err)
	}
	return nil
}

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}
