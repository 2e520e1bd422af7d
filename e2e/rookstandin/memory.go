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
	// conf holds the addresses in the operator's own ceph.conf, which its commands dial. It is written from memory, and
	// from the ConfigMap when a reconcile begins.
	conf []netip.AddrPort
}

// nodeInfo is the place of a mon, under the names that Rook's ConfigMap has for it.
type nodeInfo struct {
	Name     string `json:"Name"`
	Hostname string `json:"Hostname"`
	Address  string `json:"Address"`
	Zone     string `json:"zone,omitempty"`
}

func newMemory() *memory {
	return &memory{maxMonID: -1, mons: shapes.Mons{}, mapping: map[string]*nodeInfo{}}
}

// readMemory returns what the ConfigMap says. No ConfigMap is an empty one.
func readMemory(cm *corev1.ConfigMap) (*memory, error) {
	fresh := newMemory()
	if cm != nil {
		for entry := range strings.SplitSeq(cm.Data[shapes.EndpointsKey], ",") {
			if strings.TrimSpace(entry) == "" {
				continue
			}
			id, text, _ := strings.Cut(strings.TrimSpace(entry), "=")
			endpoint, err := netip.ParseAddrPort(text)
			if err != nil {
				return nil, fmt.Errorf("read the endpoint of mon %q: %w", id, err)
			}
			fresh.mons[id] = shapes.Mon{Endpoint: endpoint, OutOfQuorum: slices.Contains(strings.Split(cm.Data[shapes.OutOfQuorumKey], ","), id)}
			fresh.maxMonID = max(fresh.maxMonID, shapes.MonIndex(id))
		}
		if stored, err := strconv.Atoi(cm.Data[shapes.MaxMonIDKey]); err == nil {
			fresh.maxMonID = max(fresh.maxMonID, stored)
		}
		var mapping struct {
			Node map[string]*nodeInfo `json:"node"`
		}
		if text := cm.Data[shapes.MappingKey]; text != "" {
			if err := json.Unmarshal([]byte(text), &mapping); err != nil {
				return nil, fmt.Errorf("read the mapping of the mons: %w", err)
			}
		}
		if mapping.Node != nil {
			fresh.mapping = mapping.Node
		}
	}
	return fresh, nil
}

// replace takes the place of everything in memory but ceph.conf.
func (m *memory) replace(fresh *memory) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mons, m.maxMonID, m.mapping = fresh.mons, fresh.maxMonID, fresh.mapping
}

// snapshot returns a copy of the mons.
func (m *memory) snapshot() shapes.Mons {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.mons)
}

func (m *memory) set(id string, info shapes.Mon) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mons[id] = info
}

func (m *memory) forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.mons, id)
	delete(m.mapping, id)
}

// endpoints returns what the memory would write into ceph.conf: a mon that is out of quorum is left out.
func (m *memory) endpoints() []netip.AddrPort {
	var all []netip.AddrPort
	known := m.snapshot()
	for _, id := range known.Sorted() {
		if !known[id].OutOfQuorum {
			all = append(all, known[id].Endpoint)
		}
	}
	return all
}

// writeConf writes ceph.conf from memory.
func (m *memory) writeConf() { m.setConf(m.endpoints()) }

func (m *memory) setConf(endpoints []netip.AddrPort) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.conf = endpoints
}

// dial returns the addresses that the operator dials.
func (m *memory) dial() []netip.AddrPort {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.conf)
}

func (m *memory) mappingJSON() (string, error) {
	text, err := json.Marshal(map[string]any{"node": m.mapping})
	return string(text), err
}
