package rookstandin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// States of a prepare job, as the ConfigMap tells them by which it reports.
const (
	prepareStarting      = "starting"
	prepareOrchestrating = "orchestrating"
	prepareCompleted     = "completed"
	prepareFailed        = "failed"
)

const prepareStatusKey = "status"

// preparation is one prepare job: of a node, which finds every OSD there, or of a claim that has no OSD yet.
type preparation struct {
	// place is the name of the node or of the claim.
	place string
	pvc   bool
	osds  []placedOSD
}

func (p preparation) configMap() string { return "rook-ceph-osd-" + p.place + "-status" }

// prepareStatus and preparedOSD are what a prepare job reports, under the names and in the order that Rook has.
type prepareStatus struct {
	OSDs    []preparedOSD `json:"osds"`
	Status  string        `json:"status"`
	PVC     bool          `json:"pvc-backed-osd"`
	Message string        `json:"message"`
}

type preparedOSD struct {
	ID               int             `json:"id"`
	Cluster          string          `json:"cluster"`
	UUID             string          `json:"uuid"`
	DevicePartUUID   string          `json:"device-part-uuid"`
	DeviceClass      string          `json:"device-class"`
	BlockPath        string          `json:"lv-path"`
	MetadataPath     string          `json:"metadata-path"`
	WALPath          string          `json:"wal-path"`
	SkipLVRelease    bool            `json:"skip-lv-release"`
	Location         string          `json:"location"`
	LVBackedPV       bool            `json:"lv-backed-pv"`
	Mode             string          `json:"lv-mode"`
	Store            string          `json:"store"`
	TopologyAffinity string          `json:"topologyAffinity"`
	Encrypted        bool            `json:"encrypted"`
	ExportService    bool            `json:"exportService"`
	NodeName         string          `json:"nodeName"`
	PVCName          string          `json:"pvcName"`
	DeviceType       string          `json:"device-type,omitempty"`
	CephxStatus      *map[string]any `json:"cephxStatus,omitempty"`
}

// preparedOSD returns what a prepare job finds of an OSD.
func (o *Operator) preparedOSD(osd placedOSD) (preparedOSD, error) {
	id, err := strconv.Atoi(osd.ID)
	if err != nil {
		return preparedOSD{}, fmt.Errorf("read the number of OSD %q: %w", osd.ID, err)
	}
	labels := o.osdLabels(osd.OSD, osd.node.Name)
	found := preparedOSD{
		ID: id, Cluster: "ceph", UUID: osd.uuid(), DeviceClass: labels["device-class"], BlockPath: "/dev/disk-" + osd.ID,
		SkipLVRelease: true, Location: osd.node.crushLocation(), Mode: "raw", Store: "bluestore",
		DeviceType: labels["device-type"],
	}
	if osd.Shape == LVMPVC {
		found.Mode, found.LVBackedPV, found.SkipLVRelease = "lvm", true, false
	}
	if osd.onPVC() {
		found.BlockPath = "/mnt/" + osd.claim()
	}
	if o.options.Release.hasKeyRotation() {
		found.CephxStatus = &map[string]any{}
	}
	return found, nil
}

// preparations returns the jobs that Rook runs at each start of the OSDs.
func (o *Operator) preparations(existing map[string]bool) []preparation {
	var claims []preparation
	nodes := make([]preparation, len(o.options.Nodes))
	for i, node := range o.options.Nodes {
		nodes[i].place = node.Name
	}
	for i, osd := range o.options.OSDs {
		at := i % len(nodes)
		placed := placedOSD{OSD: osd, node: o.options.Nodes[at]}
		switch {
		case osd.Lost && o.named[osd.ID]:
		case !osd.onPVC():
			nodes[at].osds = append(nodes[at].osds, placed)
		case !existing[osd.ID]:
			claims = append(claims, preparation{place: osd.claim(), pvc: true, osds: []placedOSD{placed}})
		}
	}
	return slices.Concat(claims, nodes)
}

// runPrepareJob is a prepare job as Kubernetes runs it: again until it has told its end.
func (o *Operator) runPrepareJob(ctx context.Context, p preparation) {
	for ctx.Err() == nil && o.prepare(ctx, p) != nil {
		if o.clock.sleep(ctx, retryWatch) != nil {
			return
		}
	}
}

// prepare makes the OSDs of the job known to the cluster, and reports as Rook's prepare job does.
func (o *Operator) prepare(ctx context.Context, p preparation) error {
	if err := o.report(ctx, o.prepareWrite, p, prepareStatus{Status: prepareOrchestrating}); err != nil {
		return err
	}
	if err := o.clock.sleep(ctx, o.options.Timing.PrepareJob); err != nil {
		return err
	}
	status := prepareStatus{Status: prepareCompleted}
	for _, osd := range p.osds {
		found, err := o.preparedOSD(osd)
		if err == nil {
			err = o.commands.NewOSD(ctx, o.access(), osd.ID, osd.uuid())
		}
		if err != nil {
			status = prepareStatus{Status: prepareFailed, Message: fmt.Sprintf("failed to prepare OSD %s: %v", osd.ID, err)}
			break
		}
		status.OSDs = append(status.OSDs, found)
	}
	return o.report(ctx, o.prepareWrite, p, status)
}

// report writes the ConfigMap by which a job reports, as the one who writes.
func (o *Operator) report(ctx context.Context, as *writer, p preparation, status prepareStatus) error {
	status.PVC = p.pvc
	text, err := json.Marshal(status)
	if err != nil {
		return fmt.Errorf("write the status of %s: %w", p.place, err)
	}
	cm := &corev1.ConfigMap{}
	err = as.get(ctx, o.cluster.namespace, p.configMap(), cm)
	switch {
	case apierrors.IsNotFound(err):
		cm.ObjectMeta = o.meta(p.configMap())
		cm.Labels = prepareLabels()
		cm.Labels["node"] = p.place
		cm.Data = map[string]string{prepareStatusKey: string(text)}
		err = as.create(ctx, cm)
	case err == nil:
		cm.Data = map[string]string{prepareStatusKey: string(text)}
		err = as.update(ctx, cm)
	}
	if err != nil {
		return fmt.Errorf("write ConfigMap %s: %w", p.configMap(), err)
	}
	ids := make([]int, 0, len(status.OSDs))
	for _, osd := range status.OSDs {
		ids = append(ids, osd.ID)
	}
	o.journal.add(PrepareReported, "ConfigMap", cm.Namespace+"/"+cm.Name, "%s %v", status.Status, ids)
	return nil
}

func prepareLabels() map[string]string {
	return map[string]string{"app": osdApp, "status": "provisioning"}
}

// isPrepareStatus says whether jobs of Rook report in the object.
func isPrepareStatus(object client.Object) bool {
	cm, ok := object.(*corev1.ConfigMap)
	return ok && cm.Labels["app"] == osdApp && cm.Labels["status"] == "provisioning"
}

// followPrepareJobs returns every state of the ConfigMaps in which jobs report, until the context ends.
func (o *Operator) followPrepareJobs(ctx context.Context) (<-chan *corev1.ConfigMap, error) {
	f, err := follow(ctx, o.write.client, func() client.ObjectList { return &corev1.ConfigMapList{} },
		client.InNamespace(o.cluster.namespace), client.MatchingLabels(prepareLabels()))
	if err != nil {
		return nil, fmt.Errorf("failed to watch OSD provisioning status ConfigMaps: %w", err)
	}
	states := make(chan *corev1.ConfigMap)
	go f.run(ctx, func(event watch.EventType, object client.Object) {
		if event == watch.Deleted || !isPrepareStatus(object) {
			return
		}
		select {
		case states <- object.(*corev1.ConfigMap):
		case <-ctx.Done():
		}
	})
	return states, nil
}

// deleteReports deletes what earlier reconciles, which did not come to their end, have left.
func (o *Operator) deleteReports(ctx context.Context) error {
	list := &corev1.ConfigMapList{}
	if err := o.write.client.List(ctx, list, client.InNamespace(o.cluster.namespace), client.MatchingLabels(prepareLabels())); err != nil {
		return fmt.Errorf("failed to list OSD provisioning status ConfigMaps: %w", err)
	}
	for i := range list.Items {
		if err := client.IgnoreNotFound(o.write.delete(ctx, &list.Items[i])); err != nil {
			o.journal.add(Continued, "ConfigMap", list.Items[i].Namespace+"/"+list.Items[i].Name, "%v", err)
		}
	}
	return nil
}
