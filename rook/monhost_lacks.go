package rook

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Rook saves mon_host with its list, but writes the list once more for each mon that it has created. A mon that is given another
// address in between, and is born beside a mon_host that tells the one before, never gets a rank.

// newlyListed returns the entries of mons to be born, as they are stored by the write, that are stored elsewhere or not at all.
func (f EndpointsFacts) newlyListed(rows []row) []Endpoint {
	stored := Listed(f.Stored)
	var news []Endpoint
	for _, r := range rows {
		listed := r.written()
		if (r.standing == right || r.standing == unborn) && !f.hasLived(r.ID) && stored[r.ID] != listed {
			news = append(news, Endpoint{ID: r.ID, Addr: netip.AddrPortFrom(listed, r.Addr.Port())})
		}
	}
	return news
}

// NotYetIn returns the entries that the list has not.
func NotYetIn(endpoints *corev1.ConfigMap, entries []Endpoint) []Endpoint {
	listed := Listed(endpoints)
	return slices.DeleteFunc(slices.Clone(entries), func(e Endpoint) bool { return listed[e.ID] == e.Addr.Addr() })
}

// AfterListing returns what is known after the list was written with entries that are newly listed, given the list that is
// written: of the others it keeps what is still listed.
func (r Remembered) AfterListing(news []Endpoint, written *corev1.ConfigMap) Remembered {
	listed := Listed(written)
	lacking := slices.DeleteFunc(slices.Clone(r.MonHostLacks), func(e Endpoint) bool {
		return !listed[e.ID].IsValid() || slices.ContainsFunc(news, func(n Endpoint) bool { return n.ID == e.ID })
	})
	lacking = append(lacking, news...)
	slices.SortFunc(lacking, func(a, b Endpoint) int { return strings.Compare(a.ID, b.ID) })
	r.MonHostLacks = lacking
	return r
}

// AfterMonHost returns what is known after mon_host was written.
func (r Remembered) AfterMonHost(monHost string) Remembered {
	told := monHostAddresses(monHost)
	r.MonHostLacks = slices.DeleteFunc(slices.Clone(r.MonHostLacks), func(e Endpoint) bool { return slices.Contains(told, e.Addr.Addr()) })
	return r
}

// IsBehind says whether mon_host has not told yet where the list has the mon.
func (r Remembered) IsBehind(mon string) bool {
	return slices.ContainsFunc(r.MonHostLacks, func(e Endpoint) bool { return e.ID == mon })
}
