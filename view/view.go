// Package view knows what there is to know of a namespace and its daemons. All rooms read it here, so that no two of them
// read it differently. It decides nothing.
package view

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Readers are where a View reads. A command that runs once has the API server alone, for all three.
type Readers struct {
	// Cached reads what Options keeps.
	Cached client.Reader
	// Live reads from the API server itself, for what must not be a moment old.
	Live client.Reader
	// Prepared reads what PreparedOptions keeps; nil knows nothing of it.
	Prepared client.Reader
}

// View is what is known. What is not there is nil or zero; an error, which says what was being read, means that it cannot
// be known now. Objects that it returns are the cache's own and must not be changed.
type View struct {
	cached, live, prepared client.Reader
	kinds                  kinds.Reader
	ipv6GlobalIPs          bool
	// global returns what says which addresses are global; nil, or one that returns nil, does not know.
	global func(context.Context) func(netip.Addr) bool
	// doubts says what speaks against an address that is noted; nil asks nobody.
	doubts func(context.Context, Noted) *reason.Error
	// remembered holds the rook.Remembered that was read last of each namespace.
	remembered *sync.Map
}

// New returns a View.
func New(readers Readers, installed kinds.Installed) *View {
	return &View{
		cached:   readers.Cached,
		live:     readers.Live,
		prepared: readers.Prepared,
		kinds:    kinds.Reader{Objects: readers.Cached, Installed: installed},

		remembered: &sync.Map{},
	}
}

// ExpectIPv6 says that global IPs can be IPv6, before the view is used.
func (v *View) ExpectIPv6() { v.ipv6GlobalIPs = true }

// ExpectRange has the view ask which addresses are global, before it is used. Where that is not known the answer is nil.
func (v *View) ExpectRange(global func(context.Context) func(netip.Addr) bool) { v.global = global }

// Uncached returns a View that reads all from the API server itself, for what cannot be undone.
func (v *View) Uncached() *View {
	live := *v
	live.cached, live.kinds.Objects = v.live, v.live
	return &live
}

// Installed says which kinds are there.
func (v *View) Installed() kinds.Installed { return v.kinds.Installed }

// ExportKindServed says whether a Service can be exported here at all.
func (v *View) ExportKindServed() bool {
	_, served := v.kinds.Installed.Served(kinds.ServiceExport)
	return served
}

// Enabled says whether the namespace is switched on. That it is off is asked of the API server itself: a namespace that was
// switched on a moment ago must not be taken for one that is left alone.
func (v *View) Enabled(ctx context.Context, namespace string) (bool, error) {
	for _, reader := range []client.Reader{v.cached, v.live} {
		found := &corev1.Namespace{}
		err := reader.Get(ctx, types.NamespacedName{Name: namespace}, found)
		switch {
		case err == nil && found.Labels[rook.EnabledLabel] == "true":
			return true, nil
		case err != nil && !kinds.Absent(err):
			return false, fmt.Errorf("read Namespace %s: %w", namespace, err)
		}
	}
	return false, nil
}

// SwitchedOff says whether the namespace is there and the API server itself has it as off: that its end is near is no such
// thing, nor is a cache that is behind.
func (v *View) SwitchedOff(ctx context.Context, namespace string) (bool, error) {
	found, err := get(ctx, v.live, "", namespace, "Namespace", &corev1.Namespace{})
	return found != nil && found.DeletionTimestamp == nil && found.Labels[rook.EnabledLabel] != "true", err
}

// EnabledByCache says whether the cache has the namespace as switched on, for whoever is woken when that changes.
func (v *View) EnabledByCache(ctx context.Context, namespace string) (bool, error) {
	found, err := get(ctx, v.cached, "", namespace, "Namespace", &corev1.Namespace{})
	return found != nil && found.Labels[rook.EnabledLabel] == "true", err
}

// ClusterNamespaces returns the namespaces that have a CephCluster, be they switched on or not, sorted.
func (v *View) ClusterNamespaces(ctx context.Context) ([]string, error) {
	found, err := v.kinds.List(ctx, kinds.CephCluster)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range found {
		names = append(names, found[i].GetNamespace())
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// EnabledNamespaces returns the namespaces that are switched on, sorted.
func (v *View) EnabledNamespaces(ctx context.Context) ([]string, error) {
	list := &corev1.NamespaceList{}
	if err := v.cached.List(ctx, list, client.UnsafeDisableDeepCopy, client.MatchingLabels{rook.EnabledLabel: "true"}); err != nil {
		return nil, fmt.Errorf("list the enabled namespaces: %w", err)
	}
	names := make([]string, 0, len(list.Items))
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	slices.Sort(names)
	return names, nil
}
