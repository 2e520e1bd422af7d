package rookstandin

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// controlCSI is the controller of the operator that is about CSI: when the operator starts, and when a CephCluster comes,
// it makes sure of the ConfigMap that the CSI drivers read. What is refused is tried again.
func (o *Operator) controlCSI(ctx context.Context) {
	if o.ensureCSIConfigMap(ctx) == nil || o.alone {
		return
	}
	o.running.Go(func() {
		for failures := 1; o.clock.sleep(ctx, o.backoff(failures)) == nil && o.ensureCSIConfigMap(ctx) != nil; failures++ {
			continue
		}
	})
}

// ensureCSIConfigMap creates the ConfigMap, whether it is there or not. Releases 1.18 and 1.19 delete it again where the
// CSI operator takes its place; 1.20 leaves it empty.
func (o *Operator) ensureCSIConfigMap(ctx context.Context) error {
	cm := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: o.options.OperatorNamespace, Name: CSIConfigMap},
		Data:       map[string]string{csiKey: "[]"},
	}
	if err := o.write.create(ctx, cm); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	if o.options.csiOperator() && !o.options.Release.alwaysCSIOperator() {
		return client.IgnoreNotFound(o.write.delete(ctx, cm))
	}
	return nil
}
