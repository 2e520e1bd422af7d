package exporter

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// oldList is a cache that has an earlier list of mons.
type oldList struct {
	client.Reader
	list *corev1.ConfigMap
}

func (o oldList) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	if endpoints, ok := object.(*corev1.ConfigMap); ok && key.Name == rook.MonEndpointsName {
		o.list.DeepCopyInto(endpoints)
		return nil
	}
	return o.Reader.Get(ctx, key, object, opts...)
}

func TestAMonIsNeitherUnpinnedNorRemovedByACacheThatIsBehind(t *testing.T) {
	for name, c := range map[string]struct {
		deployed bool
		list     string
		lives    bool
	}{
		"that does not show its Deployment": {true, "b=242.0.0.2:6789", true},
		"that does not show it in the list": {false, "a=242.0.0.1:6789,b=242.0.0.2:6789", true},
		"one that is gone is":               {false, "b=242.0.0.2:6789", false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t, enabledNamespace(), cephClusterObject(nil), endpointsOf(c.list))
			pinned := rook.Export{Identity: rook.IdentityClusterset, GlobalIP: addr("242.0.0.1"), Pinned: true}
			require.NoError(t, l.ensurer.applyExport(t.Context(), rookDaemon(monA), pinned))
			if c.deployed {
				l.create(deployment(monA, "242.0.0.1"))
			}
			behind := oldList{hideDeployments{l.client}, endpointsOf("b=242.0.0.2:6789")}
			l.reconciler.view = view.New(view.Readers{Cached: behind, Live: l.client}, l.kinds)
			l.turn()
			require.Equal(t, c.lives, l.export(monA).Pinned)

			l.clock = noon.Add(2 * time.Hour)
			l.turn()
			l.clock = noon.Add(4 * time.Hour)
			l.turn()
			require.Equal(t, c.lives, l.export(monA).Exists)
		})
	}
}
