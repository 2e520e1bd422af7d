package main

import (
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// shortSchedules are as many as may run whenever the tests do.
const shortSchedules = 250

func TestNoStoryEndsBadly(t *testing.T) {
	rules, err := newCacheRules()
	require.NoError(t, err)
	s := playAll(t.Context(), 1, nil, rules, shortSchedules, runtime.NumCPU(), 3, func(outcome) {})
	t.Logf("%d stories, %s", s.played, s.faultsText())
	for _, bad := range s.bad {
		t.Errorf("seed %d: %s (go run ./e2e/simulate -seed %d)", bad.seed, bad.violation, bad.seed)
	}
}

func TestAStoryIsToldAgainByItsSeed(t *testing.T) {
	rules, err := newCacheRules()
	require.NoError(t, err)
	var told [2]outcome
	for i := range told {
		told[i] = play(t.Context(), 42, nil, rules, true)
		// A map of Rook's has no order, and what it says of it tells nobody what it does.
		told[i].story = slices.DeleteFunc(told[i].story, func(line string) bool { return strings.Contains(line, "mon endpoints loaded") })
	}
	require.Equal(t, told[0].story, told[1].story)
	require.NotEmpty(t, told[0].story)
	require.Equal(t, told[0].faults, play(t.Context(), 42, nil, rules, false).faults, "nobody need listen")
}

// aWorld has a living mon a at 242.1.0.9 with ClusterIP 10.96.0.9, an OSD at 242.1.0.8, and one that is being given an address.
func aWorld(t *testing.T) *world {
	t.Helper()
	rules, err := newCacheRules()
	require.NoError(t, err)
	w, err := newWorld(t.Context(), 1, nil, rules, nil)
	require.NoError(t, err)
	w.lives = newLives()
	w.seeStored(t.Context(), nil, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph-mon-a"}, Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.9"},
	})
	for name, address := range map[string]string{"mon-a": "242.1.0.9", "osd-0": "242.1.0.8", "osd-1": "242.1.0.9"} {
		exported := newObject(exportVersion, "rook-ceph", "rook-ceph-"+name)
		exported.SetAnnotations(map[string]string{"rook-clusterset.io/global-ip": address})
		w.store.put(kinds.ServiceExport, client.ObjectKeyFromObject(exported), exported)
		if w.mcs.carried[client.ObjectKeyFromObject(exported)] = map[netip.Addr]bool{netip.MustParseAddr(address): true}; name == "mon-a" {
			w.mcs.given[client.ObjectKeyFromObject(exported)] = netip.MustParseAddr(address)
		}
	}
	ingress := newObject(served[ingressIPKind], "rook-ceph", "rook-ceph-osd-2")
	w.store.put(ingressIPKind, client.ObjectKeyFromObject(ingress), ingress)
	w.seeStored(t.Context(), nil, deploymentAt("mon-a", "242.1.0.9"))
	w.seeStored(t.Context(), nil, deploymentAt("osd-0", "242.1.0.8"))
	require.Empty(t, w.violation)
	return w
}

func deploymentAt(name, address string) *appsv1.Deployment {
	daemonType, _, _ := strings.Cut(name, "-")
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph-" + name},
		Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: daemonType, Args: []string{"--public-addr=" + address}}},
		}}},
	}
}

func TestWhatMustNeverBeIsSeen(t *testing.T) {
	export := func(annotations map[string]string) client.Object {
		e := newObject(exportVersion, "rook-ceph", "rook-ceph-mon-a")
		e.SetAnnotations(annotations)
		return e
	}
	pinned := map[string]string{"rook-clusterset.io/pinned": "true", "rook-clusterset.io/global-ip": "242.1.0.9"}
	endpoints := func(data string) client.Object {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph-mon-endpoints"}, Data: map[string]string{"data": data}}
	}
	service := func(name string) client.Object {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph-" + name}}
	}
	for name, c := range map[string]struct {
		before, after client.Object
		by            actor
		want          string
	}{
		"a mon that is moved":                   {deploymentAt("mon-a", "242.1.0.9"), deploymentAt("mon-a", "242.1.0.7"), nobody, "is moved to 242.1.0.7"},
		"a mon that is put to sleep":            {deploymentAt("mon-a", "242.1.0.9"), deploymentAt("mon-a", ""), nobody, ""},
		"a birth at an address that is taken":   {nil, deploymentAt("osd-1", "242.1.0.9"), nobody, "at which rook-ceph/rook-ceph-mon-a lives"},
		"a birth that its export does not say":  {nil, deploymentAt("osd-1", "242.1.0.5"), nobody, "which its export does not say"},
		"a birth at a ClusterIP":                {nil, deploymentAt("mon-b", "10.96.0.3"), nobody, "which is no global IP"},
		"a list that tells another address":     {nil, endpoints("a=10.96.0.9:6789"), nobody, "tells 10.96.0.9"},
		"a list that tells one address twice":   {nil, endpoints("a=242.1.0.9:6789,b=242.1.0.9:6789"), nobody, "for two mons"},
		"a list that is right":                  {nil, endpoints("a=242.1.0.9:6789,b=10.96.0.3:6789"), nobody, ""},
		"a Secret with the ClusterIP of a mon":  {nil, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "rook-ceph", Name: "rook-ceph-config"}, Data: map[string][]byte{"mon_host": []byte("[v2:10.96.0.9:3300]")}}, nobody, "tells 10.96.0.9"},
		"a living mon that is unpinned":         {export(pinned), export(nil), actorLeader, "no longer pinned"},
		"a living mon that is pinned elsewhere": {export(nil), export(map[string]string{"rook-clusterset.io/pinned": "true", "rook-clusterset.io/global-ip": "242.1.0.1"}), actorLeader, "is pinned at 242.1.0.1"},
		"a Service that is written too early":   {service("osd-2"), service("osd-2"), actorLeader, "is written while Globalnet gives it"},
		"a Service that is written later":       {service("osd-0"), service("osd-0"), actorLeader, ""},
		"a Service that is created":             {nil, service("osd-2"), actorLeader, ""},
		"an unpinning by somebody is not ours":  {export(pinned), export(nil), actorPerson, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := aWorld(t)
			w.seeStored(asActor(t.Context(), c.by), c.before, c.after)
			requireViolation(t, w, c.want)
		})
	}
}

// requireViolation wants that what was seen says the words, or with none that nothing was.
func requireViolation(t *testing.T, w *world, words string) {
	t.Helper()
	if words == "" {
		require.Empty(t, w.violation)
	}
	require.Contains(t, w.violation, words)
}

func TestABirthThatTheNetworkGainsaysIsSeenAndOneOfWhichItHasToldNobodyIsNot(t *testing.T) {
	for told, want := range map[string]string{"242.1.0.7": "", "242.1.0.5": "which the network says is its no longer", "": "which the network says is its no longer"} {
		w := aWorld(t)
		key := types.NamespacedName{Namespace: "rook-ceph", Name: "rook-ceph-mon-b"}
		exported := newObject(exportVersion, key.Namespace, key.Name)
		exported.SetAnnotations(map[string]string{"rook-clusterset.io/global-ip": "242.1.0.7"})
		w.store.put(kinds.ServiceExport, key, exported)
		if told != "" {
			ingress := newObject(served[ingressIPKind], key.Namespace, key.Name)
			ingress.Object["status"] = map[string]any{"allocatedIP": told}
			w.store.put(ingressIPKind, key, ingress)
		}
		w.mcs.given[key] = netip.MustParseAddr("242.1.0.5")
		w.mcs.carried[key] = map[netip.Addr]bool{netip.MustParseAddr("242.1.0.7"): true}
		w.seeStored(t.Context(), nil, deploymentAt("mon-b", "242.1.0.7"))
		requireViolation(t, w, want)
	}
}

func TestGlobalnetGivesAFreedAddressOutAgainAtOnceFromTheTop(t *testing.T) {
	w := aWorld(t)
	first := w.mcs.take()
	second := w.mcs.take()
	require.Equal(t, "242.1.0.248", first.String())
	require.Equal(t, "242.1.0.247", second.String())
	w.mcs.giveBack(first)
	require.Equal(t, first, w.mcs.take())
}

func TestACacheIsBehindAndSeesEachChangeWhenItCatchesUp(t *testing.T) {
	w := aWorld(t)
	r := w.replicas[0]
	key := types.NamespacedName{Namespace: "rook-ceph", Name: "late"}
	late := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Labels: map[string]string{"app": "rook-ceph-mon"}}}
	require.NoError(t, w.api.Create(asActor(t.Context(), actorScenery), late))
	cached := lagging{store: w.store, rules: w.rules.main, seen: r.seen}
	require.Error(t, cached.Get(t.Context(), key, &corev1.Service{}))
	require.NoError(t, w.api.Get(t.Context(), key, &corev1.Service{}))
	r.catchUpWithAll()
	require.NoError(t, cached.Get(t.Context(), key, &corev1.Service{}))
}
