package resolver_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

// An annotation that was set by hand is advertised no more than an answer that no guard lets pass.
func TestWhatIsNotedIsAdvertisedOnlyIfNoGuardAndNoSourceIsAgainstIt(t *testing.T) {
	told := world{objects: objects(t, submarinerA, ingressIP)}
	silent := world{objects: objects(t, submarinerA)}
	unreadable := world{objects: objects(t, submarinerA), fault: map[string]error{"SubmarinerList": errFlaky}}
	for name, c := range map[string]struct {
		world        world
		ip           string
		toBeBorneOut bool
		refused      reason.Code
		denied       reason.Code
	}{
		"what the source says":                               {world: told, ip: "242.0.255.253"},
		"what the source says of one that has to":            {world: told, ip: "242.0.255.253", toBeBorneOut: true},
		"another address of the range":                       {world: told, ip: "242.0.255.9", denied: reason.SourcesDisagree},
		"an address outside the range":                       {world: told, ip: "203.0.113.66", refused: reason.OutsideGlobalCIDR, denied: reason.OutsideGlobalCIDR},
		"loopback":                                           {world: told, ip: "127.0.0.1", refused: reason.Unroutable, denied: reason.Unroutable},
		"the Service's own ClusterIP":                        {world: told, ip: "10.96.7.1", refused: reason.IsClusterIP, denied: reason.IsClusterIP},
		"where no source has an answer":                      {world: silent, ip: "242.0.255.9"},
		"where one has to answer and none does":              {world: silent, ip: "242.0.255.9", toBeBorneOut: true, denied: reason.NoAnswer},
		"where the range cannot be read nothing is believed": {world: unreadable, ip: "242.0.255.253", refused: reason.SourceUnreadable, denied: reason.SourceUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			r, ip := c.world.resolver(t), netip.MustParseAddr(c.ip)
			require.Equal(t, c.refused, codeOf(r.Refuses(t.Context(), monA(), ip)))
			require.Equal(t, c.denied, codeOf(r.Denies(t.Context(), monA(), ip, c.toBeBorneOut)))
			require.Equal(t, c.refused, codeOf(r.Doubts(t.Context(), monA(), ip, true, c.toBeBorneOut)), "where it has lived the sources are not asked")
			require.Equal(t, c.denied, codeOf(r.Doubts(t.Context(), monA(), ip, false, c.toBeBorneOut)))
		})
	}
}

// A cache can be seconds behind, and a mon has one chance.
func TestBeforeABirthTheSourcesAreAskedAtTheAPIServerItself(t *testing.T) {
	known, moved := netip.MustParseAddr("242.0.255.253"), netip.MustParseAddr("242.0.255.9")
	behind := world{objects: objects(t, submarinerA, ingressIP)}
	for _, o := range objects(t, strings.ReplaceAll(ingressIP, known.String(), moved.String())) {
		behind.live = append(behind.live, o)
	}
	r, req := behind.resolver(t), monA()
	require.Nil(t, r.Doubts(t.Context(), req, known, false, false), "so the cache says still")
	req.Latest = true
	require.Equal(t, reason.SourcesDisagree, codeOf(r.Doubts(t.Context(), req, known, false, false)))
	require.Nil(t, r.Doubts(t.Context(), req, moved, false, false))
}

func codeOf(refusal *reason.Error) reason.Code {
	if refusal == nil {
		return ""
	}
	return refusal.Code
}
