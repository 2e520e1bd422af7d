package rook

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// standing is how an entry of Rook's list stands to what is known of its mon: the first row of this table that holds.
//
//	standing  | the mon                                      | Rook reaches it | its entry    | can be a birth
//	----------+----------------------------------------------+-----------------+--------------+---------------
//	external  | runs outside of Kubernetes                   | yes             | stays        | no
//	malformed | has an ID that Rook gives to no mon          | yes             | stays        | no
//	leftAlone | keeps its ClusterIP, or is deployed at an    | yes             | stays        | no
//	          | address that cannot be read                  |                 |              |
//	right     | answers there, or will                       | yes             | stays        | no
//	wrong     | has lived, and answers elsewhere             | no              | is corrected | no
//	lived     | has lived, and nothing else is known         | yes             | stays        | no
//	unborn    | is not deployed, and will answer elsewhere   | no              | is corrected | yes
//	awaited   | is not deployed, and has no address yet, or  | no              | stays        | yes
//	          | one that another entry has                   |                 |              |
//
// A mon has lived that is deployed, or was by its pin or by its letter (see Export.HasLived): of the latter the list knows best.
//
// What can be a birth is one if it is news (see births). The write as a whole is then the first of these that holds:
//
//	a birth is awaited                             = hold it, and refuse it when the waiting is over
//	there is a birth, and Rook reaches no mon      = store it corrected, and refuse it
//	an entry, or the config of CSI, is corrected   = let it through corrected
//	                                               = let it through as it is
//
// An entry that is not understood has no standing. It stays, and is reported, as one that is malformed.
type standing int

const (
	external standing = iota
	malformed
	leftAlone
	right
	wrong
	lived
	unborn
	awaited
)

func (s standing) isReached() bool {
	return s == external || s == malformed || s == leftAlone || s == right || s == lived
}

func (s standing) isCorrected() bool { return s == wrong || s == unborn }

func (s standing) canBeBirth() bool { return s == unborn || s == awaited }

// row is an entry of the list in the table. The truth of one whose address is awaited, or Rook's to choose, is invalid.
type row struct {
	Endpoint
	standing standing
	truth    netip.Addr
	// sameAs is the mon that has the address of this one in the list.
	sameAs string
}

// written is the address of the entry once it is put right.
func (r row) written() netip.Addr {
	if r.standing.isCorrected() {
		return r.truth
	}
	return r.Addr.Addr()
}

// table returns the entries of the written list, in its order.
func (f EndpointsFacts) table() []row {
	endpoints, _ := ParseEndpoints(f.New.Data[EndpointsDataKey])
	rows := make([]row, len(endpoints))
	for i, e := range endpoints {
		truth, _ := f.truthOf(e.ID)
		rows[i] = row{Endpoint: e, standing: f.standingOf(e), truth: truth}
	}
	// One that waits keeps its entry, so that others are looked at again.
	for again := true; again; {
		again = oneIsListedTwice(rows)
	}
	return rows
}

// oneIsListedTwice has a mon to be born wait whose address another entry has when all are put right, and says whether there
// was one: the other one's is stale, if it is unborn too, and changes with its own.
func oneIsListedTwice(rows []row) bool {
	for i := range rows {
		if rows[i].standing != unborn {
			continue
		}
		for j, other := range rows {
			if j != i && other.written() == rows[i].truth && (other.standing != unborn || j < i) {
				rows[i].standing, rows[i].sameAs = awaited, other.ID
				return true
			}
		}
	}
	return false
}

// truthOf returns where a mon answers, or will.
func (f EndpointsFacts) truthOf(id string) (netip.Addr, bool) {
	if m := f.Mons[id]; !m.untold() {
		return m.Truth()
	}
	stored := Listed(f.Stored)[id]
	return stored, stored.IsValid()
}

func (f EndpointsFacts) hasLived(id string) bool {
	m := f.Mons[id]
	return m.Deployed || m.Export.HasLived(HasHadDeployment(f.New, id))
}

func (f EndpointsFacts) standingOf(e Endpoint) standing {
	m := f.Mons[e.ID]
	truth, known := f.truthOf(e.ID)
	hasLived := f.hasLived(e.ID)
	switch {
	case f.isExternal(e.ID):
		return external
	case !Mon.isID(e.ID):
		return malformed
	case !known && m.leftAlone():
		return leftAlone
	case known && truth == e.Addr.Addr():
		return right
	case known && hasLived:
		return wrong
	case hasLived:
		return lived
	case known:
		return unborn
	}
	return awaited
}

// mostUnsure is more mons than Rook lists: of each the API server is asked.
const mostUnsure = 16

// Unsure returns the listed mons, by ID, of which what a cache has is not enough: their letter says that they had a
// Deployment, and here they have none, or nothing is known of an address that somebody other than Rook wrote. What we store
// ourselves is such a write, which rests on the API server already, and must not wait for the cache of another replica.
func (f EndpointsFacts) Unsure() []string {
	endpoints, _ := ParseEndpoints(f.New.Data[EndpointsDataKey])
	var unsure []string
	for _, e := range endpoints {
		if len(unsure) < mostUnsure && f.isUnsure(e.ID) && !slices.Contains(unsure, e.ID) {
			unsure = append(unsure, e.ID)
		}
	}
	return unsure
}

func (f EndpointsFacts) isUnsure(id string) bool {
	switch m := f.Mons[id]; {
	case m.Deployed || f.isExternal(id):
		return false
	case HasHadDeployment(f.New, id):
		return true
	default:
		_, known := f.truthOf(id)
		return f.ByHand && !known && Mon.isID(id)
	}
}

// isExternal says whether a mon has no Deployment, ever.
func (f EndpointsFacts) isExternal(id string) bool { return IsExternal(f.New, id) }

// IsExternal says whether the mon endpoints, which may be nil, list the mon as one that runs outside of Kubernetes
// (rook >= v1.17).
func IsExternal(endpoints *corev1.ConfigMap, id string) bool {
	if endpoints == nil || isAbsurdList(endpoints.Data[EndpointsExternalMons]) {
		return false
	}
	return strings.Contains(","+endpoints.Data[EndpointsExternalMons]+",", ","+id+",")
}

// CanBeDaemon says whether the listed mon is one that Rook runs: no external one, and of an ID that Rook gives.
func CanBeDaemon(endpoints *corev1.ConfigMap, id string) bool {
	return Mon.isID(id) && !IsExternal(endpoints, id)
}

// waitsInVain says that the mon has the address by now at which another is listed that has no Service: Rook makes that, by which
// it is given another, only after this write.
func (f EndpointsFacts) waitsInVain(r row) bool {
	return r.sameAs != "" && len(f.Mons[r.sameAs].ClusterIPs) == 0
}

// births returns the mons that this write brings in, without a Deployment yet, at an address that will not be theirs.
// What is stored already is no news, for Rook repeats it when it only updates another key; unless the Service of the mon
// was made anew since, and Rook would know no mon rightly and wait for this one in vain.
func (f EndpointsFacts) births(rows []row, reached bool) []row {
	var stored []Endpoint
	if f.Stored != nil {
		stored, _ = ParseEndpoints(f.Stored.Data[EndpointsDataKey])
	}
	var births []row
	for _, r := range rows {
		news := !slices.Contains(stored, r.Endpoint) || !reached && f.Mons[r.ID].exported() && !f.waitsInVain(r)
		if r.standing.canBeBirth() && news {
			births = append(births, r)
		}
	}
	return births
}
