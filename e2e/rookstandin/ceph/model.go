// Package ceph stands in for a Ceph cluster without running a container: a model tells which address each mon advertises, who is
// in quorum and who answers to whom, the Deployments that are stored are its daemons, and a kubelet is played for their pods.
//
// What an operator asks of Ceph stands here too, as an interface, so that a real Ceph can be asked instead.
package ceph

import (
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ErrNoAnswer is what a Ceph command ends with when no mon in quorum answers to any address that was dialled.
var ErrNoAnswer = errors.New("timed out: no mon in quorum answers to an address that was dialled")

// Cluster is a model of a Ceph cluster: which address each mon advertises, who is in quorum, and who answers to whom.
// Its rules were measured on Ceph 18.2.7 and 20.2.4:
//   - A mon takes its address at its first start, when ceph-mon --mkfs writes the first monmap into its store: the
//     --public-addr of init-mon-fs, if mon_host of that moment tells it too. If mon_host does not, the mon never gets
//     a rank. The --public-addr of the daemon itself changes nothing: the monmap wins over it.
//   - The mon keeps that address as long as its store lives.
//   - A daemon answers only to exactly the address that it advertises.
//   - A later mon finds the others through mon_host alone. One that Rook has not saved yet, so that mon_initial_members does
//     not name it, joins them at its --public-addr: so releases before v1.20.5 fail over.
type Cluster struct {
	mu     sync.Mutex
	mons   map[string]*monDaemon
	monmap map[string]netip.Addr
	down   map[string]bool
	osds   map[string]*osdDaemon
	// complaints are health checks that a story adds.
	complaints []string
	// stored reads the Deployments of the namespace; a cluster that nobody asks for its health has none.
	stored    client.Reader
	namespace string
}

type monDaemon struct {
	// MonStart is that of the last start.
	MonStart
	// address is the advertised one; it is not valid for a mon without a rank.
	address netip.Addr
	running bool
}

type osdDaemon struct {
	public  netip.Addr
	monHost []netip.Addr
}

// MonStart is what a mon is started with.
type MonStart struct {
	ID string
	// MkfsAddr is the --public-addr of init-mon-fs; that of the daemon itself changes nothing.
	MkfsAddr netip.Addr
	// MonHost are the addresses in mon_host at that moment, InitialMembers the names in mon_initial_members.
	MonHost        []netip.Addr
	InitialMembers []string
}

// Quorum is what a mon answers to quorum_status.
type Quorum struct {
	// Monmap holds the address of each mon of the cluster.
	Monmap map[string]netip.Addr
	// Members are those in quorum, sorted.
	Members []string
}

// In says whether the mon is in quorum.
func (q Quorum) In(id string) bool { return slices.Contains(q.Members, id) }

// New returns a cluster that has not been born yet.
func New() *Cluster {
	return &Cluster{mons: map[string]*monDaemon{}, down: map[string]bool{}, osds: map[string]*osdDaemon{}}
}

// StartMon starts the mon, for the first time or again.
func (c *Cluster) StartMon(s MonStart) {
	c.change(func() {
		m, ok := c.mons[s.ID]
		if !ok {
			m = &monDaemon{}
			joins := len(c.monmap) > 0 && !slices.Contains(s.InitialMembers, s.ID)
			if joins || slices.Contains(s.MonHost, s.MkfsAddr) {
				m.address = s.MkfsAddr
			}
			c.mons[s.ID] = m
		}
		m.running, m.MonStart = true, s
	})
}

// change does it, and lets the mons that live find each other.
func (c *Cluster) change(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
	c.settle()
}

// StopMon stops the mon; its store lives on.
func (c *Cluster) StopMon(id string) {
	c.change(func() {
		if m, ok := c.mons[id]; ok {
			m.running = false
		}
	})
}

// DeleteMon stops the mon and deletes its store.
func (c *Cluster) DeleteMon(id string) { c.change(func() { delete(c.mons, id) }) }

// Kill makes the mon fail, whatever its Deployment says, until Revive.
func (c *Cluster) Kill(id string) { c.change(func() { c.down[id] = true }) }

// Revive takes Kill back.
func (c *Cluster) Revive(id string) { c.change(func() { delete(c.down, id) }) }

// Advertised returns the address that the mon advertises; false if there is no such mon or it has no rank.
func (c *Cluster) Advertised(id string) (netip.Addr, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := c.mons[id]; ok {
		return m.address, m.address.IsValid()
	}
	return netip.Addr{}, false
}

// Has says whether there is such a mon. One that was removed is none, though Rook deletes its Deployment a moment later.
func (c *Cluster) Has(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, has := c.mons[id]
	return has
}

// QuorumAt dials the addresses and returns what the first mon in quorum among them answers.
func (c *Cluster) QuorumAt(dial ...netip.Addr) (Quorum, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	members := c.quorum()
	if !slices.ContainsFunc(members, func(id string) bool { return slices.Contains(dial, c.monmap[id]) }) {
		return Quorum{}, ErrNoAnswer
	}
	return Quorum{Monmap: maps.Clone(c.monmap), Members: members}, nil
}

// StartOSD starts the OSD with the address that it advertises to clients.
func (c *Cluster) StartOSD(id string, public netip.Addr, monHost []netip.Addr) {
	c.change(func() { c.osds[id] = &osdDaemon{public: public, monHost: monHost} })
}

// StopOSD stops the OSD.
func (c *Cluster) StopOSD(id string) { c.change(func() { delete(c.osds, id) }) }

// OSDMap returns the public address of each OSD that is up: that is, that reaches a mon in quorum.
func (c *Cluster) OSDMap() map[string]netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	up := map[string]netip.Addr{}
	members := c.quorum()
	for id, osd := range c.osds {
		if slices.ContainsFunc(members, func(mon string) bool { return slices.Contains(osd.monHost, c.monmap[mon]) }) {
			up[id] = osd.public
		}
	}
	return up
}

func (c *Cluster) alive(id string) bool {
	m, ok := c.mons[id]
	return ok && m.running && m.address.IsValid() && !c.down[id]
}

// quorum returns the mons of the monmap that live, if they are more than half of it.
func (c *Cluster) quorum() []string {
	members := slices.DeleteFunc(slices.Sorted(maps.Keys(c.monmap)), func(id string) bool { return !c.alive(id) })
	if 2*len(members) <= len(c.monmap) {
		return nil
	}
	return members
}

// settle lets the mons that live find each other until nothing changes any more.
func (c *Cluster) settle() {
	if len(c.monmap) == 0 && !c.bear() {
		return
	}
	for joined := true; joined; {
		joined = false
		members := c.quorum()
		for id, m := range c.mons {
			if _, known := c.monmap[id]; known || !c.alive(id) {
				continue
			}
			if slices.ContainsFunc(members, func(other string) bool { return slices.Contains(m.MonHost, c.monmap[other]) }) {
				c.monmap[id] = m.address
				joined = true
				break
			}
		}
	}
}

// bear makes the first monmap once more than half of the initial members live.
func (c *Cluster) bear() bool {
	for id, m := range c.mons {
		if !c.alive(id) || !slices.Contains(m.InitialMembers, id) {
			continue
		}
		born := map[string]netip.Addr{}
		for _, member := range m.InitialMembers {
			if c.alive(member) && slices.Contains(m.MonHost, c.mons[member].address) {
				born[member] = c.mons[member].address
			}
		}
		if 2*len(born) > len(m.InitialMembers) {
			c.monmap = born
			return true
		}
	}
	return false
}
