package rook

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Replacements has the true address for each address that Rook may write instead.
type Replacements map[netip.Addr]netip.Addr

// ReplacementsFor returns the replacements for what Rook writes: for what it remembers wrongly, and for the ClusterIPs that the
// mons have now. The former matters where a Service was re-created with another ClusterIP than Rook remembers; the latter is
// the surer knowledge where they differ. What was stored instead stands in the mon endpoints, which may be nil, and is enough:
// what a cache has of a mon to be born can be behind it.
func ReplacementsFor(mons map[string]DaemonFacts, endpoints *corev1.ConfigMap, remembered []Endpoint) Replacements {
	stored := storedInstead(endpoints, remembered)
	truths := truths(mons)
	truthOf := func(id string) (netip.Addr, bool) {
		m := mons[id]
		if instead, corrected := stored[id]; corrected && (!m.Deployed && m.Export.Identity != IdentityCluster || m.untold()) {
			truths[instead] = true
			return instead, true
		}
		return m.Truth()
	}
	r := Replacements{}
	current := map[netip.Addr]bool{}
	for id, m := range mons {
		for _, ip := range m.ClusterIPs {
			current[ip] = true
		}
		if truth, known := truthOf(id); known && !slices.Contains(m.ClusterIPs, truth) {
			for _, ip := range m.ClusterIPs {
				r[ip] = truth
			}
		}
	}
	for _, e := range remembered {
		truth, known := truthOf(e.ID)
		if known && !current[e.Addr.Addr()] {
			r[e.Addr.Addr()] = truth
		}
		if known && truth != e.Addr.Addr() {
			// Rook does not know it, so that where it writes this address it means another mon.
			delete(truths, truth)
		}
	}
	return r.without(truths)
}

// storedInstead returns by ID what is stored for the mons that Rook remembers elsewhere.
func storedInstead(endpoints *corev1.ConfigMap, remembered []Endpoint) map[string]netip.Addr {
	listed := Listed(endpoints)
	stored := map[string]netip.Addr{}
	for _, e := range remembered {
		if instead := listed[e.ID]; instead.IsValid() && instead != e.Addr.Addr() {
			stored[e.ID] = instead
		}
	}
	return stored
}

// without drops the replacements of addresses that are true: right is what Rook writes there.
func (r Replacements) without(addresses map[netip.Addr]bool) Replacements {
	maps.DeleteFunc(r, func(old, _ netip.Addr) bool { return addresses[old] })
	return r
}

// replace returns the text with its address replaced: an address, or an address and a port, after an optional version of
// Ceph's protocol (v1:, v2: or any:) and before an optional nonce (/0). It says no where there is nothing to replace.
func (r Replacements) replace(text string) (string, bool) { return lookup(r.of).replace(text) }

func (r Replacements) of(address netip.Addr) (netip.Addr, bool) {
	truth, ok := r[address]
	return truth, ok
}

// lookup returns what an address is replaced by, and whether it is.
type lookup func(netip.Addr) (netip.Addr, bool)

func (l lookup) replace(text string) (string, bool) {
	rest, nonce := text, ""
	if i := strings.IndexByte(text, '/'); i >= 0 {
		rest, nonce = text[:i], text[i:]
	}
	protocol := ""
	for _, p := range []string{"v1:", "v2:", "any:"} {
		if after, ok := strings.CutPrefix(rest, p); ok {
			protocol, rest = p, after
			break
		}
	}
	if endpoint, err := netip.ParseAddrPort(rest); err == nil {
		truth, ok := l(endpoint.Addr().Unmap())
		if !ok {
			return text, false
		}
		return protocol + netip.AddrPortFrom(truth, endpoint.Port()).String() + nonce, true
	}
	unbracketed, bracketed := strings.CutPrefix(rest, "[")
	if bracketed {
		if unbracketed, bracketed = strings.CutSuffix(unbracketed, "]"); !bracketed {
			return text, false
		}
	}
	addr, err := netip.ParseAddr(unbracketed)
	if err != nil || bracketed && addr.Is4() {
		return text, false
	}
	truth, ok := l(addr.Unmap())
	if !ok {
		return text, false
	}
	if bracketed && truth.Is6() {
		return protocol + "[" + truth.String() + "]" + nonce, true
	}
	return protocol + truth.String() + nonce, true
}
