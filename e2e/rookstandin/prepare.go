package rookstandin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// prepareFailed is the state that a prepare job reports when it has failed.
const prepareFailed = "failed"

const prepareStatusKey = "status"

// prepareLabels are those of the ConfigMaps.
var prepareLabels = client.MatchingLabels{"app": shapes.OSDApp, "status": "provisioning"}

// retryPrepare passes before a prepare job that failed is run again.
const retryPrepare = 100 * time.Millisecond

// preparation is one prepare job, which finds every OSD of a node.
type preparation struct {
	place string
	osds  []OSD
}

func (p preparation) configMap() string { return "rook-ceph-osd-" + p.place + "-status" }

// prepareStatus is what a prepare job reports, as far as it is read: it names all OSDs of the job or none.
type prepareStatus struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// preparations returns the jobs that Rook runs at each start of the OSDs.
func (o *Operator) preparations() []preparation {
	var all []preparation
	for _, node := range o.options.Nodes {
		osds := slices.DeleteFunc(slices.Clone(o.options.OSDs), func(osd OSD) bool {
			return osd.node != node.Name || osd.Lost && o.named[osd.ID]
		})
		all = append(all, preparation{place: node.Name, osds: osds})
	}
	return all
}

// runPrepareJob is a prepare job as Kubernetes runs it: again until it has told its end.
func (o *Operator) runPrepareJob(ctx context.Context, p preparation, ended chan<- preparation) {
	for o.prepare(ctx, p) != nil {
		if o.sleep(ctx, retryPrepare) != nil {
			return
		}
	}
	select {
	case ended <- p:
	case <-ctx.Done():
	}
}

// prepare makes the OSDs of the job known to the cluster, and reports as Rook's prepare job does.
func (o *Operator) prepare(ctx context.Context, p preparation) error {
	if err := o.report(ctx, o.prepareWrite, p, "orchestrating", nil, ""); err != nil {
		return err
	}
	if err := o.sleep(ctx, o.options.Timing.PrepareJob); err != nil {
		return err
	}
	for _, osd := range p.osds {
		if err := o.commands.NewOSD(ctx, o.memory.access(), osd.ID, osd.uuid()); err != nil {
			return o.report(ctx, o.prepareWrite, p, prepareFailed, nil, fmt.Sprintf("failed to prepare OSD %s: %v", osd.ID, err))
		}
	}
	return o.report(ctx, o.prepareWrite, p, "completed", p.osds, "")
}

// report writes the ConfigMap by which a job reports, as the one who writes.
func (o *Operator) report(ctx context.Context, as *writer, p preparation, state string, found []OSD, message string) error {
	var osds, ids []string
	for _, osd := range found {
		osds, ids = append(osds, shapes.Text(o.cluster, "preparedOSD", o.osdValues(osd))), append(ids, osd.ID)
	}
	status := shapes.Text(o.cluster, "prepareStatus", shapes.Values{
		"osds": strings.Join(osds, ","), "status": state, "message": message,
	})
	cm := shapes.Make[corev1.ConfigMap](o.cluster, "prepareReport", shapes.Values{"place": p.place, "status": status})
	if err := as.save(ctx, cm); err != nil {
		return err
	}
	o.journal.add(PrepareReported, "ConfigMap", cm.Namespace+"/"+cm.Name, "%s %v", state, ids)
	return nil
}

// isPrepareStatus says whether jobs of Rook report in the object.
func isPrepareStatus(object client.Object) bool {
	return labels.SelectorFromSet(labels.Set(prepareLabels)).Matches(labels.Set(object.GetLabels()))
}

// deleteReports deletes what earlier reconciles, which did not come to their end, have left.
func (o *Operator) deleteReports(ctx context.Context) error {
	list := &corev1.ConfigMapList{}
	if err := o.write.client.List(ctx, list, client.InNamespace(o.cluster.Namespace), prepareLabels); err != nil {
		return fmt.Errorf("failed to list OSD provisioning status ConfigMaps: %w", err)
	}
	for i := range list.Items {
		o.goOn("failed to delete the report", list.Items[i].Name, o.write.delete(ctx, &list.Items[i]))
	}
	return nil
}
