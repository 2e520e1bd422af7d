package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// The families of addresses as Linux numbers them, which is how Ceph sends them: entity_addr_t in src/msg/msg_types.h.
const (
	familyNone = 0
	familyIPv4 = 2
	familyIPv6 = 10
)

// Sizes in bytes. legacySize is that of struct ceph_entity_addr of src/include/msgr.h: type, nonce and a sockaddr_storage.
const (
	legacySize     = 4 + 4 + 128
	sockaddrSize   = 16
	sockaddrSizeV6 = 28
)

// typeMsgr2 is entity_addr_t::TYPE_MSGR2.
const typeMsgr2 = 2

var errShort = errors.New("an address is cut off")

// decodeLegacyAddress reads an entity_addr_t in the form that msgr v1 has: a type, a nonce, and a sockaddr_storage whose
// family is in the order of the network. The address is not valid where the daemon knows none.
func decodeLegacyAddress(b [legacySize]byte) (netip.AddrPort, error) {
	return decodeSockaddr(binary.BigEndian.Uint16(b[8:]), b[10:])
}

// decodeAddress reads an entity_addr_t in the form that has been sent since Nautilus (feature MSG_ADDR2): a marker, a
// version with its length, type, nonce, and a sockaddr of a length of its own whose family is little-endian.
func decodeAddress(b []byte) (netip.AddrPort, error) {
	const marker, header, fixed = 1, 1 + 1 + 1 + 4, 4 + 4 + 4
	if len(b) < header+fixed {
		return netip.AddrPort{}, errShort
	}
	if b[0] != marker {
		return netip.AddrPort{}, fmt.Errorf("an address begins with %d and not with its marker", b[0])
	}
	body := b[header:]
	if length := binary.LittleEndian.Uint32(b[3:]); uint64(length) > uint64(len(body)) || length < fixed {
		return netip.AddrPort{}, errShort
	}
	length := binary.LittleEndian.Uint32(body[8:])
	sockaddr := body[fixed:]
	if length == 0 {
		return netip.AddrPort{}, nil
	}
	if length < 2 || uint64(length) > uint64(len(sockaddr)) {
		return netip.AddrPort{}, errShort
	}
	return decodeSockaddr(binary.LittleEndian.Uint16(sockaddr), sockaddr[2:length])
}

// decodeSockaddr reads what follows the family in a sockaddr: the port, for IPv6 a flow, and the address.
func decodeSockaddr(family uint16, b []byte) (netip.AddrPort, error) {
	switch {
	case family == familyNone:
		return netip.AddrPort{}, nil
	case family == familyIPv4 && len(b) >= 6:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[2:6])), binary.BigEndian.Uint16(b)), nil
	case family == familyIPv6 && len(b) >= 22:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[6:22])).Unmap(), binary.BigEndian.Uint16(b)), nil
	case family == familyIPv4 || family == familyIPv6:
		return netip.AddrPort{}, errShort
	default:
		return netip.AddrPort{}, fmt.Errorf("an address is of family %d, neither IPv4 nor IPv6", family)
	}
}

// appendAddress writes an address as decodeAddress reads it.
func appendAddress(b []byte, address netip.AddrPort) []byte {
	size, family := uint32(sockaddrSize), uint16(familyIPv4)
	if address.Addr().Is6() {
		size, family = sockaddrSizeV6, familyIPv6
	}
	b = append(b, 1, 1, 1)
	b = binary.LittleEndian.AppendUint32(b, 4+4+4+size)
	b = binary.LittleEndian.AppendUint32(b, typeMsgr2)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, size)
	sockaddr := binary.LittleEndian.AppendUint16(nil, family)
	sockaddr = binary.BigEndian.AppendUint16(sockaddr, address.Port())
	if family == familyIPv6 {
		sockaddr = append(sockaddr, 0, 0, 0, 0)
	}
	sockaddr = append(sockaddr, address.Addr().AsSlice()...)
	return append(b, append(sockaddr, make([]byte, int(size)-len(sockaddr))...)...)
}
