package rook_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func claimOf(name string, change func(*rook.Claim)) rook.Claim {
	c := rook.Claim{Daemon: types.NamespacedName{Namespace: "rook-ceph", Name: "rook-ceph-" + name}}
	if change != nil {
		change(&c)
	}
	return c
}

func TestWhoGetsAnAddressThatSeveralAreToHave(t *testing.T) {
	exported := func(c *rook.Claim) { c.Exported = true }
	leaving := func(c *rook.Claim) { c.Exported, c.Leaving = true, true }
	pinned := func(c *rook.Claim) { c.Exported, c.Pinned, c.Leaving = true, true, true }
	lives := func(c *rook.Claim) { c.Advertised = true }
	moves := func(c *rook.Claim) { c.Advertised, c.Leaving = true, true }
	for name, c := range map[string]struct {
		own    rook.Claim
		others []rook.Claim
		want   string
	}{
		"who asks, where nobody else has it":             {claimOf("osd-0", nil), nil, "osd-0"},
		"who has it before who asks":                     {claimOf("osd-0", nil), []rook.Claim{claimOf("osd-1", exported)}, "osd-1"},
		"who asks, where the other is about to leave it": {claimOf("osd-0", nil), []rook.Claim{claimOf("osd-1", leaving)}, "osd-0"},
		"of two that have it the first":                  {claimOf("osd-0", exported), []rook.Claim{claimOf("osd-1", exported)}, "osd-0"},
		"of two that have it the first, be it the other": {claimOf("osd-1", exported), []rook.Claim{claimOf("osd-0", exported)}, "osd-0"},
		"a pinned mon, whatever its sources say":         {claimOf("osd-0", exported), []rook.Claim{claimOf("mon-z", pinned)}, "mon-z"},
		"a mon that lives there, though it has no export": {
			claimOf("mon-a", exported), []rook.Claim{claimOf("mon-z", lives)}, "mon-z",
		},
		"an OSD that lives there, though its export has another address": {
			claimOf("mon-a", exported), []rook.Claim{claimOf("osd-9", lives)}, "osd-9",
		},
		"no mon is born where an OSD lives, though it is about to leave": {
			claimOf("mon-a", exported), []rook.Claim{claimOf("osd-9", moves)}, "osd-9",
		},
		"an OSD follows to where another is about to leave": {claimOf("osd-0", nil), []rook.Claim{claimOf("osd-9", moves)}, "osd-0"},
		"who lives there itself before who has only its export": {
			claimOf("osd-7", lives), []rook.Claim{claimOf("osd-1", exported)}, "osd-7",
		},
		"a mon before an OSD where both live":     {claimOf("osd-0", lives), []rook.Claim{claimOf("mon-b", lives)}, "mon-b"},
		"one's own claim is no other's":           {claimOf("osd-0", nil), []rook.Claim{claimOf("osd-0", lives)}, "osd-0"},
		"who lives there before one pinned there": {claimOf("mon-a", pinned), []rook.Claim{claimOf("osd-9", lives)}, "osd-9"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "rook-ceph-"+c.want, rook.Holder(c.own, c.others).Name)
		})
	}
}

func TestAnAddressIsFreeForABirthUnlessAnotherHoldsIt(t *testing.T) {
	mon := rook.Daemon{Type: rook.Mon, ID: "d", Namespace: "rook-ceph"}
	require.Empty(t, rook.HolderAtBirth(mon, []rook.Claim{claimOf("mon-d", func(c *rook.Claim) { c.Exported = true })}))
	require.Equal(t, "rook-ceph/rook-ceph-mon-a",
		rook.HolderAtBirth(mon, []rook.Claim{claimOf("mon-a", func(c *rook.Claim) { c.Advertised = true })}))
}

func TestAnOSDFollowsItsExportToWhereNobodyStays(t *testing.T) {
	osd := rook.Daemon{Type: rook.OSD, ID: "3", Namespace: "rook-ceph"}
	own := claimOf("osd-3", func(c *rook.Claim) { c.Exported = true })
	for name, c := range map[string]struct {
		other rook.Claim
		held  bool
	}{
		"a mon that lives there stays":                    {claimOf("mon-a", func(c *rook.Claim) { c.Advertised = true }), true},
		"a mon that is pinned there stays":                {claimOf("mon-a", func(c *rook.Claim) { c.Exported, c.Pinned = true, true }), true},
		"an OSD that lives there by its export stays":     {claimOf("osd-4", func(c *rook.Claim) { c.Exported, c.Advertised = true, true }), true},
		"an OSD whose export says another one leaves":     {claimOf("osd-4", func(c *rook.Claim) { c.Advertised = true }), false},
		"an OSD that is yet to come does not stand there": {claimOf("osd-4", func(c *rook.Claim) { c.Exported = true }), false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.held, rook.HolderAtMove(osd, []rook.Claim{own, c.other}) != "")
		})
	}
}
