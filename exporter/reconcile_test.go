package exporter

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/recorder"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/recall"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

var (
	serviceExport = kinds.ServiceExport.WithVersion("v1alpha1")
	cephCluster   = kinds.CephCluster.WithVersion("v1")
)

// servedKinds are the kinds that are there, in the version that they are watched in.
type servedKinds map[schema.GroupKind]schema.GroupVersionKind

func (s servedKinds) Served(gk schema.GroupKind) (schema.GroupVersionKind, bool) {
	gvk, ok := s[gk]
	return gvk, ok
}

func (servedKinds) Wait(context.Context) error { return nil }

// loop is the reconcile loop over a fake API server, with every write, event and question of the last turn.
type loop struct {
	*reconciler
	t      *testing.T
	client client.WithWatch
	kinds  servedKinds

	mu      sync.Mutex
	answers map[string]string
	// allocated is what Globalnet gave, whatever the exports say.
	allocated map[string]string
	source    string
	// unreadable are the kinds that may not be read.
	unreadable []string
	refusal    *reason.Error
	questions  []resolver.Request
	cidrs      []netip.Prefix
	peers      map[string][]netip.Prefix
	clock      time.Time
	told       []string
	writes     []string
	deny       func(write string) error
	woken      []target
}

func newLoop(t *testing.T, objects ...client.Object) *loop {
	l := &loop{
		t:       t,
		kinds:   servedKinds{kinds.CephCluster: cephCluster, kinds.ServiceExport: serviceExport},
		answers: map[string]string{},
		cidrs:   []netip.Prefix{netip.MustParsePrefix("242.0.0.0/16")},
		clock:   noon,
	}
	scheme := runtime.NewScheme()
	require.NoError(t, corev1.AddToScheme(scheme))
	require.NoError(t, appsv1.AddToScheme(scheme))
	for _, gvk := range []schema.GroupVersionKind{serviceExport, cephCluster} {
		scheme.AddKnownTypeWithName(gvk, &unstructured.Unstructured{})
		scheme.AddKnownTypeWithName(gvk.GroupVersion().WithKind(gvk.Kind+"List"), &unstructured.UnstructuredList{})
	}
	l.client = interceptor.NewClient(indexed(scheme).WithObjects(objects...).Build(), interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if err := l.write("create", o.GetObjectKind().GroupVersionKind().Kind, o.GetName()); err != nil {
				return err
			}
			if o.GetUID() == "" {
				o.SetUID(uuid.NewUUID())
			}
			return c.Create(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if err := l.write("patch", o.GetObjectKind().GroupVersionKind().Kind, o.GetName()); err != nil {
				return err
			}
			return c.Patch(ctx, o, p, opts...)
		},
		Apply: func(ctx context.Context, c client.WithWatch, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			content, err := json.Marshal(o)
			if err != nil {
				return err
			}
			var applied unstructured.Unstructured
			if err := json.Unmarshal(content, &applied); err != nil {
				return err
			}
			if err := l.write("apply", applied.GetKind(), applied.GetName()); err != nil {
				return err
			}
			return c.Apply(ctx, o, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			if err := l.write("delete", o.GetObjectKind().GroupVersionKind().Kind, o.GetName()); err != nil {
				return err
			}
			return c.Delete(ctx, o, opts...)
		},
	})
	l.restart()
	return l
}

// restart is what a new leader begins with: nothing.
func (l *loop) restart() {
	l.reconciler = &reconciler{
		view:    view.New(view.Readers{Cached: l.client, Live: l.client}, l.kinds),
		ensurer: NewEnsurer(l.client, l.client, l.kinds),
		sources: l,
		changes: &recall.Changes{},
		claims:  newClaims(),
		events:  l,
		metrics: newCounters(),
		now:     func() time.Time { return l.clock },
		grace:   time.Hour,
		wake:    func(to target) { l.woken = append(l.woken, to) },

		unreadable: func() []string { return l.unreadable },
	}
}

func (l *loop) write(verb, kind, name string) error {
	write := verb + " " + kind + " " + name
	if kind == "" {
		write = verb + " " + name
	}
	if l.deny != nil {
		if err := l.deny(write); err != nil {
			return err
		}
	}
	l.writes = append(l.writes, write)
	return nil
}

func (l *loop) Resolve(_ context.Context, req resolver.Request, _ resolver.Membership) (resolver.Answer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.questions = append(l.questions, req)
	if ip, ok := l.answers[req.Name]; ok {
		return resolver.Answer{IP: addr(ip), Source: cmp.Or(l.source, "GlobalIngressIP")}, nil
	}
	if l.refusal != nil {
		return resolver.Answer{}, l.refusal
	}
	return resolver.Answer{}, reason.Errorf(reason.NoAnswer, "nothing")
}

func (l *loop) Membership(context.Context) (resolver.Membership, error) {
	return resolver.Membership{GlobalCIDRs: l.cidrs, PeerCIDRs: l.peers}, nil
}

func (l *loop) Allocated(_ context.Context, req resolver.Request) (netip.Addr, error) {
	if ip, ok := l.allocated[req.Name]; ok {
		return addr(ip), nil
	}
	return netip.Addr{}, reason.Errorf(reason.NoAnswer, "nothing")
}

var _ recorder.EventRecorder = &loop{}

func (l *loop) Eventf(_, _ runtime.Object, _, code, _, _ string, args ...any) {
	l.told = append(l.told, code+": "+args[0].(string))
}

func (l *loop) AnnotatedEventf(runtime.Object, runtime.Object, map[string]string, string, string, string, string, ...any) {
	l.t.Fatal("no event of ours is annotated")
}

// turn gives the cluster and each of its daemons a turn, and those that are woken by it, and returns when to look again and
// what was written and announced.
func (l *loop) turn() (again time.Duration, writes, told []string) {
	l.t.Helper()
	again, writes, told, err := l.tryTurn()
	require.NoError(l.t, err)
	return again, writes, told
}

func (l *loop) tryTurn() (again time.Duration, writes, told []string, err error) {
	l.writes, l.told, l.questions, l.woken = nil, nil, nil, nil
	names, err := l.view.Names(l.t.Context(), testNamespace)
	require.NoError(l.t, err)
	targets := []target{{Namespace: testNamespace}}
	for _, name := range names {
		targets = append(targets, target{Namespace: testNamespace, Daemon: name})
	}
	taken := map[target]bool{}
	for len(targets) > 0 {
		to := targets[0]
		targets = targets[1:]
		result, failed := l.Reconcile(l.t.Context(), to)
		again, err = sooner(again, result.RequeueAfter), errors.Join(err, failed)
		taken[to] = true
		for _, woken := range l.woken {
			// What all depend on is new to a new leader, and everybody has a turn here anyway.
			if taken[woken] && !slices.Contains(targets, woken) {
				targets = append(targets, woken)
			}
		}
		l.woken = nil
	}
	return again, l.writes, l.told, err
}

// settle reconciles until nothing more is written, as the watch of what was written would make it.
func (l *loop) settle() {
	l.t.Helper()
	for range 5 {
		if _, writes, _ := l.turn(); len(writes) == 0 {
			return
		}
	}
	l.t.Fatalf("still writing: %v", l.writes)
}

func (l *loop) asked() []string {
	var names []string
	for _, q := range l.questions {
		names = append(names, q.Name)
	}
	slices.Sort(names)
	return names
}

func (l *loop) export(name string) rook.Export {
	l.t.Helper()
	e, err := l.view.Export(l.t.Context(), testNamespace, name)
	require.NoError(l.t, err)
	return e
}

// report writes the status of an export as an MCS implementation does.
func (l *loop) report(name, status, why string) {
	l.t.Helper()
	export := kinds.Object(serviceExport)
	require.NoError(l.t, l.client.Get(l.t.Context(), types.NamespacedName{Namespace: testNamespace, Name: name}, export))
	condition := map[string]any{"type": "Valid", "status": status, "reason": why, "message": "", "lastTransitionTime": "2026-03-01T12:00:00Z"}
	require.NoError(l.t, unstructured.SetNestedSlice(export.Object, []any{condition}, "status", "conditions"))
	require.NoError(l.t, l.client.Update(l.t.Context(), export))
}

func (l *loop) create(objects ...client.Object) {
	l.t.Helper()
	for _, o := range objects {
		fresh := o.DeepCopyObject().(client.Object)
		fresh.SetResourceVersion("")
		require.NoError(l.t, l.client.Create(l.t.Context(), fresh))
	}
}

// indexed builds a fake API server that finds objects as the caches do.
func indexed(scheme *runtime.Scheme) *fake.ClientBuilder {
	builder := fake.NewClientBuilder().WithScheme(scheme)
	index := fakeIndexer{builder}
	_ = view.Index(context.Background(), index)
	for _, kind := range view.Kinds() {
		for field, of := range kind.Indexes {
			builder.WithIndex(kinds.Object(kind.WithVersion("v1alpha1")), field, of)
		}
	}
	return builder
}

type fakeIndexer struct{ *fake.ClientBuilder }

func (f fakeIndexer) IndexField(_ context.Context, object client.Object, field string, of client.IndexerFunc) error {
	f.WithIndex(object, field, of)
	return nil
}

func enabledNamespace() *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: testNamespace, Labels: map[string]string{rook.EnabledLabel: "true"}}}
}

// elsewhere is another namespace that is switched on, with a CephCluster of its own.
func elsewhere() []client.Object {
	namespace, cluster := enabledNamespace(), cephClusterObject(nil)
	namespace.Name = "other"
	cluster.SetNamespace("other")
	cluster.SetUID("other-uid")
	return []client.Object{namespace, cluster}
}

func cephClusterObject(change func(map[string]any)) *unstructured.Unstructured {
	u := kinds.Object(cephCluster)
	u.SetNamespace(testNamespace)
	u.SetName(testCluster)
	u.SetUID(testUID)
	u.Object["spec"] = map[string]any{}
	u.Object["status"] = map[string]any{"phase": "Ready", "version": map[string]any{"version": "18.2.7-0"}}
	if change != nil {
		change(u.Object)
	}
	return u
}

func TestADaemonIsExportedResolvedAndPinnedAndThenLeftInPeace(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(monService(monA, "10.96.0.1"), deployment(osd0, ""))

	_, writes, told := l.turn()
	require.Equal(t, []string{
		"create ServiceExport " + monA, "apply ServiceExport " + monA,
		"apply Service " + osd0, "create ServiceExport " + osd0,
	}, writes)
	require.Equal(t, []string{`Exported: mon "a" is exported: ServiceExport rook-ceph/rook-ceph-mon-a`}, told)
	require.Equal(t, rook.IdentityClusterset, l.export(monA).Identity)

	again, writes, told := l.turn()
	require.Empty(t, writes, "a Valid that was not reported yet is waited for by watch")
	require.Empty(t, told)
	require.Zero(t, again)
	require.Empty(t, l.asked())

	l.answers = map[string]string{monA: "242.0.0.1", osd0: "242.0.1.0"}
	l.report(monA, "True", "Valid")
	l.report(osd0, "True", "Valid")
	_, writes, told = l.turn()
	require.Equal(t, []string{"apply ServiceExport " + monA, "apply ServiceExport " + osd0}, writes)
	require.Equal(t, []string{
		`AddressResolved: mon "a" has a global IP: 242.0.0.1 from GlobalIngressIP`,
		`AddressResolved: osd "0" has a global IP: 242.0.1.0 from GlobalIngressIP`,
	}, told)

	l.create(deployment(monA, "242.0.0.1"))
	l.settle()
	require.True(t, l.export(monA).Pinned)

	for range 3 {
		again, writes, told = l.turn()
		require.Empty(t, writes)
		require.Empty(t, told)
		require.Zero(t, again)
	}
	l.restart()
	_, writes, told = l.turn()
	require.Empty(t, writes, "a new leader finds all in the annotations")
	require.Empty(t, told)
}

func TestOnlyWhatHasNoAnswerIsAskedAgainAndEverMoreSeldom(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(deployment(osd0, ""), deployment(osd1, ""))
	l.settle()
	l.report(osd0, "True", "Valid")
	l.report(osd1, "True", "Valid")
	l.refusal = reason.Errorf(reason.DNSTimeout, "from port 4711")

	var waits []time.Duration
	for range 6 {
		again, _, _ := l.turn()
		require.Equal(t, []string{osd0, osd1}, l.asked())
		l.refusal = reason.Errorf(reason.DNSTimeout, "from port %d", len(waits))
		early, writes, told := l.turn()
		require.Empty(t, l.asked(), "a change of something else is no reason to ask")
		require.Empty(t, writes)
		require.Empty(t, told)
		require.Equal(t, again, early)
		waits = append(waits, again)
		l.clock = l.clock.Add(again)
	}
	require.Equal(t, []time.Duration{5, 10, 20, 40, 60, 60}, inSeconds(waits))

	l.changes.AddForAll()
	l.clock = l.clock.Add(-time.Second)
	l.answers[osd0] = "242.0.1.0"
	l.turn()
	require.Equal(t, []string{osd0, osd1}, l.asked(), "a change of a source is a reason to ask at once")
	require.Equal(t, "242.0.1.0", l.export(osd0).GlobalIP.String())
	require.Equal(t, reason.DNSTimeout, l.export(osd1).Refused)
}

func TestTheWantOfAnAnswerIsToldOnlyOnceItLasts(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(monService(monA, "10.96.0.1"), deployment(osd0, ""))
	l.settle()
	l.report(monA, "True", "Valid")
	l.report(osd0, "True", "Valid")
	l.refusal = reason.Errorf(reason.DNSNameError, "no such name")
	again, writes, told := l.turn()
	require.Empty(t, writes, "a cache may only be a moment behind another")
	require.Empty(t, told)
	l.clock = l.clock.Add(again)
	_, writes, told = l.turn()
	require.Equal(t, []string{"apply ServiceExport " + monA, "apply ServiceExport " + osd0}, writes)
	require.Len(t, told, 2)
	require.Equal(t, reason.DNSNameError, l.export(monA).Refused)

	l = newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(deployment(osd0, ""))
	l.settle()
	l.report(osd0, "True", "Valid")
	l.refusal = reason.Errorf(reason.InsidePeerCIDR, "243.0.0.1")
	_, _, told = l.turn()
	require.Len(t, told, 1, "a wrong answer is told at once")
	require.Equal(t, reason.InsidePeerCIDR, l.export(osd0).Refused)
}

func TestAWrongAnswerIsForgottenWithTheNextWantOfOne(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(deployment(osd0, ""))
	l.settle()
	l.answers = map[string]string{osd0: "242.0.1.0"}
	l.report(osd0, "True", "Valid")
	l.turn()
	require.Equal(t, "242.0.1.0", l.export(osd0).GlobalIP.String())

	delete(l.answers, osd0)
	l.refusal = reason.Errorf(reason.SourcesDisagree, "242.0.1.0 and 242.0.1.9")
	l.changes.AddForAll()
	l.turn()
	require.Equal(t, reason.SourcesDisagree, l.export(osd0).Refused)
	l.refusal = reason.Errorf(reason.NoAnswer, "")
	l.changes.AddForAll()
	l.turn()
	require.Empty(t, l.export(osd0).Refused, "the address that it has stands as it did")
	require.Equal(t, "242.0.1.0", l.export(osd0).GlobalIP.String())
}

func TestAnExportThatAdmissionCreatedIsToldOfTooAndOnce(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	cluster, err := l.view.Cluster(t.Context(), testNamespace)
	require.NoError(t, err)
	daemon := rook.Daemon{Type: rook.OSD, ID: "0", Namespace: testNamespace}
	require.NoError(t, l.ensurer.EnsureExport(t.Context(), daemon, *cluster))
	l.settle()
	require.Empty(t, l.told)
	l.answers = map[string]string{osd0: "242.0.1.0"}
	l.report(osd0, "True", "Valid")
	_, _, told := l.turn()
	require.Equal(t, []string{
		`AddressResolved: osd "0" has a global IP: 242.0.1.0 from GlobalIngressIP`,
	}, told)
	l.create(deployment(osd0, ""))
	l.answers[osd0] = "242.0.1.9"
	l.changes.AddForAll()
	_, _, told = l.turn()
	require.Equal(t, []string{`AddressFollowed: osd "0" has a new global IP, which it takes at Rook's next update: 242.0.1.9 instead of 242.0.1.0`}, told)
}

func inSeconds(waits []time.Duration) []time.Duration {
	seconds := make([]time.Duration, len(waits))
	for i, w := range waits {
		seconds[i] = w / time.Second
	}
	return seconds
}

func TestAnAnswerOfDNSIsAskedForAgainOnlyWhenWhatItRestsOnChanged(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(deployment(osd0, ""))
	l.answers, l.source = map[string]string{osd0: "242.0.1.0"}, resolver.SourceDNS
	l.settle()
	l.report(osd0, "True", "Valid")
	l.settle()
	require.Equal(t, resolver.SourceDNS, l.export(osd0).Source)
	unasked := func() {
		t.Helper()
		again, writes, _ := l.turn()
		require.Empty(t, l.asked())
		require.Empty(t, writes)
		require.Zero(t, again)
	}
	askedOnce := func(why string) {
		t.Helper()
		l.turn()
		require.Equal(t, []string{osd0}, l.asked(), why)
		unasked()
	}
	unasked()

	l.restart()
	askedOnce("a new leader knows nothing of what was asked")
	l.changes.AddForAll()
	askedOnce("objects may tell by now")
	l.report(osd0, "False", "ServiceUnavailable")
	unasked()
	l.report(osd0, "True", "Valid")
	askedOnce("Valid turned")
	service := &corev1.Service{}
	key := types.NamespacedName{Namespace: testNamespace, Name: osd0}
	require.NoError(t, l.client.Get(t.Context(), key, service))
	service.UID = "made-anew"
	require.NoError(t, l.client.Update(t.Context(), service))
	askedOnce("the Service is another")

	l.changes.AddForAll()
	l.answers, l.refusal = nil, reason.Errorf(reason.DNSTimeout, "silent")
	l.turn()
	require.Equal(t, addr("242.0.1.0"), l.export(osd0).GlobalIP, "the want of an answer is none")
	l.clock = l.clock.Add(time.Minute)
	l.answers = map[string]string{osd0: "242.0.1.7"}
	l.turn()
	require.Equal(t, addr("242.0.1.7"), l.export(osd0).GlobalIP)
}

func TestACephClusterThatIsNotServedIsToldSoOnce(t *testing.T) {
	network := func(key string, value any) func(map[string]any) {
		return func(o map[string]any) { o["spec"] = map[string]any{"network": map[string]any{key: value}} }
	}
	for name, c := range map[string]struct {
		cluster func(map[string]any)
		change  func(*loop)
		want    string
	}{
		"Multus":            {cluster: network("provider", "multus"), want: "CephClusterMultus"},
		"address ranges":    {cluster: network("addressRanges", map[string]any{"public": []any{"192.168.0.0/24"}}), want: "CephClusterAddressRanges"},
		"IPv6 alone":        {cluster: network("ipFamily", "IPv6"), want: "CephClusterSingleStack"},
		"host networking":   {cluster: network("provider", "host"), want: "CephClusterHostNetwork"},
		"Rook's own export": {cluster: network("multiClusterService", map[string]any{"enabled": true}), want: "NativeMultiClusterService"},
		"an old Ceph": {cluster: func(o map[string]any) {
			o["status"] = map[string]any{"version": map[string]any{"version": "16.2.15-0"}}
		}, want: "CephTooOld"},
		"no ServiceExport yet": {change: func(l *loop) { delete(l.kinds, kinds.ServiceExport) }, want: "NoServiceExportKind"},
		"an old Rook": {change: func(l *loop) {
			d := deployment("rook-ceph-mon-b", "")
			d.Labels[rook.RookVersionLabel] = "v1.10.13"
			l.create(d)
		}, want: "RookTooOld"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t, enabledNamespace(), cephClusterObject(c.cluster))
			l.create(monService(monA, "10.96.0.1"))
			if c.change != nil {
				c.change(l)
			}
			_, writes, told := l.turn()
			require.Empty(t, writes)
			require.Len(t, told, 1)
			require.Contains(t, told[0], c.want+": CephCluster rook-ceph/my-cluster ")
			again, _, told := l.turn()
			require.Empty(t, told)
			require.Zero(t, again)
		})
	}
}

func TestAPeerThatClaimsThisClustersRangeIsToldOfOnceAndStopsNoBirth(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), monService("rook-ceph-mon-a", "10.96.0.1"))
	l.peers = map[string][]netip.Prefix{"cluster-b": {netip.MustParsePrefix("0.0.0.0/0")}}
	_, writes, told := l.turn()
	require.Contains(t, told, "PeerCIDROverlaps: CephCluster rook-ceph/my-cluster "+
		"shares its range of global IPs with a peer: cluster-b announces 0.0.0.0/0, this cluster has 242.0.0.0/16")
	require.NotEmpty(t, writes, "its mon is exported")
	_, _, told = l.turn()
	require.Empty(t, told)

	l.peers = nil
	_, _, told = l.turn()
	require.Empty(t, told)
	l.peers = map[string][]netip.Prefix{"cluster-b": {netip.MustParsePrefix("0.0.0.0/0")}}
	_, _, told = l.turn()
	require.Len(t, told, 1, "it is news again")
}

func TestASourceThatMayNotBeReadIsToldOfOnce(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.unreadable = []string{"GlobalIngressIP.submariner.io"}
	_, _, told := l.turn()
	require.Len(t, told, 1)
	require.Contains(t, told[0], "SourceLeftOut: CephCluster rook-ceph/my-cluster ")
	require.Contains(t, told[0], "GlobalIngressIP.submariner.io")
	_, _, told = l.turn()
	require.Empty(t, told)
}

func TestAnUpgradedRookIsServedAlthoughSomeDeploymentsStillTellTheOldVersion(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	old := deployment(monA, "")
	old.Labels[rook.RookVersionLabel] = "v1.10.13"
	l.create(old, deployment("rook-ceph-mon-b", ""), deployment(osd0, ""))
	_, writes, _ := l.turn()
	require.NotEmpty(t, writes)
}

func TestAKindThatAppearsIsUsedAndOneThatGoesIsToldAgain(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(monService(monA, "10.96.0.1"))
	delete(l.kinds, kinds.ServiceExport)
	_, _, told := l.turn()
	require.Len(t, told, 1)
	l.kinds[kinds.ServiceExport] = serviceExport
	l.settle()
	require.True(t, l.export(monA).Ours)
	delete(l.kinds, kinds.ServiceExport)
	_, _, told = l.turn()
	require.Len(t, told, 1)
}

func TestWhatIsNotOursToDoIsNotDone(t *testing.T) {
	for name, objects := range map[string][]client.Object{
		"a namespace that is not switched on": {&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: testNamespace}}, cephClusterObject(nil)},
		"a namespace without a CephCluster":   {enabledNamespace()},
		"a CephCluster that is being deleted": {enabledNamespace(), dying(cephClusterObject(nil))},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t, objects...)
			l.create(monService(monA, "10.96.0.1"), deployment(osd0, ""))
			again, writes, told := l.turn()
			require.Empty(t, writes)
			require.Empty(t, told)
			require.Zero(t, again)
		})
	}
}

func TestALivingDaemonKeepsItsExportAndItsAddressWhoeverOwnsIt(t *testing.T) {
	for name, owners := range map[string][]metav1.OwnerReference{
		"nobody": nil,
		"a CephCluster that was there before": {{
			APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: testCluster, UID: "another-uid", Controller: new(true),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
			service, mon, osd := monService(monA, "10.96.0.1"), deployment(monA, "242.0.0.1"), deployment(osd0, "242.0.1.0")
			for _, o := range []client.Object{service, mon, osd} {
				o.SetOwnerReferences(owners)
			}
			canary := deployment(osd1, "")
			canary.Labels[rook.CanaryLabel] = "true"
			l.create(service, mon, osd, canary)
			l.settle()
			require.Equal(t, rook.IdentityClusterset, l.export(monA).Identity)
			require.Equal(t, "242.0.0.1", l.export(monA).GlobalIP.String())
			require.True(t, l.export(monA).Pinned)
			require.True(t, l.export(osd0).Exists)
			require.False(t, l.export(osd1).Exists, "a canary is no daemon")

			l.clock = noon.Add(2 * time.Hour)
			_, writes, _ := l.turn()
			require.Empty(t, writes)
		})
	}
}

func dying(u *unstructured.Unstructured) *unstructured.Unstructured {
	u.SetDeletionTimestamp(new(metav1.NewTime(noon)))
	u.SetFinalizers([]string{"cephcluster.ceph.rook.io"})
	return u
}

func TestAServiceOfOthersThatTheCacheCannotShowIsReportedAndNotTakenOver(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	foreign := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: testNamespace, Name: osd0}, Spec: corev1.ServiceSpec{ClusterIP: "10.96.9.9"}}
	l.create(foreign, deployment(osd0, ""))
	l.reconciler.view = view.New(view.Readers{Cached: hideServices{l.client}, Live: l.client}, l.kinds)
	for i := range 3 {
		_, writes, told := l.turn()
		require.Empty(t, writes)
		if i == 0 {
			require.Len(t, told, 1)
			require.Contains(t, told[0], "ServiceForeign: ")
		} else {
			require.Empty(t, told)
		}
	}
	require.False(t, l.export(osd0).Exists)
}

// hideServices is a cache that holds no Service.
type hideServices struct{ client.Reader }

func (h hideServices) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	if _, ok := object.(*corev1.Service); ok {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	return h.Reader.Get(ctx, key, object, opts...)
}

func (h hideServices) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if _, ok := list.(*corev1.ServiceList); ok {
		return nil
	}
	return h.Reader.List(ctx, list, opts...)
}

func TestAnExportOfOthersIsReportedOnce(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	foreign := kinds.Object(serviceExport)
	foreign.SetNamespace(testNamespace)
	foreign.SetName(monA)
	l.create(foreign, monService(monA, "10.96.0.1"))
	_, writes, told := l.turn()
	require.Empty(t, writes)
	require.Equal(t, []string{`ExportForeign: mon "a" has a ServiceExport that rook-clusterset did not create and so leaves alone: ServiceExport rook-ceph/rook-ceph-mon-a`}, told)
	_, _, told = l.turn()
	require.Empty(t, told)
}

func TestAFailedWriteIsTriedAgainAndHoldsUpNoOtherDaemon(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(deployment(osd0, ""), deployment(osd1, ""))
	l.deny = func(write string) error {
		if write == "create ServiceExport "+osd0 {
			return errors.New("etcd is on holiday")
		}
		return nil
	}
	_, _, _, err := l.tryTurn()
	require.ErrorContains(t, err, "export rook-ceph-osd-0 of CephCluster rook-ceph/my-cluster: ensure ServiceExport rook-ceph/rook-ceph-osd-0: etcd is on holiday")
	require.False(t, l.export(osd0).Exists)
	require.True(t, l.export(osd1).Exists)
	l.deny = nil
	l.turn()
	require.True(t, l.export(osd0).Exists)
}

func TestAnOrphanIsRemovedOnceItsGraceIsOverThoughTheLeaderChanged(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	osd := deployment(osd0, "")
	l.create(osd)
	l.settle()
	require.NoError(t, l.client.Delete(t.Context(), osd))
	l.settle()
	again, _, _ := l.turn()
	require.Equal(t, time.Hour, again)

	l.clock = noon.Add(59 * time.Minute)
	l.restart()
	again, writes, _ := l.turn()
	require.Empty(t, writes)
	require.Equal(t, time.Minute, again)

	l.clock = noon.Add(time.Hour)
	_, writes, told := l.turn()
	require.Equal(t, []string{"delete Service " + osd0, "delete ServiceExport " + osd0}, writes)
	require.Equal(t, []string{`OrphanRemoved: osd "0" lost its daemon and was removed after the grace period: ServiceExport rook-ceph/rook-ceph-osd-0`}, told)
	require.Equal(t, 1.0, testutil.ToFloat64(l.metrics.orphans.WithLabelValues(testNamespace)))
	_, writes, told = l.turn()
	require.Empty(t, writes)
	require.Empty(t, told)

	l.create(deployment(osd0, ""))
	l.answers[osd0] = "242.0.1.0"
	l.settle()
	l.report(osd0, "True", "Valid")
	_, _, told = l.turn()
	require.Len(t, told, 1, "an OSD of the same name is news again")

	require.NoError(t, l.client.Delete(t.Context(), osd))
	l.settle()
	l.clock = l.clock.Add(time.Hour)
	_, _, told = l.turn()
	require.Len(t, told, 1, "and so is its end")
}

func TestAnOSDThatCameBackBehindTheCacheIsNotRemoved(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	osd := deployment(osd0, "")
	l.create(osd)
	l.settle()
	require.NoError(t, l.client.Delete(t.Context(), osd))
	l.settle()
	l.create(deployment(osd0, ""))
	l.reconciler.view = view.New(view.Readers{Cached: hideDeployments{l.client}, Live: l.client}, l.kinds)
	l.clock = noon.Add(2 * time.Hour)
	_, writes, _ := l.turn()
	require.Empty(t, writes)
	require.True(t, l.export(osd0).Exists)
}

// hideDeployments is a cache that is behind.
type hideDeployments struct{ client.Reader }

func (h hideDeployments) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	if _, ok := object.(*appsv1.Deployment); ok {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	return h.Reader.Get(ctx, key, object, opts...)
}

func (h hideDeployments) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if _, ok := list.(*appsv1.DeploymentList); ok {
		return nil
	}
	return h.Reader.List(ctx, list, opts...)
}

func TestAChangedOrphanIsNotRemoved(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(deployment(osd0, ""))
	l.settle()
	export := l.exportObject(osd0)
	seen := orphan{uid: export.GetUID(), resourceVersion: export.GetResourceVersion()}
	l.report(osd0, "True", "Valid")
	err := l.ensurer.remove(t.Context(), rookDaemon(osd0), seen)
	require.True(t, apierrors.IsConflict(errors.Unwrap(err)), "got %v", err)
	require.True(t, l.export(osd0).Exists)
}

func (l *loop) exportObject(name string) *unstructured.Unstructured {
	l.t.Helper()
	export := kinds.Object(serviceExport)
	require.NoError(l.t, l.client.Get(l.t.Context(), types.NamespacedName{Namespace: testNamespace, Name: name}, export))
	return export
}

// made is an export as earlier releases made it.
func (l *loop) made(name string) *unstructured.Unstructured {
	export := newExport(serviceExport, rookDaemon(name))
	export.SetOwnerReferences(owned())
	return export
}

func TestAMonsAddressIsDoubtedUntilItIsBornWithItAndAnOSDsNever(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), monService(monA, "10.96.0.1"), deployment(osd0, ""))
	l.answers = map[string]string{monA: "242.0.0.1", osd0: "242.0.1.0"}
	l.settle()
	l.report(monA, "True", "Valid")
	l.report(osd0, "True", "Valid")
	l.settle()
	asked := func(name string) resolver.Request {
		l.turn()
		for _, q := range l.questions {
			if q.Name == name {
				return q
			}
		}
		t.Fatalf("%s is not asked for", name)
		return resolver.Request{}
	}
	require.True(t, asked(monA).ForLife)
	require.False(t, asked(monA).Known.IsValid(), "it has only one chance")
	require.False(t, asked(osd0).ForLife)
	require.Equal(t, addr("242.0.1.0"), asked(osd0).Known)

	l.create(deployment(monA, "242.0.0.1"))
	l.settle()
	require.Equal(t, addr("242.0.0.1"), asked(monA).Known)
}

func TestAnAddressThatIsInDoubtIsAskedForAgain(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), monService(monA, "10.96.0.1"), deployment(monA, "242.0.0.1"))
	l.answers = map[string]string{monA: "242.0.0.1"}
	l.settle()
	l.report(monA, "True", "Valid")
	l.settle()
	again, _, _ := l.turn()
	require.Zero(t, again, "it waits for its sources to change")

	l.answers, l.refusal = nil, reason.Errorf(reason.SourcesDisagree, "242.0.0.1 and 242.0.0.9")
	again, _, told := l.turn()
	require.Len(t, told, 1)
	require.NotZero(t, again)
	early, _, _ := l.turn()
	require.Equal(t, again, early, "what was noted leads to a turn, which has the queue forget the one that was to come")
	l.answers, l.clock = map[string]string{monA: "242.0.0.1"}, l.clock.Add(time.Minute)
	l.settle()
	require.Empty(t, l.export(monA).Refused)
}

func TestADriftIsToldThoughTheNetworkFollowsAMomentAfterTheObjectsThatAreWatched(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil), monService(monA, "10.96.0.1"), deployment(monA, "242.0.0.1"))
	l.answers = map[string]string{monA: "242.0.0.1"}
	l.settle()
	l.report(monA, "True", "Valid")
	l.settle()

	l.answers = nil
	l.refusal = reason.Errorf(reason.GlobalIPNotAllocated, "GlobalIngressIP says 242.0.0.9, its internal Service carries 242.0.0.1")
	again, _, told := l.turn()
	require.Empty(t, told, "it is where it was")
	require.NotZero(t, again, "nothing that is watched changes any more")
	early, _, _ := l.turn()
	require.Equal(t, again, early, "a turn for another reason has the queue forget the one that was to come")
	l.answers, l.clock = map[string]string{monA: "242.0.0.9"}, l.clock.Add(again)
	l.settle()
	require.Equal(t, addr("242.0.0.9"), l.export(monA).Drift)
}

// Submariner can come back later than the kind ServiceExport: what is decided of a mon before is decided for life.
func TestWithWhichAddressAMonWasBornIsNotGuessedBeforeAnyRangeIsKnown(t *testing.T) {
	const monB = "rook-ceph-mon-b"
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	known := l.cidrs
	l.cidrs = nil
	l.create(monService(monA, "10.96.0.1"), deployment(monA, "242.0.0.1"), monService(monB, "10.96.0.2"), deployment(monB, "10.96.0.2"))
	l.settle()
	require.Empty(t, l.export(monA).Identity)
	require.Equal(t, rook.IdentityCluster, l.export(monB).Identity, "its own ClusterIP is no global IP")

	l.cidrs = known
	l.settle()
	require.Equal(t, rook.IdentityClusterset, l.export(monA).Identity)
	require.True(t, l.export(monA).Pinned)
}
