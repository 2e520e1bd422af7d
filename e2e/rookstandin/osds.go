package rookstandin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// startOSDs makes the OSDs that are missing and updates the others. Errors are collected: one OSD does not keep the
// others back, but the reconcile fails in the end.
func (o *Operator) startOSDs(ctx context.Context) error {
	var failures []error
	var updates []*appsv1.Deployment
	for i, osd := range o.options.OSDs {
		if err := o.prepareOSD(ctx, osd); err != nil {
			failures = append(failures, err)
			continue
		}
		d := o.osdDeployment(osd, o.options.Nodes[i%len(o.options.Nodes)], netip.Addr{})
		existing := &appsv1.Deployment{}
		err := o.write.get(ctx, d.Namespace, d.Name, existing)
		switch {
		case apierrors.IsNotFound(err):
			if err := o.createOSD(ctx, d); err != nil {
				failures = append(failures, err)
				continue
			}
		case err != nil:
			failures = append(failures, fmt.Errorf("failed to get deployment %s: %w", d.Name, err))
			continue
		}
		if _, skipped := existing.Labels[skipReconcileLabel]; skipped {
			continue
		}
		if o.cluster.native {
			exported, err := o.exportOSD(ctx, osd, d)
			if err != nil {
				failures = append(failures, err)
				continue
			}
			d = o.osdDeployment(osd, o.options.Nodes[i%len(o.options.Nodes)], exported)
		} else if existing.Name == "" {
			continue
		}
		before, err := o.applyUpdate(ctx, d, func() error { return o.okToStopOSD(ctx) })
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if before != nil {
			updates = append(updates, before)
		}
	}
	if err := o.waitForUpdate(ctx, updates); err != nil {
		failures = append(failures, err)
	}
	if len(failures) > 0 {
		return fmt.Errorf("%d failures encountered while running osds on nodes in namespace %q. %w",
			len(failures), o.cluster.namespace, errors.Join(failures...))
	}
	return nil
}

// prepareOSD stands for the prepare job: the OSD is known to the cluster before it has a Deployment.
func (o *Operator) prepareOSD(ctx context.Context, osd OSD) error {
	if err := o.commands.NewOSD(ctx, o.access(), osd.ID, osd.uuid()); err != nil {
		return fmt.Errorf("failed to prepare OSD %s: %w", osd.ID, err)
	}
	return nil
}

func (o *Operator) createOSD(ctx context.Context, d *appsv1.Deployment) error {
	d = d.DeepCopy()
	if err := setLastApplied(d); err != nil {
		return fmt.Errorf("failed to annotate deployment %s: %w", d.Name, err)
	}
	if err := o.write.create(ctx, d); err != nil {
		return fmt.Errorf("failed to create deployment for OSD %s: %w", d.Labels["ceph-osd-id"], err)
	}
	return nil
}

func (o *Operator) exportOSD(ctx context.Context, osd OSD, d *appsv1.Deployment) (netip.Addr, error) {
	if err := o.ensureOSDService(ctx, osd, d.Spec.Template.Labels); err != nil {
		return netip.Addr{}, err
	}
	return o.export(ctx, osdResource(osd.ID))
}

func (o *Operator) okToStopOSD(ctx context.Context) error {
	if _, err := o.quorumStatus(ctx); err != nil {
		return fmt.Errorf("failed to check if the OSD is ok to stop: %w", err)
	}
	return nil
}

// startMgr makes or updates the mgr.
func (o *Operator) startMgr(ctx context.Context) error {
	if err := o.ensureMgrKeyring(ctx); err != nil {
		return err
	}
	d := o.mgrDeployment()
	if err := setLastApplied(d); err != nil {
		return fmt.Errorf("failed to annotate deployment %s: %w", d.Name, err)
	}
	err := o.write.create(ctx, d.DeepCopy())
	if apierrors.IsAlreadyExists(err) {
		before, err := o.applyUpdate(ctx, d, func() error { return nil })
		if err != nil || before == nil {
			return err
		}
		return o.waitForUpdate(ctx, []*appsv1.Deployment{before})
	}
	if err != nil {
		return fmt.Errorf("failed to create mgr deployment: %w", err)
	}
	return nil
}
