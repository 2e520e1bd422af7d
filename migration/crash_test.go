package migration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

const ns = "rook-ceph"

var (
	clusterKind = kinds.CephCluster.WithVersion("v1")
	exportKind  = kinds.ServiceExport.WithVersion("v1beta1")
	began       = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
)

type allServed map[schema.GroupKind]schema.GroupVersionKind

func (s allServed) Served(gk schema.GroupKind) (schema.GroupVersionKind, bool) {
	gvk, ok := s[gk]
	return gvk, ok
}

func (allServed) Wait(context.Context) error { return nil }

var bothServed = allServed{kinds.CephCluster: clusterKind, kinds.ServiceExport: exportKind}

// aCluster is three mons and two OSDs that ran without us, in an API server that is not there. Its clock is moved by hand.
type aCluster struct {
	t *testing.T
	// world writes as everybody else does, client as the leader.
	world, client client.WithWatch
	at            time.Time
	// crashAt is the write at which the leader ends, counted from one, before it is done or after.
	crashAt, writes int
	afterwards      bool
	// missed is how often a mon has been found down.
	missed map[string]int
}

var errCrashed = errors.New("the leader has ended")

func newCluster(t *testing.T) *aCluster {
	t.Helper()
	scheme := runtime.NewScheme()
	require.NoError(t, corev1.AddToScheme(scheme))
	require.NoError(t, appsv1.AddToScheme(scheme))
	for _, gvk := range bothServed {
		scheme.AddKnownTypeWithName(gvk, &unstructured.Unstructured{})
		scheme.AddKnownTypeWithName(gvk.GroupVersion().WithKind(gvk.Kind+"List"), &unstructured.UnstructuredList{})
	}
	c := &aCluster{t: t, at: began, missed: map[string]int{}}
	objects := []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: map[string]string{rook.EnabledLabel: "true"}}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: rook.MonEndpointsName}},
		kinds.Object(clusterKind),
	}
	objects[2].SetNamespace(ns)
	objects[2].SetName("my-cluster")
	for i, id := range []string{"a", "b", "c"} {
		objects = append(objects, daemonObjects(rook.Mon, id, "10.96.0."+strconv.Itoa(i+1), i+1)...)
	}
	objects = append(objects, daemonObjects(rook.OSD, "0", "", 10)...)
	objects = append(objects, daemonObjects(rook.OSD, "1", "", 11)...)
	c.world = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithStatusSubresource(&appsv1.Deployment{}).Build()
	c.client = interceptor.NewClient(c.world, interceptor.Funcs{
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, patch client.Patch, options ...client.PatchOption) error {
			return c.write(func() error {
				if err := w.Patch(ctx, o, patch, options...); err != nil {
					return err
				}
				return c.admit(ctx, w, o)
			})
		},
		SubResourceUpdate: func(ctx context.Context, w client.Client, name string, o client.Object, options ...client.SubResourceUpdateOption) error {
			return c.write(func() error { return w.SubResource(name).Update(ctx, o, options...) })
		},
	})
	return c
}

func daemonObjects(kind rook.Type, id, address string, number int) []client.Object {
	daemon := rook.Daemon{Type: kind, ID: id, Namespace: ns}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: ns, Name: daemon.Name(), Generation: 1,
			Labels:          map[string]string{rook.AppLabel: kind.App(), rook.DaemonTypeLabel: string(kind), rook.DaemonIDLabel: id, rook.RookVersionLabel: "v1.20.6"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "my-cluster", Controller: new(true)}},
		},
		Spec: appsv1.DeploymentSpec{Replicas: new(int32(1))},
	}
	container := corev1.Container{Name: string(kind), Args: []string{"--foreground"}}
	if address != "" {
		container.Args = append(container.Args, "--public-addr="+address)
	}
	d.Spec.Template.Spec.Containers = []corev1.Container{container}
	export := kinds.Object(exportKind)
	export.SetNamespace(ns)
	export.SetName(daemon.Name())
	export.SetLabels(map[string]string{rook.ManagedByLabel: rook.Manager})
	noted := rook.Export{GlobalIP: netip.AddrFrom4([4]byte{242, 0, 0, byte(number)})}
	if kind == rook.Mon {
		noted.Identity = rook.IdentityCluster
		if noted.GlobalIP.String() == address {
			noted.Identity, noted.Pinned = rook.IdentityClusterset, true
		}
	}
	export.SetAnnotations(noted.Annotations())
	export.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Valid", "status": "True"}}}
	return []client.Object{d, export}
}

// write does a write of the leader, unless it ends before it, or ends after it.
func (c *aCluster) write(do func() error) error {
	c.writes++
	if c.writes == c.crashAt && !c.afterwards {
		return errCrashed
	}
	err := do()
	if c.writes == c.crashAt {
		return errCrashed
	}
	return err
}

// admit is what admission makes of the write of an OSD.
func (c *aCluster) admit(ctx context.Context, w client.Client, o client.Object) error {
	if o.GetObjectKind().GroupVersionKind().Kind != "Deployment" {
		return nil
	}
	d := &appsv1.Deployment{}
	if err := w.Get(ctx, client.ObjectKeyFromObject(o), d); err != nil {
		return err
	}
	changes, _ := rook.ChangesFor(d, c.export(d.Name).GlobalIP)
	changes.Apply(d)
	d.Generation++
	return w.Update(ctx, d)
}

func (c *aCluster) export(name string) rook.Export {
	e := kinds.Object(exportKind)
	require.NoError(c.t, c.world.Get(c.t.Context(), client.ObjectKey{Namespace: ns, Name: name}, e))
	return rook.ReadExport(e, nil)
}

// patience is how often Rook finds a mon down before it replaces it.
const patience = 2

// passes lets a while pass in which the pods come up, Rook replaces a mon that is stopped, and asks Ceph for its health.
func (c *aCluster) passes(d time.Duration) (down []string) {
	c.t.Helper()
	ctx := c.t.Context()
	c.at = c.at.Add(d)
	list := &appsv1.DeploymentList{}
	require.NoError(c.t, c.world.List(ctx, list))
	var endpoints []rook.Endpoint
	var out []string
	mons := 3
	for i := range list.Items {
		item := &list.Items[i]
		kind, id, _ := rook.ParseName(item.Name)
		if *item.Spec.Replicas == 0 {
			down = append(down, item.Name)
			if c.missed[id]++; c.missed[id] > patience {
				item = c.replace(item, id)
				id = item.Labels[rook.DaemonIDLabel]
			} else {
				out = append(out, id)
				mons--
			}
		}
		c.comesUp(item)
		if address, ok := rook.Address(item); ok && kind == rook.Mon {
			endpoints = append(endpoints, rook.Endpoint{ID: id, Addr: netip.AddrPortFrom(address, 6789)})
		}
	}
	stored := &corev1.ConfigMap{}
	require.NoError(c.t, c.world.Get(ctx, client.ObjectKey{Namespace: ns, Name: rook.MonEndpointsName}, stored))
	stored.Data = map[string]string{"data": rook.FormatEndpoints(endpoints), "outOfQuorum": strings.Join(out, ",")}
	require.NoError(c.t, c.world.Update(ctx, stored))
	cluster := kinds.Object(clusterKind)
	require.NoError(c.t, c.world.Get(ctx, client.ObjectKey{Namespace: ns, Name: "my-cluster"}, cluster))
	cluster.Object["spec"] = map[string]any{"mon": map[string]any{"count": int64(3)}}
	health := map[string]any{
		"health": "HEALTH_OK", "lastChecked": c.at.Add(time.Second).Format(time.RFC3339), "versions": map[string]any{"mon": map[string]any{"v": int64(mons)}},
	}
	if len(out) > 0 {
		health["health"], health["details"] = "HEALTH_WARN", map[string]any{"MON_DOWN": map[string]any{}}
	}
	cluster.Object["status"] = map[string]any{"phase": "Ready", "ceph": health}
	require.NoError(c.t, c.world.Update(ctx, cluster))
	c.at = c.at.Add(2 * time.Second)
	return down
}

// replace is what Rook's failover makes of a mon that is stopped: the mon with the letter three places on.
func (c *aCluster) replace(mon *appsv1.Deployment, id string) *appsv1.Deployment {
	c.t.Helper()
	number := int(id[0]-'a') + 4
	objects := daemonObjects(rook.Mon, string(rune(id[0]+3)), "242.0.0."+strconv.Itoa(number), number)
	for _, o := range objects {
		require.NoError(c.t, c.world.Create(c.t.Context(), o))
	}
	require.NoError(c.t, c.world.Delete(c.t.Context(), mon))
	successor, _ := objects[0].(*appsv1.Deployment)
	return successor
}

func (c *aCluster) comesUp(d *appsv1.Deployment) {
	c.t.Helper()
	if d.Status.ObservedGeneration == d.Generation {
		return
	}
	n := *d.Spec.Replicas
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, AvailableReplicas: n,
		Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(c.at)}},
	}
	require.NoError(c.t, c.world.Status().Update(c.t.Context(), d))
}

// leader is a loop that remembers nothing.
func (c *aCluster) leader() *loop {
	v := view.New(view.Readers{Cached: c.client, Live: c.client}, bothServed)
	term := recall.NewTerm()
	term.Begin(c.t.Context())
	return &loop{
		term: term, view: v, live: v.Uncached(), installed: bothServed, writer: c.client, events: events.NewFakeRecorder(1000), log: logr.Discard(),
		settings: DefaultSettings, now: func() time.Time { return c.at }, told: map[string]telling{}, steady: map[string]Steady{},
		probe: prober{dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }},
	}
}

// isDone says whether nothing is noted and nothing remains.
func (c *aCluster) isDone() bool {
	c.t.Helper()
	facts, err := c.leader().facts(c.t.Context(), view.New(view.Readers{Cached: c.world, Live: c.world}, bothServed), ns)
	require.NoError(c.t, err)
	_, moving := facts.moving()
	return !moving && len(MakePlan(facts).Moves) == 0
}

// The writes of a whole move: a note, a stop and the end of the note for each mon, and one for each OSD.
const allWrites = 3*3 + 2

func TestALeaderThatEndsAtAnyWriteIsFollowedByOneThatGoesOn(t *testing.T) {
	for at := range allWrites + 1 {
		for _, afterwards := range []bool{false, true} {
			t.Run(fmt.Sprintf("write %d, done %t", at, afterwards), func(t *testing.T) {
				c := newCluster(t)
				c.crashAt, c.afterwards = at, afterwards
				leader := c.leader()
				c.passes(0)
				crashes, stopped := 0, map[string]int{}
				for range 200 {
					if c.isDone() {
						break
					}
					if err := leader.turn(t.Context(), ns); err != nil {
						require.ErrorIs(t, err, errCrashed)
						crashes++
						leader = c.leader()
					}
					down := c.passes(15 * time.Second)
					require.LessOrEqual(t, len(down), 1, "%s are down", down)
					for _, name := range down {
						stopped[name] = 1
					}
				}
				require.Equal(t, min(at, 1), crashes)
				require.Equal(t, map[string]int{"rook-ceph-mon-a": 1, "rook-ceph-mon-b": 1, "rook-ceph-mon-c": 1}, stopped)
				facts, err := leader.facts(t.Context(), leader.live, ns)
				require.NoError(t, err)
				require.Empty(t, MakePlan(facts).Moves)
				for _, d := range facts.Daemons {
					require.Equal(t, rook.Move{}, d.Export.Move, "%s", d.Daemon)
					if d.Daemon.Type == rook.OSD {
						require.EqualValues(t, 2, d.Rollout.Generation, "%s was written once", d.Daemon)
					}
				}
			})
		}
	}
}
