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
)

// setCondition sets a condition of the CephCluster; one that is True becomes the phase.
func (o *Operator) setCondition(ctx context.Context, of client.Object, kind string, status metav1.ConditionStatus, reason, message string) error {
	return o.changeStatus(ctx, of, func(content map[string]any) error {
		var read struct {
			Conditions []metav1.Condition `json:"conditions,omitempty"`
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &read); err != nil {
			return err
		}
		meta.SetStatusCondition(&read.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message})
		written, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&read)
		if err != nil {
			return err
		}
		content["conditions"] = written["conditions"]
		content["message"] = message
		if status == metav1.ConditionTrue {
			content["phase"] = kind
			if kind == "Ready" {
				content["state"] = "Created"
			} else {
				content["state"] = "Creating"
			}
		}
		return nil
	})
}

// setCephVersion notes what the detect-version job found.
func (o *Operator) setCephVersion(ctx context.Context, of client.Object) error {
	return o.changeStatus(ctx, of, func(content map[string]any) error {
		content["version"] = map[string]any{"image": o.cluster.image, "version": o.options.CephVersion}
		return nil
	})
}

// setCephHealth notes what ceph status tells.
func (o *Operator) setCephHealth(ctx context.Context, of client.Object) error {
	ceph := map[string]any{"health": "HEALTH_OK", "lastChecked": o.clock.now().UTC().Format(time.RFC3339), "fsid": o.fsid}
	if o.options.Timing.StatusInterval > 0 {
		ceph = o.cephStatus(ctx)
	}
	return o.changeStatus(ctx, of, func(content map[string]any) error {
		content["ceph"] = ceph
		content["observedGeneration"] = o.cluster.generation
		return nil
	})
}

func (o *Operator) changeStatus(ctx context.Context, of client.Object, change func(map[string]any) error) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(CephClusterKind)
		if err := o.write.get(ctx, of.GetNamespace(), of.GetName(), u); err != nil {
			return fmt.Errorf("failed to get the CephCluster: %w", err)
		}
		content, _ := u.Object["status"].(map[string]any)
		if content == nil {
			content = map[string]any{}
		}
		if err := change(content); err != nil {
			return fmt.Errorf("failed to change the status of the CephCluster: %w", err)
		}
		u.Object["status"] = content
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
	if err := o.write.client.Create(ctx, event); err != nil {
		o.journal.add(Continued, "Event", of.GetNamespace()+"/"+reason, "%v", err)
	}
}
