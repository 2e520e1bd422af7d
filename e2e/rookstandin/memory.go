package rookstandin

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// memory is what the operator holds in memory between two full reconciles: it is loaded from the ConfigMap of the mon
// endpoints at the start of each, and nowhere else.
type memory struct {
	// These two are for whoever holds the orchestration.
	maxMonID int
	mapping  map[string]*nodeInfo

	mu   sync.Mutex
	mons shapes.Mons
	// conf holds what its commands reach the cluster by. The addresses are those of the operator's own ceph.conf, which is
	// written from memory, and from the ConfigMap when a reconcile begins.
	conf ceph.Access
}

// nodeInfo is the place of a mon, under the names that Rook's ConfigMap has for it.
type nodeInfo struct{ Name, Hostname, Address string }

func newMemory() *memory {
	return &memory{maxMonID: -1, mons: shapes.Mons{}, mapping: map[string]*nodeInfo{}}
}

// readMemory returns what the ConfigMap says.
func readMemory(cm *corev1.ConfigMap) (*memory, error) {
	fresh := newMemory()
	out := strings.Split(cm.Data[shapes.OutOfQuorumKey], ",")
	for entry := range strings.SplitSeq(cm.Data[shapes.EndpointsKey], ",") {
		id, text, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if id == "" {
			continue
		}
		endpoint, err := netip.ParseAddrPort(text)
		if err != nil {
			return nil, fmt.Errorf("read the endpoint of mon %q: %w", id, err)
		}
		fresh.mons[id] = shapes.Mon{Endpoint: endpoint, OutOfQuorum: slices.Contains(out, id)}
		fresh.maxMonID = max(fresh.maxMonID, shapes.MonIndex(id))
	}
	if stored, err := strconv.Atoi(cm.Data[shapes.MaxMonIDKey]); err == nil {
		fresh.maxMonID = max(fresh.maxMonID, stored)
	}
	if text := cm.Data[shapes.MappingKey]; text != "" {
		mapping := struct {
			Node *map[string]*nodeInfo `json:"node"`
		}{&fresh.mapping}
		if err := json.Unmarshal([]byte(text), &mapping); err != nil {
			return nil, fmt.Errorf("read the mapping of the mons: %w", err)
		}
	}
	return fresh, nil
}

// change does it while nobody reads.
func (m *memory) change(do func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do()
}

// snapshot returns a copy of the mons.
func (m *memory) snapshot() shapes.Mons {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.mons)
}

func (m *memory) set(id string, info shapes.Mon) {
	m.change(func() { m.mons[id] = info })
}

func (m *memory) forget(id string) {
	m.change(func() {
		delete(m.mons, id)
		delete(m.mapping, id)
	})
}

// writeConf writes ceph.conf from memory.
func (m *memory) writeConf() { m.change(func() { m.conf.Dial = m.mons.Dialled() }) }

// access returns how the operator reaches the cluster now.
func (m *memory) access() ceph.Access {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conf
}
