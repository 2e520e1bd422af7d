package view

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// The indexes of the caches. What is shared by daemons is found through them, so that the work for one daemon does not
// grow with the number of the others.
const (
	// typeIndex finds the few mons among many OSDs.
	typeIndex = "type"
	// addressIndex finds who has an address.
	addressIndex = "global-ip"
	// asleep stands among the addresses for the want of one: of a mon that was put to sleep the list alone may tell it.
	asleep = "asleep"
	// osdIndex finds whether an OSD was prepared.
	osdIndex = "osd"
)

// Index prepares the cache of what is always there; that of other kinds is prepared when they are installed.
func Index(ctx context.Context, cached client.FieldIndexer) error {
	for _, object := range []client.Object{&appsv1.Deployment{}, &corev1.Service{}} {
		if err := cached.IndexField(ctx, object, typeIndex, daemonType); err != nil {
			return fmt.Errorf("index %T by %s: %w", object, typeIndex, err)
		}
	}
	if err := cached.IndexField(ctx, &appsv1.Deployment{}, addressIndex, advertised); err != nil {
		return fmt.Errorf("index Deployments by %s: %w", addressIndex, err)
	}
	return nil
}

// Kinds are the kinds that a View reads of those that others install.
func Kinds() []kinds.Kind {
	return []kinds.Kind{
		{
			GroupKind: kinds.CephCluster,
			Plural:    "cephclusters",
			Versions:  []string{rook.CephAPIVersion},
			Needed:    true,
			Keep:      keepCluster,
		},
		{
			GroupKind: kinds.ServiceExport,
			Plural:    "serviceexports",
			Versions:  []string{"v1beta1", "v1alpha1"},
			Needed:    true,
			Keep:      keepExport,
			Indexes:   map[string]client.IndexerFunc{typeIndex: daemonType, addressIndex: globalIP},
		},
	}
}

func ofType(t rook.Type) client.MatchingFields { return client.MatchingFields{typeIndex: string(t)} }

func daemonType(object client.Object) []string {
	if kind, _, ok := rook.ParseName(object.GetName()); ok {
		return []string{string(kind)}
	}
	return nil
}

func globalIP(object client.Object) []string {
	if ip := rook.ReadExport(object, nil).GlobalIP; ip.IsValid() {
		return []string{ip.String()}
	}
	return nil
}

// advertised is where a living daemon is, whoever owns it.
func advertised(object client.Object) []string {
	d, ok := object.(*appsv1.Deployment)
	if !ok {
		return nil
	}
	if _, code := rook.Identify(d); code != "" {
		return nil
	}
	if address, ok := rook.Address(d); ok {
		return []string{address.String()}
	}
	return []string{asleep}
}
