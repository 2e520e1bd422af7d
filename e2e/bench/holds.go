package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

const (
	mostAfterAddress = 100
	// heldFor is long enough for the OSD to be held before its address comes.
	heldFor          = 500 * time.Millisecond
	globalIPNote     = "rook-clusterset.io/global-ip"
	watchGivesUpLate = 30 * time.Second
)

// measureHolds creates OSDs whose address comes late, and measures from the address in the cache, which is an annotation
// of the ServiceExport, to the answer that Rook gets.
func measureHolds(ctx context.Context, w *world.World, f form, r *measure.Report) error {
	ceph, err := measure.NewCluster(ctx, w, "hold", measure.Enabled())
	if err != nil {
		return err
	}
	var after []time.Duration
	for id := range f.holds {
		d, err := hold(ctx, ceph, id)
		if err != nil {
			return fmt.Errorf("hold OSD %d: %w", id, err)
		}
		after = append(after, d)
	}
	r.Table("From the address in the ServiceExport to the answer to a held OSD",
		[]string{"holds", "p50", "p95", "max"},
		[]string{strconv.Itoa(f.holds), measure.Milliseconds(measure.Percentile(after, 50)), measure.Milliseconds(measure.Percentile(after, 95)), measure.Milliseconds(measure.Percentile(after, 100))})
	r.Bar("answer to a held OSD after its address is known, p95", float64(measure.Percentile(after, 95).Microseconds())/1000, mostAfterAddress, " ms")
	return nil
}

// hold returns how long after its address an OSD was answered.
func hold(ctx context.Context, c *measure.Cluster, id int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, watchGivesUpLate)
	defer cancel()
	c.World.MCS.SetFault(c.Namespace, measure.OSDName(id), mcsstandin.Fault{Delay: heldFor})
	exports := &unstructured.UnstructuredList{}
	exports.SetAPIVersion("multicluster.x-k8s.io/v1beta1")
	exports.SetKind("ServiceExportList")
	events, err := c.World.Plane.Client.Watch(ctx, exports, client.InNamespace(c.Namespace))
	if err != nil {
		return 0, fmt.Errorf("watch the ServiceExports: %w", err)
	}
	defer events.Stop()
	known := make(chan time.Time, 1)
	go func() {
		defer close(known)
		for event := range events.ResultChan() {
			export, ok := event.Object.(*unstructured.Unstructured)
			if ok && event.Type != watch.Deleted && export.GetName() == measure.OSDName(id) && export.GetAnnotations()[globalIPNote] != "" {
				known <- time.Now()
				return
			}
		}
	}()
	took, err := c.CreateOSD(ctx, "node-0", id)
	answered := time.Now()
	if err != nil {
		return 0, err
	}
	// Its export is a little older than it is.
	if took < heldFor/2 {
		return 0, fmt.Errorf("it was answered in %s, before its address could be known", took)
	}
	at, ok := <-known
	if !ok {
		return 0, errors.New("its address was never seen")
	}
	return max(0, answered.Sub(at)), nil
}
