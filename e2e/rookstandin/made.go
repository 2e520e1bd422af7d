package rookstandin

import (
	"crypto/sha256"
	"fmt"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
)

// made holds what was worked out of Deployments, by what they are: Rook makes the same ones again in every reconcile, and to
// find out anew that nothing differs is most of what the stand-in costs.
type made[T any] struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]T
}

var (
	notesMade       made[string]
	comparisonsMade made[bool]
)

// mostMade bounds what is held.
const mostMade = 20000

// of returns what was worked out of the Deployments, or works it out.
func (m *made[T]) of(work func() (T, error), deployments ...*appsv1.Deployment) (T, error) {
	key, err := fingerprint(deployments)
	if err != nil {
		return work()
	}
	m.mu.Lock()
	result, ok := m.known[key]
	m.mu.Unlock()
	if ok {
		return result, nil
	}
	if result, err = work(); err != nil {
		return result, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= mostMade {
		m.known = map[[sha256.Size]byte]T{}
	}
	m.known[key] = result
	return result, nil
}

func fingerprint(deployments []*appsv1.Deployment) ([sha256.Size]byte, error) {
	var all []byte
	for _, d := range deployments {
		content, err := d.Marshal()
		if err != nil {
			return [sha256.Size]byte{}, fmt.Errorf("fingerprint Deployment %s: %w", d.Name, err)
		}
		all = append(all, content...)
	}
	return sha256.Sum256(all), nil
}
