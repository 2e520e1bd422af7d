package exporter

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
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

// hideExports is a cache that does not show an export yet.
type hideExports struct{ client.Reader }

func (h hideExports) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	if object.GetObjectKind().GroupVersionKind() == serviceExport {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	return h.Reader.Get(ctx, key, object, opts...)
}

func (h hideExports) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if list.GetObjectKind().GroupVersionKind().Kind == serviceExport.Kind+"List" {
		return nil
	}
	return h.Reader.List(ctx, list, opts...)
}

// The export of an OSD to be born was made anew a moment ago: while Globalnet gives its Service an address, nothing may be written to it.
func TestAServiceIsNeitherMarkedNorRemovedForAnExportThatACacheDoesNotShowYet(t *testing.T) {
	for name, exported := range map[string]bool{"one that has an export is let be": true, "one that has none is marked, and goes": false} {
		t.Run(name, func(t *testing.T) {
			service := ownService(aCluster(), osd0, "10.96.1.0")
			service.ResourceVersion = ""
			l := newLoop(t, enabledNamespace(), cephClusterObject(nil), service)
			if exported {
				require.NoError(t, l.ensurer.applyExport(t.Context(), rookDaemon(osd0), rook.Export{}))
			}
			l.reconciler.view = view.New(view.Readers{Cached: hideExports{l.client}, Live: l.client}, l.kinds)
			l.turn()
			require.Equal(t, !exported, l.service(osd0).Annotations[rook.OrphanedSinceAnnotation] != "")
			l.clock = noon.Add(2 * time.Hour)
			l.turn()
			err := l.client.Get(t.Context(), client.ObjectKeyFromObject(service), &corev1.Service{})
			require.NoError(t, client.IgnoreNotFound(err))
			require.Equal(t, exported, err == nil)
		})
	}
}

// Seed 48327: an OSD was back, and Globalnet had taken its address away and was giving it another.
func TestTheMarkOfAnOSDThatIsBackStaysUntilGlobalnetIsAtRest(t *testing.T) {
	for name, c := range map[string]struct {
		allocated string
		stays     bool
	}{
		"Globalnet has given it what its export has": {"242.0.1.0", false},
		"Globalnet gives it another":                 {"242.0.1.7", true},
		"there is no Globalnet":                      {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			service := ownService(aCluster(), osd0, "10.96.1.0")
			service.ResourceVersion = ""
			service.Annotations = map[string]string{rook.OrphanedSinceAnnotation: noon.Format(time.RFC3339)}
			l := newLoop(t, enabledNamespace(), cephClusterObject(nil), service, deployment(osd0, "242.0.1.0"))
			l.answers[osd0] = "242.0.1.0"
			if c.allocated != "" {
				l.allocated = map[string]string{osd0: c.allocated}
			}
			l.settle()
			l.report(osd0, "True", "Valid")
			l.settle()
			require.Equal(t, "242.0.1.0", l.export(osd0).GlobalIP.String())
			require.Equal(t, c.stays, l.service(osd0).Annotations[rook.OrphanedSinceAnnotation] != "")
		})
	}
}

// Seeds 78663 and 91132: the export was removed, and Globalnet still gave an address to its Service.
func TestALoneServiceIsNotMarkedBeforeGlobalnetIsAtRest(t *testing.T) {
	service := ownService(aCluster(), osd0, "10.96.1.0")
	service.ResourceVersion = ""
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), service)
	l.allocated = map[string]string{osd0: "242.0.1.0"}
	l.turn()
	require.Empty(t, l.service(osd0).Annotations[rook.OrphanedSinceAnnotation])
	delete(l.allocated, osd0)
	l.turn()
	require.NotEmpty(t, l.service(osd0).Annotations[rook.OrphanedSinceAnnotation])
}
