package rookstandin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// placedOSD is an OSD with the node that it is on.
type placedOSD struct {
	OSD
	node Node
}

// osdRun is one start of the OSDs. Errors are collected: one OSD does not keep the others back, but the reconcile fails
// in the end.
type osdRun struct {
	// existing are the OSDs that had a Deployment before; they are updated, all others created.
	existing map[string]bool
	updated  bool
	// awaiting holds the jobs that have not reported their end, by the name of their ConfigMap.
	awaiting map[string]preparation
	// written are the Deployments, as they were before, of which an update is waited for in the end.
	written  []*appsv1.Deployment
	failures []error
}

func (r *osdRun) done() bool { return r.updated && len(r.awaiting) == 0 }

func (r *osdRun) fail(err error) { r.failures = append(r.failures, err) }

// startOSDs lets the prepare jobs run, all at once, creates the OSDs that each names as soon as it has completed, and
// updates the others while nothing is reported.
func (o *Operator) startOSDs(ctx context.Context) error {
	run := &osdRun{existing: map[string]bool{}, awaiting: map[string]preparation{}}
	if err := o.findExistingOSDs(ctx, run); err != nil {
		return err
	}
	var jobs sync.WaitGroup
	defer jobs.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	for _, p := range o.preparations(run.existing) {
		if err := o.report(ctx, o.write, p, prepareStatus{Status: prepareStarting}); err != nil {
			o.journal.add(Continued, "ConfigMap", o.cluster.namespace+"/"+p.configMap(), "%v", err)
		}
		run.awaiting[p.configMap()] = p
		if !o.alone {
			jobs.Go(func() { o.runPrepareJob(ctx, p) })
		}
	}
	start := o.updateAndCreateOSDs
	if o.alone {
		start = o.startOSDsAlone
	}
	if err := start(ctx, run); err != nil {
		return fmt.Errorf("failed to update/create OSDs: %w", err)
	}
	if err := o.waitForUpdate(ctx, run.written); err != nil {
		run.fail(err)
	}
	if len(run.failures) > 0 {
		return fmt.Errorf("%d failures encountered while running osds on nodes in namespace %q. %w",
			len(run.failures), o.cluster.namespace, errors.Join(run.failures...))
	}
	return o.deleteReports(ctx)
}

func (o *Operator) findExistingOSDs(ctx context.Context, run *osdRun) error {
	list := &appsv1.DeploymentList{}
	if err := o.write.client.List(ctx, list, client.InNamespace(o.cluster.namespace), client.MatchingLabels{"app": osdApp}); err != nil {
		return fmt.Errorf("failed to query existing OSD deployments to see if they need updated: %w", err)
	}
	for i := range list.Items {
		run.existing[list.Items[i].Labels["ceph-osd-id"]] = true
	}
	return nil
}

func (o *Operator) updateAndCreateOSDs(ctx context.Context, run *osdRun) error {
	reports, err := o.followPrepareJobs(ctx)
	if err != nil {
		return err
	}
	run.updated = len(run.existing) == 0
	for !run.done() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case cm := <-reports:
			o.seeReport(ctx, run, cm)
		case <-time.After(o.options.Timing.OSDUpdatePause):
			o.updateOSDs(ctx, run)
		}
	}
	return nil
}

// seeReport creates the OSDs that a completed job names, one after the other, and deletes the ConfigMap of the job.
func (o *Operator) seeReport(ctx context.Context, run *osdRun, cm *corev1.ConfigMap) {
	job, awaited := run.awaiting[cm.Name]
	if !awaited {
		return
	}
	var status prepareStatus
	err := json.Unmarshal([]byte(cm.Data[prepareStatusKey]), &status)
	switch {
	case err != nil:
		o.journal.add(Continued, "ConfigMap", cm.Namespace+"/"+cm.Name, "%v", err)
		return
	case status.Status == prepareCompleted:
		o.createOSDs(ctx, run, job, status)
	case status.Status == prepareFailed:
		run.fail(fmt.Errorf("failed to provision OSD(s) on %s. %s", job.place, status.Message))
	default:
		return
	}
	delete(run.awaiting, cm.Name)
	if err := client.IgnoreNotFound(o.write.delete(ctx, cm)); err != nil {
		o.journal.add(Continued, "ConfigMap", cm.Namespace+"/"+cm.Name, "%v", err)
	}
}

func (o *Operator) createOSDs(ctx context.Context, run *osdRun, job preparation, status prepareStatus) {
	for _, osd := range job.osds {
		named := slices.ContainsFunc(status.OSDs, func(found preparedOSD) bool { return strconv.Itoa(found.ID) == osd.ID })
		o.named[osd.ID] = o.named[osd.ID] || named
		if !named || osd.Lost || run.existing[osd.ID] {
			continue
		}
		before, err := o.createOSD(ctx, osd)
		if err != nil {
			run.fail(err)
		}
		if before != nil {
			run.written = append(run.written, before)
		}
	}
}

// createOSD creates the Deployment of an OSD. In native multi-cluster mode it then exports the OSD and updates it; what
// was stored before that update is returned.
func (o *Operator) createOSD(ctx context.Context, osd placedOSD) (*appsv1.Deployment, error) {
	d := o.osdDeployment(osd.OSD, osd.node, netip.Addr{})
	if err := setLastApplied(d); err != nil {
		return nil, fmt.Errorf("failed to annotate deployment %s: %w", d.Name, err)
	}
	if err := o.write.create(ctx, d); err != nil {
		return nil, fmt.Errorf("failed to create deployment for OSD %s: %w", osd.ID, err)
	}
	if !o.cluster.native {
		return nil, nil
	}
	return o.updateOSD(ctx, osd)
}

// updateOSDs updates the OSDs that had a Deployment before, and waits until all have taken it.
func (o *Operator) updateOSDs(ctx context.Context, run *osdRun) {
	if run.updated {
		return
	}
	run.updated = true
	var written []*appsv1.Deployment
	for i, osd := range o.options.OSDs {
		if !run.existing[osd.ID] {
			continue
		}
		before, err := o.updateOSD(ctx, placedOSD{OSD: osd, node: o.options.Nodes[i%len(o.options.Nodes)]})
		if err != nil {
			run.fail(err)
		}
		if before != nil {
			written = append(written, before)
		}
	}
	if err := o.waitForUpdate(ctx, written); err != nil {
		run.fail(err)
	}
}

// updateOSD writes the OSD anew if it differs, and returns what was stored before, nil if nothing was written.
func (o *Operator) updateOSD(ctx context.Context, osd placedOSD) (*appsv1.Deployment, error) {
	stored := &appsv1.Deployment{}
	if err := o.write.get(ctx, o.cluster.namespace, osdResource(osd.ID), stored); err != nil {
		return nil, fmt.Errorf("failed to get deployment %s: %w", osdResource(osd.ID), err)
	}
	if _, skipped := stored.Labels[skipReconcileLabel]; skipped {
		return nil, nil
	}
	var exported netip.Addr
	if o.cluster.native {
		var err error
		if exported, err = o.exportOSD(ctx, osd); err != nil {
			return nil, err
		}
	}
	return o.applyUpdate(ctx, o.updatedOSDDeployment(osd.OSD, osd.node, exported), func() error { return o.okToStopOSD(ctx) })
}

func (o *Operator) exportOSD(ctx context.Context, osd placedOSD) (netip.Addr, error) {
	if err := o.ensureOSDService(ctx, osd.OSD, o.osdLabels(osd.OSD, osd.node.Name)); err != nil {
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
