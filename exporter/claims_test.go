package exporter

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func named(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: testNamespace, Name: name}
}

func TestWhatWasGivenAMomentAgoIsNotGivenAgainThoughTheCacheDoesNotShowIt(t *testing.T) {
	c := newClaims()
	ip, other := addr("242.0.1.0"), addr("242.0.1.1")
	stays := func(types.NamespacedName) bool { return false }
	settle := func(name string, ip netip.Addr, cached ...string) types.NamespacedName {
		var claims []rook.Claim
		for _, other := range cached {
			claims = append(claims, rook.Claim{Daemon: named(other), Exported: true})
		}
		return c.settle(named(name), gift{address: ip}, claims, stays)
	}
	require.Equal(t, named(osd0), settle(osd0, ip))
	require.Equal(t, named(osd0), settle(osd1, ip), "the cache shows nobody")
	require.Equal(t, named(osd0), settle(osd0, other), "it follows its source")
	require.Equal(t, named(osd1), settle(osd1, ip, osd0), "the cache still shows who left")
	require.Equal(t, named(osd0), settle(osd0, other, osd0))
	require.Empty(t, c.given[named(osd0)], "what the cache shows by now need not be remembered")
	require.Equal(t, named(osd0), settle(osd1, other, osd0))

	// Seed 87851: no write of what is given is stored, and the sources say again what the export has.
	require.Equal(t, named(osd1), settle(osd1, ip, osd1))
	third := addr("242.0.1.2")
	require.Equal(t, named(osd1), settle(osd1, third))
	require.Equal(t, named(osd1), settle(osd1, ip, osd1))
	require.Equal(t, named(osd0), settle(osd0, third), "it is given to nobody any more")
}

// Seed 44350: somebody deleted the export before the cache had shown its address.
func TestWhatWasGivenToAnExportGoesWithIt(t *testing.T) {
	c := newClaims()
	ip := addr("242.0.1.0")
	settle := func(name string, export types.UID) types.NamespacedName {
		return c.settle(named(name), gift{ip, export}, nil, func(types.NamespacedName) bool { return false })
	}
	require.Equal(t, named(osd0), settle(osd0, "first"))
	require.Empty(t, c.lose(named(osd0), "first"))
	require.Equal(t, named(osd0), settle(osd1, "other"))
	require.Equal(t, []types.NamespacedName{named(osd1)}, c.lose(named(osd0), "second"))
	require.Equal(t, named(osd1), settle(osd1, "other"))
	require.Equal(t, []types.NamespacedName(nil), c.lose(named(osd0), ""), "it has nothing to lose")
}

func TestAnAddressIsFreeOnceTheExportIsGoneThatItWasGivenTo(t *testing.T) {
	l := newLoop(t, enabledNamespace(), cephClusterObject(nil))
	l.create(deployment(osd0, ""), deployment(osd1, ""))
	l.settle()
	l.answers[osd0] = "242.0.1.0"
	l.report(osd0, "True", "Valid")
	l.turn()
	require.Equal(t, "242.0.1.0", l.export(osd0).GlobalIP.String())

	require.NoError(t, l.client.Delete(t.Context(), l.exportObject(osd0)))
	delete(l.answers, osd0)
	l.answers[osd1] = "242.0.1.0"
	l.report(osd1, "True", "Valid")
	l.settle()
	require.Equal(t, "242.0.1.0", l.export(osd1).GlobalIP.String())
}

func TestWhoWasRefusedAnAddressIsWokenWhenItIsFree(t *testing.T) {
	c := newClaims()
	ip := addr("242.0.1.0")
	has := []rook.Claim{{Daemon: named(osd0), Exported: true}}
	require.Equal(t, named(osd0), c.settle(named(osd1), gift{address: ip}, has, func(types.NamespacedName) bool { return false }))
	require.Equal(t, []types.NamespacedName{named(osd1)}, c.release(named(osd0), ip))
	require.Empty(t, c.release(named(osd0), ip))
}

func TestNoTwoDaemonsGetOneGlobalIP(t *testing.T) {
	const ofOther = "242.0.9.9"
	start := func(t *testing.T) *loop {
		l := newLoop(t, append(elsewhere(), enabledNamespace(), cephClusterObject(nil))...)
		l.create(deployment(osd0, ""), deployment(osd1, ""), deployment(monA, "242.0.0.1"), monService(monA, "10.96.0.1"))
		other := newExport(serviceExport, rook.Daemon{Type: rook.Mon, ID: "a", Namespace: "other"})
		other.SetAnnotations(map[string]string{rook.GlobalIPAnnotation: ofOther})
		l.create(other)
		l.answers = map[string]string{monA: "242.0.0.1"}
		l.settle()
		for _, name := range []string{osd0, osd1, monA} {
			l.report(name, "True", "Valid")
		}
		return l
	}
	answer := func(l *loop, zero, one string) {
		l.answers[osd0], l.answers[osd1] = zero, one
		l.changes.AddForAll()
		l.settle()
	}
	has := func(l *loop, name, ip string) {
		l.t.Helper()
		require.Equal(l.t, ip, l.export(name).GlobalIP.String())
		require.Empty(l.t, l.export(name).Refused)
	}
	refused := func(l *loop, name, holder string) {
		l.t.Helper()
		require.Equal(l.t, reason.UsedByAnother, l.export(name).Refused)
		require.Contains(l.t, l.export(name).RefusedDetail, "which is that of "+holder)
	}
	t.Run("of two new ones the first to ask gets it, and the other when it is free", func(t *testing.T) {
		l := start(t)
		answer(l, "242.0.1.0", "242.0.1.0")
		has(l, osd0, "242.0.1.0")
		refused(l, osd1, testNamespace+"/"+osd0)
		require.False(t, l.export(osd1).GlobalIP.IsValid())
		l.answers[osd0] = "242.0.1.7"
		l.changes.Add(named(osd0))
		l.settle()
		has(l, osd0, "242.0.1.7")
		has(l, osd1, "242.0.1.0")
	})
	t.Run("two whose addresses were swapped both follow", func(t *testing.T) {
		l := start(t)
		answer(l, "242.0.1.0", "242.0.1.1")
		answer(l, "242.0.1.1", "242.0.1.0")
		has(l, osd0, "242.0.1.1")
		has(l, osd1, "242.0.1.0")
	})
	t.Run("that of a living mon is never given away, though its own source tells another", func(t *testing.T) {
		l := start(t)
		l.answers[monA] = "242.0.0.9"
		answer(l, "242.0.1.0", "242.0.0.1")
		has(l, osd0, "242.0.1.0")
		refused(l, osd1, testNamespace+"/"+monA)
		require.Equal(t, "242.0.0.9", l.export(monA).Drift.String())
	})
	t.Run("nor is that of a living mon whose export is made anew, wherever it lives and whoever owns it", func(t *testing.T) {
		l := start(t)
		ownerless := deployment("rook-ceph-mon-b", "242.0.0.7")
		ownerless.OwnerReferences, ownerless.Namespace = nil, "other"
		l.create(ownerless)
		l.create(monService("rook-ceph-mon-d", "10.96.0.4"))
		l.settle()
		l.createdAt("rook-ceph-mon-d", noon)
		l.report("rook-ceph-mon-d", "True", "Valid")
		l.answers["rook-ceph-mon-d"] = "242.0.0.7"
		answer(l, "242.0.1.0", "242.0.0.7")
		has(l, osd0, "242.0.1.0")
		refused(l, osd1, "other/rook-ceph-mon-b")
		refused(l, "rook-ceph-mon-d", "other/rook-ceph-mon-b")
	})
	t.Run("nor is that of an OSD whose export is made anew", func(t *testing.T) {
		l := start(t)
		l.create(deployment("rook-ceph-osd-9", "242.0.1.9"))
		answer(l, "242.0.1.9", "242.0.1.1")
		refused(l, osd0, testNamespace+"/rook-ceph-osd-9")
		has(l, osd1, "242.0.1.1")
	})
	t.Run("nor is one that an OSD to be born was given, before its export says that it is to have another", func(t *testing.T) {
		l := start(t)
		answer(l, "242.0.1.0", "242.0.1.1")
		deployed := deployment(osd0, "")
		require.NoError(t, l.client.Delete(t.Context(), deployed))
		l.settle()
		l.answers[osd0], l.answers[osd1] = "242.0.1.5", "242.0.1.0"
		l.changes.AddForAll()
		_, err := l.Reconcile(t.Context(), target{Namespace: testNamespace, Daemon: osd1})
		require.NoError(t, err)
		refused(l, osd1, testNamespace+"/"+osd0)
		l.settle()
		has(l, osd1, "242.0.1.0")
		has(l, osd0, "242.0.1.5")
	})
	t.Run("nor is that of an OSD that cannot leave it, because a mon lives where it is to go", func(t *testing.T) {
		l := start(t)
		l.create(deployment("rook-ceph-osd-9", "242.0.1.9"), deployment("rook-ceph-osd-8", "242.0.1.8"))
		l.settle()
		l.report("rook-ceph-osd-9", "True", "Valid")
		l.report("rook-ceph-osd-8", "True", "Valid")
		l.answers["rook-ceph-osd-9"], l.answers["rook-ceph-osd-8"] = "242.0.0.1", "242.0.1.9"
		answer(l, "242.0.1.9", "242.0.1.8")
		refused(l, "rook-ceph-osd-9", testNamespace+"/"+monA)
		refused(l, osd0, testNamespace+"/rook-ceph-osd-9")
		refused(l, osd1, testNamespace+"/rook-ceph-osd-8")
	})
	t.Run("what was given for a while to an OSD that never came to live there is the next one's", func(t *testing.T) {
		l := start(t)
		l.create(deployment("rook-ceph-osd-9", "242.0.1.9"))
		l.settle()
		l.report("rook-ceph-osd-9", "True", "Valid")
		l.answers["rook-ceph-osd-9"] = "242.0.1.6"
		answer(l, "242.0.1.0", "242.0.1.1")
		has(l, "rook-ceph-osd-9", "242.0.1.6")
		l.answers["rook-ceph-osd-9"] = "242.0.0.1"
		answer(l, "242.0.1.6", "242.0.1.1")
		refused(l, "rook-ceph-osd-9", testNamespace+"/"+monA)
		has(l, osd0, "242.0.1.6")
	})
	t.Run("that of a mon which was replaced before it ever lived there is the next mon's, though its export is Valid still", func(t *testing.T) {
		l := start(t)
		const replaced, next = "rook-ceph-mon-c", "rook-ceph-mon-d"
		l.create(monService(replaced, "10.96.0.3"), deployment(replaced, "10.96.0.3"), usedUpTo("2", "c=10.96.0.3:6789"))
		l.settle()
		l.report(replaced, "True", "Valid")
		l.answers[replaced] = "242.0.0.3"
		l.changes.AddForAll()
		l.settle()
		has(l, replaced, "242.0.0.3")
		for _, gone := range []client.Object{monService(replaced, ""), deployment(replaced, ""), usedUpTo("2", "")} {
			require.NoError(t, l.client.Delete(t.Context(), gone))
		}
		l.create(usedUpTo("2", "a=242.0.0.1:6789"))
		l.settle()
		l.create(monService(next, "10.96.0.4"))
		l.settle()
		l.report(next, "True", "Valid")
		l.answers[next] = "242.0.0.3"
		l.changes.AddForAll()
		l.settle()
		has(l, next, "242.0.0.3")
	})
	t.Run("nor is that of a daemon in another namespace", func(t *testing.T) {
		l := start(t)
		answer(l, ofOther, "242.0.1.1")
		refused(l, osd0, "other/"+monA)
		has(l, osd1, "242.0.1.1")
	})
}
