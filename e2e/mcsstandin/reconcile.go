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
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	mcsv1alpha1 "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

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

// Reconcile brings one export a step further, in the order of Submariner: globalIngressIP, internal Service, Valid,
// ServiceImport and endpointSlice, aggregation, Ready.
func (s *Standin) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	wait, err := s.step(ctx, req.NamespacedName)
	return reconcile.Result{RequeueAfter: wait}, err
}

// step returns for how long there is nothing to do, unless something changes.
func (s *Standin) step(ctx context.Context, key types.NamespacedName) (time.Duration, error) {
	export, service := &mcsv1alpha1.ServiceExport{}, &corev1.Service{}
	if there, err := s.read(ctx, key, export); err != nil {
		return 0, err
	} else if !there {
		return 0, s.release(ctx, key)
	}
	if there, err := s.read(ctx, key, service); err != nil {
		return 0, err
	} else if !there {
		return 0, s.takeBack(ctx, export, s.release, "ServiceUnavailable", "Service to be exported doesn't exist")
	}
	if kind := service.Spec.Type; kind != "" && kind != corev1.ServiceTypeClusterIP {
		// Globalnet keeps the address all the same.
		return 0, s.takeBack(ctx, export, s.withdraw, "UnsupportedServiceType", fmt.Sprintf("Service of type %s not supported", kind))
	}
	r, err := s.recordOf(ctx, export, service)
	if err != nil {
		return 0, err
	}
	var f Fault
	s.locked(func() { f = s.faults[key] })
	if s.options.NoGlobalnet || service.Spec.ClusterIP == corev1.ClusterIPNone {
		s.tellClusterIP(r, service)
	} else if wait, err := s.globalnet(ctx, export, service, r, f); err != nil || wait > 0 {
		return wait, err
	}
	if f.NeverValid != nil {
		return 0, s.setConditions(ctx, export, condition("Valid", metav1.ConditionFalse, f.NeverValid.Reason, f.NeverValid.Message))
	}
	if wait := s.away(&s.lighthouseBack); wait > 0 {
		return wait, s.setConditions(ctx, export, noAddressYet)
	}
	return s.publish(ctx, export, service, r)
}

// read says whether an object is there, and is to stay.
func (s *Standin) read(ctx context.Context, key types.NamespacedName, o client.Object) (bool, error) {
	err := s.client.Get(ctx, key, o)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("get %T %s: %w", o, key, err)
	}
	return err == nil && o.GetDeletionTimestamp() == nil, nil
}

// globalnet gives the Service its address. It returns how long that still takes.
func (s *Standin) globalnet(
	ctx context.Context, export *mcsv1alpha1.ServiceExport, service *corev1.Service, r *record, f Fault,
) (time.Duration, error) {
	e := exportedService{Cluster: s.options.ClusterID, Service: service}
	if wait := s.away(&s.globalnetBack); wait > 0 {
		if !r.own.IsValid() {
			return wait, s.setConditions(ctx, export, noAddressYet)
		}
		return wait, s.putIngress(ctx, r, e, condition("Allocated", metav1.ConditionFalse, "ReserveAllocatedIPsFailed",
			fmt.Sprintf("Error reserving the allocated global IP(s) from the pool: requested IP %s already allocated", r.own)))
	}
	if wait := s.untilAllocation(r, f); wait > 0 {
		if err := s.putShape(ctx, globalIngressIP, e); err != nil {
			return 0, err
		}
		return wait, s.setConditions(ctx, export, noAddressYet)
	}
	if err := s.loseAddress(ctx, r, e); err != nil {
		return 0, err
	}
	if f.NoAllocation || !s.allocate(r, f, service) {
		if err := s.putIngress(ctx, r, e, exhausted); err != nil {
			return 0, err
		}
		return retryAllocation, s.setConditions(ctx, export,
			condition("Valid", metav1.ConditionFalse, exhausted.Reason, "Unable to obtain global IP: "+exhausted.Message))
	}
	// The API server takes no special address there: under a fault that tells one it is the address that was allocated.
	if e.External = r.told; special(r.told) || r.told.Is6() {
		e.External = r.own
	}
	if err := s.putShape(ctx, internalService, e); err != nil {
		return 0, err
	}
	e.Allocated = r.told
	if err := s.putIngress(ctx, r, e, success); err != nil {
		return 0, err
	}
	s.locked(func() { r.stored = r.told })
	return 0, nil
}

// publish does what follows once the ServiceExport is Valid.
func (s *Standin) publish(
	ctx context.Context, export *mcsv1alpha1.ServiceExport, service *corev1.Service, r *record,
) (time.Duration, error) {
	ready, err := s.backendReady(ctx, client.ObjectKeyFromObject(export))
	if err != nil {
		return 0, err
	}
	s.locked(func() { r.ready = ready })
	e := exportedService{
		Cluster: s.options.ClusterID, Service: service, Advertised: r.advertised, Ready: ready,
		Exporters: map[string]time.Time{s.options.ClusterID: export.CreationTimestamp.Time},
	}
	valid := condition("Valid", metav1.ConditionTrue, s.trueReason("Valid"), "")
	said := []metav1.Condition{valid}
	if !meta.IsStatusConditionTrue(export.Status.Conditions, "Ready") {
		said = append(said, awaitingExport)
	}
	if err := s.setConditions(ctx, export, said...); err != nil {
		return 0, err
	}
	if wait := time.Until(r.allocated.Add(s.options.ExportDelay)); wait > 0 {
		return wait, s.putShape(ctx, clusterImport, e)
	}
	if err := s.distribute(ctx, export, e, r); err != nil {
		return 0, err
	}
	// Ready says that all of this has reached the broker.
	if err := s.setConditions(ctx, export, valid, condition("Ready", metav1.ConditionTrue, s.trueReason("Exported"),
		"Service was successfully exported to the broker")); err != nil {
		return 0, err
	}
	s.locked(func() { r.registered = true })
	return 0, nil
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
		return slices.ContainsFunc(slice.Endpoints, func(e discoveryv1.Endpoint) bool { return ptr.Deref(e.Conditions.Ready, false) })
	}), nil
}

// takeBack takes back what was exported, and says why.
func (s *Standin) takeBack(
	ctx context.Context, export *mcsv1alpha1.ServiceExport, what func(context.Context, types.NamespacedName) error, reason, message string,
) error {
	if err := what(ctx, client.ObjectKeyFromObject(export)); err != nil {
		return err
	}
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
