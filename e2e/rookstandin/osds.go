package rookstandin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// osdRun is one start of the OSDs. Errors are collected: one OSD does not keep the others back, but the reconcile fails
// in the end.
type osdRun struct {
	// existing are the OSDs that had a Deployment before; they are updated, all others created.
	existing map[string]bool
	// written are the Deployments, as they were before, of which an update is still to be waited for.
	written  updated
	failures []error
}

func (r *osdRun) fail(err error) {
	if err != nil {
		r.failures = append(r.failures, err)
	}
}

// startOSDs lets the prepare jobs run, all at once, updates the OSDs that are there before any of them can tell, and creates those
// that each names as soon as it has completed.
func (o *Operator) startOSDs(ctx context.Context) error {
	list := &appsv1.DeploymentList{}
	err := o.write.client.List(ctx, list, client.InNamespace(o.cluster.Namespace), client.MatchingLabels{"app": shapes.OSDApp})
	if err != nil {
		return fmt.Errorf("failed to query existing OSD deployments to see if they need updated: %w", err)
	}
	run := &osdRun{existing: map[string]bool{}}
	for i := range list.Items {
		run.existing[list.Items[i].Labels["ceph-osd-id"]] = true
	}
	var jobs sync.WaitGroup
	defer jobs.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	preparations, ended := o.preparations(), make(chan preparation)
	for _, p := range preparations {
		o.goOn("failed to start the report", p.configMap(), o.report(ctx, o.write, p, "starting", nil, ""))
		if !o.alone {
			jobs.Go(func() { o.runPrepareJob(ctx, p, ended) })
		}
	}
	o.updateOSDs(ctx, run)
	for _, p := range preparations {
		var err error
		if o.alone {
			// No other goroutine runs the jobs, so they run here.
			err = o.prepare(ctx, p)
		} else {
			select {
			case p = <-ended:
			case <-ctx.Done():
				err = context.Cause(ctx)
			}
		}
		if err != nil {
			return fmt.Errorf("failed to update/create OSDs: %w", err)
		}
		o.seeReport(ctx, run, p)
	}
	o.waitForOSDs(ctx, run)
	if len(run.failures) > 0 {
		return fmt.Errorf("%d failures encountered while running osds on nodes in namespace %q. %w",
			len(run.failures), o.cluster.Namespace, errors.Join(run.failures...))
	}
	return o.deleteReports(ctx)
}

// seeReport creates the OSDs that a job has named, one after the other, and deletes the ConfigMap in which it did.
func (o *Operator) seeReport(ctx context.Context, run *osdRun, job preparation) {
	cm, status := &corev1.ConfigMap{}, prepareStatus{}
	err := o.write.get(ctx, o.cluster.Namespace, job.configMap(), cm)
	if err == nil {
		err = json.Unmarshal([]byte(cm.Data[prepareStatusKey]), &status)
	}
	switch {
	case err != nil:
		run.fail(fmt.Errorf("failed to read what is reported of %s: %w", job.place, err))
		return
	case status.Status == prepareFailed:
		run.fail(fmt.Errorf("failed to provision OSD(s) on %s. %s", job.place, status.Message))
	default:
		o.createOSDs(ctx, run, job)
	}
	o.goOn("failed to delete the report", cm.Name, o.write.delete(ctx, cm))
}

func (o *Operator) createOSDs(ctx context.Context, run *osdRun, job preparation) {
	for _, osd := range job.osds {
		o.named[osd.ID] = true
		if osd.Lost || run.existing[osd.ID] {
			continue
		}
		d := o.deployment("osd", o.osdValues(osd))
		shapes.SetLastApplied(d)
		err := o.write.create(ctx, d)
		if err == nil && o.cluster.Spec.Native() {
			// Only an OSD that is there can be exported.
			err = o.updateOSD(ctx, run, osd)
		}
		run.fail(err)
	}
}

// updateOSDs updates the OSDs that had a Deployment before, and waits until all have taken it.
func (o *Operator) updateOSDs(ctx context.Context, run *osdRun) {
	for _, osd := range o.options.OSDs {
		if run.existing[osd.ID] {
			run.fail(o.updateOSD(ctx, run, osd))
		}
	}
	o.waitForOSDs(ctx, run)
}

// waitForOSDs waits for the updates that were not waited for yet.
func (o *Operator) waitForOSDs(ctx context.Context, run *osdRun) {
	run.fail(o.waitForUpdate(ctx, run.written))
	run.written = nil
}

// updateOSD writes the OSD anew if it shapes.Differs.
func (o *Operator) updateOSD(ctx context.Context, run *osdRun, osd OSD) error {
	v := o.osdValues(osd)
	v["updated"] = true
	if o.cluster.Spec.Native() {
		service := shapes.Make[corev1.Service](o.cluster, "osdService", v)
		if _, err := o.createOrUpdateService(ctx, service); err != nil {
			return err
		}
		exported, err := o.export(ctx, service.Name)
		if err != nil {
			return err
		}
		v["exported"] = exported.String()
	}
	before, err := o.applyUpdate(ctx, o.deployment("osd", v), func() error {
		return o.command(ctx, "failed to check if the OSD is ok to stop")
	})
	run.written = append(run.written, before...)
	return err
}

// startMgr makes or updates the mgr.
func (o *Operator) startMgr(ctx context.Context) error {
	key, err := o.commands.CreateKey(ctx, o.memory.access(), "mgr."+mgrID, "mon", "allow profile mgr", "mds", "allow *", "osd", "allow *")
	if err != nil {
		return fmt.Errorf("failed to create the key of mgr %s: %w", mgrID, err)
	}
	v := shapes.Values{"type": "mgr", "id": mgrID, "fsid": o.fsid, "key": key}
	if err := o.write.save(ctx, shapes.Make[corev1.Secret](o.cluster, "mgrKeyring", v)); err != nil {
		return err
	}
	delete(v, "key")
	d := o.deployment("mgr", v)
	shapes.SetLastApplied(d)
	err = o.write.create(ctx, d.DeepCopy())
	if apierrors.IsAlreadyExists(err) {
		return o.updateAndWait(ctx, d, func() error { return nil })
	}
	return err
}
