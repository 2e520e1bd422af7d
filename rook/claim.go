package rook

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// Claim is a daemon's claim to an address.
type Claim struct {
	Daemon types.NamespacedName
	// Exported says that its export has the address, and Pinned that a living mon was born with it.
	Exported, Pinned bool
	// Advertised says that the daemon lives at the address, whatever its export says by now.
	Advertised bool
	// Leaving says that its own sources give it another address by now.
	Leaving bool
}

// Holder settles which daemon gets an address that one is to have, on the leader and at admission alike: what a living
// daemon advertises is its own, first a mon, which cannot change. After that comes who has it already, before who is to
// have it anew. Of two that are alike it is the first by name. An address that its daemon is about to leave is free for one
// that can change in its turn: were it not, two OSDs whose addresses were swapped would wait for each other.
func Holder(own Claim, others []Claim) types.NamespacedName {
	// Who asks is to be born, unless it lives there: against a living one its pin says nothing.
	own.Pinned = own.Pinned && own.Advertised
	forLife := own.isForLife()
	holder, best := own, own.rank(forLife)
	sorted := slices.SortedFunc(slices.Values(others), func(a, b Claim) int { return strings.Compare(a.Daemon.String(), b.Daemon.String()) })
	for _, other := range sorted {
		rank := other.rank(forLife)
		if other.Daemon == own.Daemon || rank == 0 {
			continue
		}
		if rank > best || rank == best && other.Daemon.String() < holder.Daemon.String() {
			holder, best = other, rank
		}
	}
	return holder.Daemon
}

// The ranks of claims; zero is none.
const (
	exportedRank = 1 + iota
	advertisedRank
	forLifeRank
)

func (c Claim) rank(askedForLife bool) int {
	switch {
	case c.StaysForLife():
		return forLifeRank
	case c.Advertised && (askedForLife || !c.Leaving):
		return advertisedRank
	case c.Exported && !c.Leaving:
		return exportedRank
	}
	return 0
}

// StaysForLife says whether the daemon lives at the address and can never leave it.
func (c Claim) StaysForLife() bool { return c.Pinned || c.Advertised && c.isForLife() }

func (c Claim) isForLife() bool {
	kind, _, ok := ParseName(c.Daemon.Name)
	return ok && kind.KeepsAddressForLife()
}

// HolderAtBirth returns which other daemon holds the address that the export of one to be born has, or nothing.
func HolderAtBirth(daemon Daemon, claims []Claim) string {
	own := Claim{Daemon: types.NamespacedName{Namespace: daemon.Namespace, Name: daemon.Name()}, Exported: true}
	if holder := Holder(own, claims); holder != own.Daemon {
		return holder.String()
	}
	return ""
}

// HolderAtMove returns which other daemon keeps an OSD that lives elsewhere from following its export to the address, or
// nothing: one that has it for life, or that lives there by its own export. An OSD whose export says another address is about
// to leave, and two may have been given each other's.
func HolderAtMove(daemon Daemon, claims []Claim) string {
	own := types.NamespacedName{Namespace: daemon.Namespace, Name: daemon.Name()}
	for _, c := range claims {
		if c.Daemon != own && (c.StaysForLife() || c.Exported && c.Advertised) {
			return c.Daemon.String()
		}
	}
	return ""
}
