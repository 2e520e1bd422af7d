package recorder

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/follow"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// Witness sees every change of the pods of mons and OSDs. What has been up has to stay so, but for one daemon at a time.
type Witness struct {
	mu sync.Mutex
	// pods are those that are there, by UID, and had the daemons of all that ever were.
	pods map[string]*corev1.Pod
	had  map[string]string
	// up are the daemons that have been up, as long as they have a Deployment.
	up map[string]bool
	// broken is what must never be, as it was seen.
	broken []string
}

// Watch starts a witness, which watches until the context ends. What is there already is seen first.
func Watch(ctx context.Context, c client.WithWatch, namespace string) (*Witness, error) {
	w := &Witness{pods: map[string]*corev1.Pod{}, had: map[string]string{}, up: map[string]bool{}}
	for _, list := range []client.ObjectList{&appsv1.DeploymentList{}, &corev1.PodList{}} {
		run, err := follow.Start(ctx, c, list, w.see, client.InNamespace(namespace))
		if err != nil {
			return nil, fmt.Errorf("watch the pods of %s: %w", namespace, err)
		}
		go run()
	}
	return w, nil
}

// Up returns the names of the daemons that have been up and have a Deployment, such as «mon a», sorted.
func (w *Witness) Up() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.up))
}

// Pods returns the UIDs of the pods that are there, sorted.
func (w *Witness) Pods() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.pods))
}

// Had returns how many pods each daemon has had, by its name.
func (w *Witness) Had() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	had := map[string]int{}
	for _, name := range w.had {
		had[name]++
	}
	return had
}

// Broken returns a line for each moment at which more than one daemon was down.
func (w *Witness) Broken() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.broken)
}

// DaemonName returns the name of the mon or OSD that an object belongs to, and nothing for all else.
func DaemonName(o client.Object) string {
	kind, id := o.GetLabels()["ceph_daemon_type"], o.GetLabels()["ceph_daemon_id"]
	if shapes.IsCanary(o) || kind != "mon" && kind != "osd" {
		return ""
	}
	return kind + " " + id
}

func (w *Witness) see(_ context.Context, event watch.EventType, object client.Object) {
	name := DaemonName(object)
	if name == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch o := object.(type) {
	case *appsv1.Deployment:
		if event == watch.Deleted || o.DeletionTimestamp != nil {
			delete(w.up, name)
		}
	case *corev1.Pod:
		delete(w.pods, string(o.UID))
		if event != watch.Deleted {
			w.pods[string(o.UID)], w.had[string(o.UID)] = o, name
		}
	}
	w.judge()
}

func (w *Witness) judge() {
	runs := map[string]bool{}
	for _, pod := range w.pods {
		if pod.DeletionTimestamp == nil && pod.Status.Phase == corev1.PodRunning {
			runs[DaemonName(pod)] = true
		}
	}
	maps.Copy(w.up, runs)
	down := slices.DeleteFunc(slices.Sorted(maps.Keys(w.up)), func(name string) bool { return runs[name] })
	if len(down) > 1 {
		w.broken = append(w.broken, strings.Join(down, " and ")+" are down at once")
	}
}
