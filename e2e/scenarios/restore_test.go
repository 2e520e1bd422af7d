package scenarios_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// collectorKnows is how old a kind has to be for the garbage collector, which looks for new ones every 30 s, to follow it.
const collectorKnows = 45 * time.Second

// stripOwners does as Rook's guide to the restoring of a deleted CephCluster, which knows of no ServiceExport.
func (s *story) stripOwners() {
	s.t.Helper()
	c := s.World.Plane.Client
	for _, list := range []client.ObjectList{&corev1.SecretList{}, &corev1.ConfigMapList{}, &corev1.ServiceList{}, &appsv1.DeploymentList{}} {
		require.NoError(s.t, c.List(s.t.Context(), list, client.InNamespace(s.Namespace)))
		require.NoError(s.t, meta.EachListItem(list, func(o runtime.Object) error {
			object, _ := o.(client.Object)
			if len(object.GetOwnerReferences()) == 0 {
				return nil
			}
			return c.Patch(s.t.Context(), object, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"ownerReferences":null}}`)))
		}))
	}
}

// waitForCollector waits until the garbage collector follows ServiceExports.
func (s *story) waitForCollector() {
	s.t.Helper()
	const name = "serviceexports.multicluster.x-k8s.io"
	crd := get(s, "", name, world.Object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name))
	time.Sleep(time.Until(crd.GetCreationTimestamp().Add(collectorKnows)))
}

// exportOf creates an export that the CephCluster owns, which the garbage collector will have to take with it.
func (s *story) exportOf(cluster client.Object, name string) {
	s.t.Helper()
	export := world.Object("multicluster.x-k8s.io/v1beta1", "ServiceExport", s.Namespace, name)
	export.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: cluster.GetName(), UID: cluster.GetUID(),
	}})
	require.NoError(s.t, s.World.Plane.Client.Create(s.t.Context(), export))
}

func TestACephClusterThatIsDeletedAndCreatedAnewFindsEveryDaemonAtItsAddress(t *testing.T) {
	s := newStory(t, true)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s.createCephCluster()
	require.NoError(t, s.StartOperator(ctx, rookstandin.Options{}))
	s.comesUp()
	s.settled()
	names := []string{"rook-ceph-mon-a", "rook-ceph-mon-b", "rook-ceph-mon-c", "rook-ceph-osd-0", "rook-ceph-osd-1", "rook-ceph-osd-2"}
	addresses, uids := map[string]netip.Addr{}, map[string]types.UID{}
	for _, name := range names {
		export, err := s.Export(t.Context(), name)
		require.NoError(t, err)
		addresses[name], uids[name] = s.globalIP(name), export.GetUID()
	}

	stop()
	s.Operator.Wait()
	s.stripOwners()
	s.waitForCollector()
	cluster := get(s, s.Namespace, "my-cluster", rookstandin.NewCephCluster("", ""))
	s.exportOf(cluster, "owned-by-the-cephcluster")
	require.NoError(t, s.World.Plane.Client.Delete(t.Context(), cluster))
	s.eventually("the garbage collector has done its work", func() bool { return !s.isExported("owned-by-the-cephcluster") })
	for _, name := range names {
		require.Equal(t, addresses[name], s.globalIP(name), "nothing is freed while there is no CephCluster")
	}

	s.bringsUp()
	s.everyDaemonIsGlobal()
	for _, name := range names {
		export, err := s.Export(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, uids[name], export.GetUID(), name)
		require.Equal(t, addresses[name], s.globalIP(name), name)
		require.Equal(t, addresses[name].String(), export.GetAnnotations()["rook-clusterset.io/global-ip"], name)
	}
}
