package rookstandin

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
)

// clusterStatus is what the operator writes of the status of a CephCluster.
type clusterStatus struct {
	Phase              string             `json:"phase,omitempty"`
	State              string             `json:"state,omitempty"`
	Message            string             `json:"message,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
	Version            map[string]string  `json:"version,omitempty"`
	Ceph               *cephStatus        `json:"ceph,omitempty"`
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
}

// setCondition sets a condition of the CephCluster; one that is True becomes the phase.
func (o *Operator) setCondition(
	ctx context.Context, of client.Object, kind string, status metav1.ConditionStatus, reason, message string,
) error {
	return o.changeStatus(ctx, of, func(s *clusterStatus) {
		meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message})
		s.Message = message
		if status == metav1.ConditionTrue {
			s.Phase, s.State = kind, "Creating"
		}
		if s.Phase == "Ready" {
			s.State = "Created"
		}
	})
}

func (o *Operator) changeStatus(ctx context.Context, of client.Object, change func(*clusterStatus)) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(CephClusterKind)
		if err := o.write.get(ctx, of.GetNamespace(), of.GetName(), u); err != nil {
			return err
		}
		var read struct {
			Status clusterStatus `json:"status"`
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &read); err != nil {
			return fmt.Errorf("failed to read the status of the CephCluster: %w", err)
		}
		change(&read.Status)
		written, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&read)
		if err != nil {
			return fmt.Errorf("failed to write the status of the CephCluster: %w", err)
		}
		u.Object["status"] = written["status"]
		return o.write.client.Status().Update(ctx, u)
	})
}

// emit makes an event of the CephCluster.
func (o *Operator) emit(ctx context.Context, of client.Object, kind, reason, message string) {
	now := metav1.Now()
	event := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: of.GetNamespace(), GenerateName: of.GetName() + "."},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: CephClusterKind.GroupVersion().String(), Kind: CephClusterKind.Kind,
			Namespace: of.GetNamespace(), Name: of.GetName(), UID: of.GetUID(),
		},
		Type: kind, Reason: reason, Message: message, Count: 1, FirstTimestamp: now, LastTimestamp: now,
		Source: corev1.EventSource{Component: "rook-ceph-cluster-controller"},
	}
	o.goOn("failed to make the event", reason, o.write.client.Create(ctx, event))
}

// Silence keeps the operator from asking for Ceph's health, or lets it ask again.
func (o *Operator) Silence(silent bool) { o.silent.Store(silent) }

// statusLoop notes the health of Ceph now and then, between reconciles and while they run.
func (o *Operator) statusLoop(ctx context.Context) {
	for o.sleep(ctx, o.options.Timing.StatusInterval) == nil {
		if !o.monitoring.Load() || o.silent.Load() {
			continue
		}
		u, err := o.findCluster(ctx)
		if err != nil || u == nil {
			continue
		}
		now := o.cephStatus(ctx)
		err = o.changeStatus(ctx, u, func(s *clusterStatus) { s.Ceph = now })
		if ctx.Err() == nil {
			o.goOn("failed to update the status", u.GetName(), err)
		}
	}
}

// cephStatus is what ceph status and ceph versions tell, as Rook notes it.
type cephStatus struct {
	Health      string                      `json:"health"`
	Details     map[string]ceph.Check       `json:"details,omitempty"`
	LastChecked string                      `json:"lastChecked"`
	FSID        string                      `json:"fsid"`
	Versions    map[string]map[string]int64 `json:"versions,omitempty"`
}

// cephStatus asks for it. Where it is not asked for between reconciles, all is well.
func (o *Operator) cephStatus(ctx context.Context) *cephStatus {
	status := &cephStatus{Health: "HEALTH_OK", LastChecked: o.now().UTC().Format(time.RFC3339), FSID: o.fsid}
	if o.options.Timing.StatusInterval == 0 {
		return status
	}
	health, err := o.commands.Health(ctx, o.memory.access())
	if err != nil {
		status.Health, status.Details = "HEALTH_ERR", map[string]ceph.Check{"error": {Severity: "Urgent", Message: err.Error()}}
		return status
	}
	status.Health, status.Details = health.Status, health.Checks
	status.Versions = map[string]map[string]int64{"mon": {"ceph version " + o.options.CephVersion: int64(health.Mons)}}
	return status
}
