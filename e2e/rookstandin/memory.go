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
)

// memory is what the operator holds in memory between two full reconciles: it is loaded from the ConfigMap of the mon
// endpoints at the start of each, and nowhere else.
type memory struct {
	mu       sync.Mutex
	mons     map[string]monInfo
	maxMonID int
	mapping  map[string]*nodeInfo
	// conf holds the addresses in the operator's own ceph.conf, which its commands dial. It is written from memory, and
	// from the ConfigMap when a reconcile begins.
	conf []netip.AddrPort
}

type monInfo struct {
	endpoint    netip.AddrPort
	outOfQuorum bool
}

// nodeInfo is the place of a mon, under the names that Rook's ConfigMap has for it.
type nodeInfo struct {
	Name     string `json:"Name"`
	Hostname string `json:"Hostname"`
	Address  string `json:"Address"`
	Zone     string `json:"zone,omitempty"`
}

func newMemory() *memory {
	return &memory{maxMonID: -1, mons: map[string]monInfo{}, mapping: map[string]*nodeInfo{}}
}

// readMemory returns what the ConfigMap says. No ConfigMap is an empty one.
func readMemory(cm *corev1.ConfigMap) (*memory, error) {
	fresh := newMemory()
	if cm != nil {
		for entry := range strings.SplitSeq(cm.Data[dataKey], ",") {
			if strings.TrimSpace(entry) == "" {
				continue
			}
			id, text, _ := strings.Cut(strings.TrimSpace(entry), "=")
			endpoint, err := netip.ParseAddrPort(text)
			if err != nil {
				return nil, fmt.Errorf("read the endpoint of mon %q: %w", id, err)
			}
			fresh.mons[id] = monInfo{endpoint: endpoint, outOfQuorum: slices.Contains(strings.Split(cm.Data[outOfQuorumKey], ","), id)}
			fresh.maxMonID = max(fresh.maxMonID, monIndex(id))
		}
		if stored, err := strconv.Atoi(cm.Data[maxMonIDKey]); err == nil {
			fresh.maxMonID = max(fresh.maxMonID, stored)
		}
		var mapping struct {
			Node map[string]*nodeInfo `json:"node"`
		}
		if text := cm.Data[mappingKey]; text != "" {
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
func (m *memory) snapshot() map[string]monInfo {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.mons)
}

func (m *memory) set(id string, info monInfo) {
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
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if !known[id].outOfQuorum {
			all = append(all, known[id].endpoint)
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

func (m *memory) place(id string) (*nodeInfo, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, ok := m.mapping[id]
	return node, ok
}

func (m *memory) assign(id string, node *nodeInfo) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mapping[id] = node
}

func (m *memory) mappingJSON() (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text, err := json.Marshal(map[string]any{"node": m.mapping})
	return string(text), err
}

func (m *memory) highest() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.maxMonID
}

func (m *memory) setHighest(id int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.maxMonID = id
}
