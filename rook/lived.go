package rook

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// HasHadDeployment says whether a mon of that ID ever had a Deployment, by the mon endpoints, which may be nil. Rook gives each
// new mon the next letter, and notes the highest one once it has created the Deployment; when it gives a new mon up, it takes
// the note back.
func HasHadDeployment(endpoints *corev1.ConfigMap, id string) bool {
	if endpoints == nil {
		return false
	}
	highest, err := strconv.Atoi(endpoints.Data[EndpointsMaxMonIDKey])
	index, ok := monIndex(id)
	return err == nil && ok && index <= highest
}

// monIndex returns the number of a mon: a to z, and then aa.
func monIndex(id string) (int, bool) {
	const longest = 6
	if !Mon.isID(id) || len(id) > longest {
		return 0, false
	}
	index := 0
	for _, letter := range id {
		index = index*26 + int(letter-'a') + 1
	}
	return index - 1, true
}

// SourceList is noted as the source of an address at which a mon has to have lived by its letter and the mon endpoints alone.
const SourceList = "mon endpoints"

// IsHearsay says that nothing but its letter and the list says that the mon lived at the address: a later letter can have been
// born first, and the export that was made while it was unborn be gone.
func (e Export) IsHearsay() bool { return e.Pinned && e.Source == SourceList }

// HasLived says whether the mon of this export has lived before, given that a mon of its letter had a Deployment or not. One
// that we saw unborn, and never deployed, has not: a later letter can have been born first.
func (e Export) HasLived(hadDeployment bool) bool {
	return e.Pinned || hadDeployment && e.Identity != IdentityClusterset
}
