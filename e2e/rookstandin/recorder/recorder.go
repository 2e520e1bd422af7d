// Package recorder keeps every write of an object that carries the address of a mon.
package recorder

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/follow"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// Write is one stored state of an object that carries the address of a mon, or of a Service of a mon.
type Write struct {
	// Revision orders the writes of all kinds among each other.
	Revision uint64
	// Seen is when the recorder saw it.
	Seen    time.Time
	Kind    string
	Deleted bool
	Object  client.Object
	// Text is the part of the object that carries addresses; annotations are no part of it.
	Text string
}

// Name returns the kind, the namespace and the name.
func (w Write) Name() string {
	return w.Kind + " " + w.Object.GetNamespace() + "/" + w.Object.GetName()
}

// Holds says whether the object tells the address.
func (w Write) Holds(address netip.Addr) bool {
	return !w.Deleted && holds(w.Text, address)
}

func holds(text string, address netip.Addr) bool {
	end := `($|[^0-9.])`
	if address.Is6() {
		end = `($|[^0-9a-f:])`
	}
	pattern := `(^|[^0-9a-f.:]|v[12]:)` + regexp.QuoteMeta(address.String()) + end
	found, _ := regexp.MatchString(pattern, text)
	return found
}

// Recorder keeps every write of the objects that carry the address of a mon: the ConfigMap of the mon endpoints, the
// Secret rook-ceph-config, the EndpointSlices of the active mons, the ConfigMap and the CephConnection of CSI, and the
// Deployments of mons and OSDs; and of the Services of the mons.
type Recorder struct {
	mu     sync.Mutex
	writes []Write
}

// Start records what is written in the namespace, in which the operator lives too, until the context ends. What is stored when it
// starts counts as written then.
func Start(ctx context.Context, c client.WithWatch, namespace string) (*Recorder, error) {
	r := &Recorder{}
	for _, list := range []client.ObjectList{
		&corev1.ConfigMapList{}, &corev1.SecretList{}, &corev1.ServiceList{}, &discoveryv1.EndpointSliceList{}, &appsv1.DeploymentList{},
		shapes.ListOf(shapes.CephConnectionKind),
	} {
		run, err := follow.Start(ctx, c, list, r.see, client.InNamespace(namespace))
		if err != nil {
			return nil, fmt.Errorf("start the recorder: %w", err)
		}
		go run()
	}
	return r, nil
}

// Writes returns what was written so far, in the order in which it was stored.
func (r *Recorder) Writes() []Write {
	r.mu.Lock()
	defer r.mu.Unlock()
	writes := slices.Clone(r.writes)
	slices.SortStableFunc(writes, func(a, b Write) int { return cmp.Compare(a.Revision, b.Revision) })
	return writes
}

// Of returns the writes of one object.
func (r *Recorder) Of(kind, name string) []Write {
	return slices.DeleteFunc(r.Writes(), func(w Write) bool { return w.Kind != kind || w.Object.GetName() != name })
}

// Mons returns the names of the mons that ever had a Deployment, sorted.
func (r *Recorder) Mons() []string {
	var all []string
	for _, w := range r.Writes() {
		if id, ok := strings.CutPrefix(w.Object.GetName(), shapes.MonResource("")); ok && w.Kind == "Deployment" && !shapes.IsCanary(w.Object) {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Born returns the revision at which the Deployment of the mon was stored for the first time, 0 if it never was.
func (r *Recorder) Born(mon string) uint64 {
	for _, w := range r.Of("Deployment", shapes.MonResource(mon)) {
		return w.Revision
	}
	return 0
}

// ClusterIPs returns every ClusterIP that the Service of the mon ever had.
func (r *Recorder) ClusterIPs(mon string) []netip.Addr {
	var all []netip.Addr
	for _, w := range r.Of("Service", shapes.MonResource(mon)) {
		for _, text := range w.Object.(*corev1.Service).Spec.ClusterIPs {
			if address, err := netip.ParseAddr(text); err == nil && !slices.Contains(all, address) {
				all = append(all, address)
			}
		}
	}
	return all
}

// Held returns the stored states that told the address at that revision or later: those that were written since, and
// those that stood at it.
func (r *Recorder) Held(address netip.Addr, since uint64) []Write {
	standing := map[string]Write{}
	var held []Write
	for _, w := range r.Writes() {
		switch {
		case w.Kind == "Service":
		case w.Revision < since:
			standing[w.Name()] = w
		default:
			held = append(held, w)
		}
	}
	held = slices.AppendSeq(held, maps.Values(standing))
	held = slices.DeleteFunc(held, func(w Write) bool { return !w.Holds(address) })
	slices.SortFunc(held, func(a, b Write) int { return cmp.Compare(a.Revision, b.Revision) })
	return held
}

// ClusterIPsAfterBirth returns a line for each stored state that told a mon by its ClusterIP when its Deployment
// existed. It is empty when every mon was born with its global IP and never told by another.
func (r *Recorder) ClusterIPsAfterBirth() []string {
	var lines []string
	for _, mon := range r.Mons() {
		born := r.Born(mon)
		for _, address := range r.ClusterIPs(mon) {
			for _, w := range r.Held(address, born) {
				lines = append(lines, fmt.Sprintf("%s of revision %d tells mon %q at its ClusterIP %s; its Deployment exists since revision %d",
					w.Name(), w.Revision, mon, address, born))
			}
		}
	}
	return lines
}

func (r *Recorder) see(_ context.Context, event watch.EventType, o client.Object) {
	kind, text, recorded := addressText(o)
	if !recorded {
		return
	}
	w := Write{
		Revision: follow.RevisionOf(o), Seen: time.Now(), Kind: kind, Object: o, Text: text, Deleted: event == watch.Deleted,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, w)
}

// addressText returns the part of an object that tells addresses of mons, and whether it is recorded at all.
func addressText(o client.Object) (kind, text string, recorded bool) {
	switch o := o.(type) {
	case *corev1.ConfigMap:
		text = o.Data[shapes.EndpointsKey] + "\n" + o.Data[shapes.CSIKey]
		return "ConfigMap", text, o.Name == shapes.EndpointsConfigMap || o.Name == shapes.CSIConfigMap
	case *corev1.Secret:
		return "Secret", shapes.SecretText(o, "mon_host"), o.Name == shapes.ConfigSecret
	case *corev1.Service:
		return "Service", "", o.Labels["app"] == shapes.MonApp
	case *discoveryv1.EndpointSlice:
		for _, endpoint := range o.Endpoints {
			text += strings.Join(endpoint.Addresses, "\n") + "\n"
		}
		return "EndpointSlice", text, strings.HasPrefix(o.Name, shapes.ActiveMons)
	case *appsv1.Deployment:
		app := o.Labels["app"]
		return "Deployment", shapes.CommandLines(o), app == shapes.MonApp || app == shapes.OSDApp
	case *unstructured.Unstructured:
		monitors, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "monitors")
		return "CephConnection", strings.Join(monitors, "\n"), true
	}
	return "", "", false
}
