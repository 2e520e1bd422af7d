package realceph_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rook-clusterset/rook-clusterset/e2e/node"
	"github.com/rook-clusterset/rook-clusterset/e2e/realceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

const (
	// proofVariable asks for the tests that need root and minutes.
	proofVariable = "ROOK_CLUSTERSET_PROOF"
	pool          = "mirrored"
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// cluster is a CephCluster on the node.
type cluster struct {
	t        *testing.T
	node     *node.Node
	name     string
	operator *rookstandin.Operator
}

// Run implements realceph.Client in the pod that is a client of the cluster.
func (c *cluster) Run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	return c.node.Exec(ctx, c.name, "tools", "client", stdin, args...)
}

// newCluster starts an operator for a CephCluster in a namespace of that name.
func newCluster(t *testing.T, n *node.Node, programs, name string, mons int64, osds []rookstandin.OSD) *cluster {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, rookstandin.Install(ctx, n.Config, name, name))
	require.NoError(t, n.Client.Create(ctx, realceph.ConfigOverride(name)))
	require.NoError(t, n.Client.Create(ctx, rookstandin.NewCephCluster(name, "my-cluster",
		realceph.OneNode(node.CephImage, filepath.Join(filepath.Dir(n.Logs), "ceph", name)),
		func(spec map[string]any) { spec["mon"].(map[string]any)["count"] = mons })))
	operator, err := rookstandin.Start(ctx, rookstandin.Options{
		Config: n.Config, AsOperator: true, Namespace: name, OperatorNamespace: name,
		CephVersion: realceph.Version, OSDs: osds, Timing: rookstandin.RealTiming(),
		Nodes:    []rookstandin.Node{{Name: n.Name, Address: n.NodeIP.String()}},
		Commands: realceph.Commands{Run: realceph.Chroot(n.Command, filepath.Join(programs, "ceph-root"))},
	})
	require.NoError(t, err)
	c := &cluster{t: t, node: n, name: name, operator: operator}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, e := range operator.Journal().Entries() {
			t.Log(name, e)
		}
	})
	return c
}

func (c *cluster) eventually(what string, holds func() bool) {
	c.t.Helper()
	require.Eventually(c.t, holds, 3*time.Minute, 300*time.Millisecond, what)
}

// comesUp waits until Rook is content, and makes the pool.
func (c *cluster) comesUp(osds int) {
	c.t.Helper()
	ctx := c.t.Context()
	c.eventually("the CephCluster is Ready", func() bool { return c.operator.Reconciled() > 0 })
	c.run(realceph.ClientPod(realceph.ClientOptions{Namespace: c.name, Name: "tools", Image: node.CephImage}))
	require.NoError(c.t, realceph.MuteDebian(ctx, c))
	require.NoError(c.t, realceph.CreatePool(ctx, c, pool))
	c.eventually("all OSDs are up and all placement groups clean", func() bool {
		status, err := realceph.GetStatus(ctx, c)
		return err == nil && status.OSDsUp == osds && status.OSDsIn == osds && status.Clean()
	})
}

func (c *cluster) run(pod *corev1.Pod) {
	c.t.Helper()
	require.NoError(c.t, c.node.Client.Create(c.t.Context(), pod))
	c.eventually("pod "+pod.Name+" runs", func() bool {
		err := c.node.Client.Get(c.t.Context(), client.ObjectKeyFromObject(pod), pod)
		return err == nil && pod.Status.Phase == corev1.PodRunning
	})
}

func (c *cluster) fsid() string {
	c.t.Helper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(rookstandin.CephClusterKind)
	require.NoError(c.t, c.node.Client.Get(c.t.Context(), client.ObjectKey{Namespace: c.name, Name: "my-cluster"}, u))
	return string(u.GetUID())
}

// mirrors starts the mirror daemon of the cluster.
func (c *cluster) mirrors() {
	c.t.Helper()
	ctx := c.t.Context()
	key, err := realceph.CreateKey(ctx, c, realceph.MirrorEntity, realceph.MirrorCaps()...)
	require.NoError(c.t, err)
	require.NoError(c.t, c.node.Client.Create(ctx, realceph.KeyringSecret(c.name, realceph.MirrorKeyring, realceph.MirrorEntity, key)))
	require.NoError(c.t, c.node.Client.Create(ctx, realceph.MirrorDeployment(c.name, node.CephImage, c.fsid())))
}

// deletePod deletes the pod of a daemon and returns its address.
func (c *cluster) deletePod(labels client.MatchingLabels) string {
	c.t.Helper()
	pods := &corev1.PodList{}
	require.NoError(c.t, c.node.Client.List(c.t.Context(), pods, client.InNamespace(c.name), labels))
	require.Len(c.t, pods.Items, 1)
	require.NoError(c.t, c.node.Client.Delete(c.t.Context(), &pods.Items[0]))
	return pods.Items[0].Status.PodIP
}

// TestRealCeph brings up a CephCluster by the Rook stand-in, on a real node and without rook-clusterset: its
// daemons have the addresses that Rook gives them. A smaller one beside it is the peer to mirror with.
func TestRealCeph(t *testing.T) {
	if os.Getenv(proofVariable) == "" {
		t.Skip("set " + proofVariable + "=1 as root: it starts a real node with two Ceph clusters, for minutes")
	}
	ctx := t.Context()
	started := time.Now()
	passed := func(what string) { t.Logf("%6.1f s: %s", time.Since(started).Seconds(), what) }
	programs, err := node.Assets(ctx)
	require.NoError(t, err)
	n, err := node.Start(ctx, node.Options{
		Name: "realceph", Dir: t.TempDir(), Programs: programs, Images: []string{filepath.Join(programs, "ceph.tar")},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	passed("the node is Ready")

	east := newCluster(t, n, programs, "rook-east", 3, realceph.OSDsOnFiles())
	east.comesUp(3)
	passed("east is up: 3 mons, 3 OSDs")

	services := netip.MustParsePrefix("10.96.0.0/16")
	pods := netip.MustParsePrefix("10.244.0.0/24")
	mons, err := realceph.MonDump(ctx, east)
	require.NoError(t, err)
	memory := east.operator.Memory()
	require.Len(t, mons, 3)
	for id, addresses := range mons {
		require.True(t, services.Contains(addresses.Addr()))
		require.Equal(t, memory[id], addresses.V1)
		require.Equal(t, netip.AddrPortFrom(addresses.Addr(), 3300), addresses.V2)
	}
	osds, err := realceph.OSDDump(ctx, east)
	require.NoError(t, err)
	require.Len(t, osds, 3)
	for id, osd := range osds {
		require.True(t, osd.Up && osd.In, "OSD %s", id)
		for _, addresses := range []realceph.Addresses{osd.Public, osd.Cluster, osd.HeartbeatFront, osd.HeartbeatBack} {
			require.True(t, pods.Contains(addresses.Addr()), "OSD %s", id)
		}
		require.Equal(t, []uint16{6800, 6801}, []uint16{osd.Public.V2.Port(), osd.Public.V1.Port()})
	}

	data := randomBytes(t, 64<<20)
	require.NoError(t, realceph.PutObject(ctx, east, pool, "object", bytes.NewReader(data)))
	sum, err := realceph.ObjectSum(ctx, east, pool, "object")
	require.NoError(t, err)
	require.Equal(t, sumOf(data), sum)
	passed("64 MiB written and read")

	old := east.deletePod(client.MatchingLabels{"app": "rook-ceph-osd", "ceph-osd-id": "1"})
	east.eventually("OSD 1 is up at another address", func() bool {
		osds, err := realceph.OSDDump(ctx, east)
		return err == nil && osds["1"].Up && osds["1"].Public.Addr().String() != old
	})
	passed("OSD 1 is up again after its pod was deleted")
	east.deletePod(client.MatchingLabels{"app": "rook-ceph-mon", "ceph_daemon_id": "b"})
	require.NoError(t, east.operator.FailOver(ctx, "c"))
	east.eventually("mon d has taken the place of mon c", func() bool {
		status, err := realceph.GetStatus(ctx, east)
		return err == nil && fmt.Sprint(status.Quorum) == "[a b d]" && status.Clean()
	})
	passed("mon b is back after its pod was deleted, mon c was replaced by mon d")

	west := newCluster(t, n, programs, "rook-west", 1, realceph.OSDsOnFiles()[:2])
	west.comesUp(2)
	passed("west is up: 1 mon, 2 OSDs")
	east.mirrors()
	west.mirrors()
	require.NoError(t, realceph.EnableMirroring(ctx, east, pool, "east"))
	require.NoError(t, realceph.EnableMirroring(ctx, west, pool, "west"))
	token, err := realceph.BootstrapToken(ctx, east, pool, "east")
	require.NoError(t, err)
	require.NoError(t, realceph.ImportToken(ctx, west, pool, "west", token))
	require.NoError(t, realceph.CreateImage(ctx, east, pool, "image", 16))
	content := randomBytes(t, 16<<20)
	require.NoError(t, realceph.WriteImage(ctx, east, pool, "image", 0, content))
	passed("an image of 16 MiB is written in east")

	require.NoError(t, realceph.AwaitImage(within(t), west, pool, "image", sumOf(content)))
	passed("it is the same in west")
	require.NoError(t, realceph.FailOver(within(t), east, west, pool, "image"))
	passed("west has it")
	copy(content[1<<20:], randomBytes(t, 1<<20))
	require.NoError(t, realceph.WriteImage(ctx, west, pool, "image", 1<<20, content[1<<20:2<<20]))
	require.NoError(t, realceph.AwaitImage(within(t), east, pool, "image", sumOf(content)))
	passed("what west wrote is in east")
	require.NoError(t, realceph.FailOver(within(t), west, east, pool, "image"))
	passed("east has it again")
}

// within bounds a wait.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func randomBytes(t *testing.T, n int) []byte {
	t.Helper()
	data := make([]byte, n)
	_, err := rand.Read(data)
	require.NoError(t, err)
	return data
}

func sumOf(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}
