package rook

import "strings"

// Type is the type of a Ceph daemon as Rook writes it in the label ceph_daemon_type.
type Type string

// The two types that rook-clusterset gives a global IP.
const (
	Mon Type = "mon"
	OSD Type = "osd"
)

// App returns what stands in the label AppLabel of what Rook makes of a daemon of the type.
func (t Type) App() string { return namePrefix + string(t) }

// mostOSDDigits bounds the number of an OSD, which is an int32 in Ceph: what is longer is nothing that Rook wrote.
const mostOSDDigits = 9

// KeepsAddressForLife says that a daemon of the type advertises until its end the address that it was born with. So one
// has an Identity, its global IP is pinned, and another address is drift rather than something to follow.
func (t Type) KeepsAddressForLife() bool { return t == Mon }

// ServiceIsOurs says that rook-clusterset makes the Service of a daemon of the type, and removes it, because Rook makes none.
func (t Type) ServiceIsOurs() bool { return t == OSD }

// StandsInList says that Rook lists the daemons of the type, with their addresses, in its mon endpoints.
func (t Type) StandsInList() bool { return t == Mon }

// isID says whether Rook gives such an ID to a daemon of the type: letters to a mon, a number to an OSD.
func (t Type) isID(id string) bool {
	switch t {
	case Mon:
		return consistsOf(id, 'a', 'z')
	case OSD:
		return consistsOf(id, '0', '9') && len(id) <= mostOSDDigits && (id == "0" || id[0] != '0')
	}
	return false
}

func consistsOf(s string, first, last rune) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < first || r > last })
}
