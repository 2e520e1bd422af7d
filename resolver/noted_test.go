package resolver_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
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
	const known, moved = "242.0.255.253", "242.0.255.9"
	movedIP := strings.ReplaceAll(ingressIP, known, moved)
	for name, c := range map[string]struct {
		live   []client.Object
		source string
		denied map[string]reason.Code
	}{
		"what the cache says":             {append(clientObjects(t, ingressIP), carrying(known)), "GlobalIngressIP", map[string]reason.Code{known: "", moved: reason.SourcesDisagree}},
		"what the cache does not say yet": {append(clientObjects(t, movedIP), carrying(moved)), "GlobalIngressIP", map[string]reason.Code{known: reason.SourcesDisagree, moved: ""}},
		"what the network does not carry": {append(clientObjects(t, ingressIP), carrying(moved)), "GlobalIngressIP", map[string]reason.Code{known: reason.GlobalIPNotAllocated}},
		"what it has just left":           {append(clientObjects(t, movedIP), carrying(known)), "GlobalIngressIP", map[string]reason.Code{known: reason.SourcesDisagree, moved: reason.GlobalIPNotAllocated}},
		"what no object tells any more":   {nil, "GlobalIngressIP", map[string]reason.Code{known: reason.NoAnswer}},
		"what no object has ever told":    {nil, "DNS", map[string]reason.Code{known: ""}},
		"what the list alone has told":    {nil, "mon endpoints", map[string]reason.Code{known: ""}},
	} {
		t.Run(name, func(t *testing.T) {
			r := world{objects: objects(t, submarinerA, ingressIP), live: c.live}.resolver(t)
			req := monA()
			req.ForLife, req.Latest, req.Source = true, true, c.source
			for ip, want := range c.denied {
				require.Equal(t, want, codeOf(r.Doubts(t.Context(), req, netip.MustParseAddr(ip), false, false)), ip)
			}
			require.Nil(t, r.Doubts(t.Context(), req, netip.MustParseAddr(known), true, false), "where it has lived the sources are not asked")
			req.Latest = false
			require.Nil(t, r.Doubts(t.Context(), req, netip.MustParseAddr(known), false, false), "the cache has it still")
		})
	}
}

func TestWhatGlobalnetAllocatedIsReadFromTheAPIServerWhereThatIsAsked(t *testing.T) {
	movedIP := strings.ReplaceAll(ingressIP, "242.0.255.253", "242.0.255.9")
	r := world{objects: objects(t, submarinerA, ingressIP), live: clientObjects(t, movedIP)}.resolver(t)
	for latest, want := range map[bool]string{false: "242.0.255.253", true: "242.0.255.9"} {
		req := monA()
		req.Latest = latest
		ip, err := r.Allocated(t.Context(), req)
		require.NoError(t, err)
		require.Equal(t, want, ip.String())
	}
}

// Neither a plain ServiceImport nor DNS vouches for an address where the range is not known, nor for one of a Service here.
func TestWhatAPlainSourceCouldNotHaveToldIsNotAdvertisedForAnAnnotationThatSaysSo(t *testing.T) {
	const public = "8.8.8.8"
	told := strings.ReplaceAll(serviceImport, "242.0.255.253", public)
	wide := resolver.Options{GlobalCIDRs: ranges("0.0.0.0/1")}
	service := serviceAt(public)
	for name, c := range map[string]struct {
		objects []string
		live    []client.Object
		options resolver.Options
		source  string
		denied  reason.Code
	}{
		"said to be of DNS, where the range is not known":        {objects: []string{propertyA}, source: "DNS", denied: reason.GlobalCIDRUnknown},
		"said to be of a source that there is not":               {objects: []string{propertyA}, source: "me", denied: reason.GlobalCIDRUnknown},
		"of a ServiceImport, where the range is not known":       {objects: []string{propertyA, told}, source: "ServiceImport", denied: reason.GlobalCIDRUnknown},
		"said to be of DNS, and that of a Service":               {objects: []string{propertyA}, live: []client.Object{service}, options: wide, source: "DNS", denied: reason.ServiceAddress},
		"of a ServiceImport, and that of a Service":              {objects: []string{propertyA, told}, live: []client.Object{service}, options: wide, source: "ServiceImport", denied: reason.ServiceAddress},
		"of DNS, in a range that is known, and of no Service":    {objects: []string{propertyA}, options: wide, source: "DNS"},
		"of a ServiceImport, in a known range and of no Service": {objects: []string{propertyA, told}, options: wide, source: "ServiceImport"},
	} {
		t.Run(name, func(t *testing.T) {
			live := append(clientObjects(t, c.objects...), c.live...)
			r := world{objects: objects(t, c.objects...), live: live, options: c.options}.resolver(t)
			req := monA()
			req.ForLife, req.Latest, req.Source = true, true, c.source
			require.Equal(t, c.denied, codeOf(r.Doubts(t.Context(), req, netip.MustParseAddr(public), false, false)))
		})
	}
}

func TestWhatASourceSaysFillsNoMessageWhateverItsLength(t *testing.T) {
	absurd := strings.Repeat("x", 1<<20)
	for code, long := range map[reason.Code]string{
		reason.MalformedAddress:     status(ingressIP, `{allocatedIP: "`+absurd+`"}`),
		reason.GlobalIPNotAllocated: status(ingressIP, `{conditions: [{type: Allocated, status: "False", message: "`+absurd+`"}]}`),
	} {
		r := world{objects: objects(t, submarinerA, ingressIP), live: clientObjects(t, long)}.resolver(t)
		req := monA()
		req.ForLife, req.Latest, req.Source = true, true, "GlobalIngressIP"
		refusal := r.Doubts(t.Context(), req, netip.MustParseAddr("242.0.255.253"), false, false)
		require.Equal(t, code, codeOf(refusal))
		require.Less(t, len(refusal.Detail), 2000)
	}
}

func clientObjects(t *testing.T, documents ...string) []client.Object {
	t.Helper()
	var all []client.Object
	for _, o := range objects(t, documents...) {
		all = append(all, o)
	}
	return all
}

func codeOf(refusal *reason.Error) reason.Code {
	if refusal == nil {
		return ""
	}
	return refusal.Code
}
