package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
)

// bannerV2 is CEPH_BANNER_V2_PREFIX of src/include/msgr.h.
const bannerV2 = "ceph v2\n"

// revision1 is CEPH_MSGR2_FEATURE_REVISION_1 of src/include/msgr.h, the form of frames since Ceph 14.2.11. We speak no
// other, as the kernel's client does not.
const revision1 = 1

// Sizes in bytes: preamble_block_t and FRAME_CRC_SIZE of frames_v2.h.
const (
	preambleSize = 32
	crcSize      = 4
	// maxAnswer is more than any answer has to a client without a key.
	maxAnswer = 64 << 10
)

// Tag says what a frame is: enum class Tag of frames_v2.h.
type Tag uint8

// The tags of the frames that are sent and answered before a client has shown a key.
const (
	TagHello         Tag = 1
	TagAuthRequest   Tag = 2
	TagAuthBadMethod Tag = 3
)

// Features are those of msgr v2 that a banner names.
type Features struct {
	Supported, Required uint64
}

// banner returns the banner of msgr v2: ProtocolV2::_banner_exchange.
func banner(f Features) []byte {
	b := []byte(bannerV2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = binary.LittleEndian.AppendUint64(b, f.Supported)
	return binary.LittleEndian.AppendUint64(b, f.Required)
}

// DecodeFeatures reads what follows the prefix and the length in the banner of msgr v2; there may be more to come in a
// later Ceph. An error says that this daemon and we cannot talk.
func DecodeFeatures(b []byte) (Features, error) {
	if len(b) < 16 {
		return Features{}, fmt.Errorf("the banner of msgr v2 has %d bytes of features and not 16", len(b))
	}
	f := Features{Supported: binary.LittleEndian.Uint64(b), Required: binary.LittleEndian.Uint64(b[8:])}
	if f.Supported&revision1 == 0 {
		return f, errors.New("msgr 2.1 is not known there: Ceph is older than 14.2.11")
	}
	if f.Required&^revision1 != 0 {
		return f, fmt.Errorf("features of msgr v2 are required that are not known here: %#x", f.Required)
	}
	return f, nil
}

// Preamble is what a frame begins with.
type Preamble struct {
	Tag Tag
	// Length is that of the payload in bytes.
	Length uint32
}

// DecodePreamble reads a preamble. Frames before the authentication have one segment: ControlFrame of frames_v2.h.
func DecodePreamble(b []byte) (Preamble, error) {
	if len(b) < preambleSize {
		return Preamble{}, fmt.Errorf("a frame begins with %d bytes and not with %d", len(b), preambleSize)
	}
	if crc := binary.LittleEndian.Uint32(b[preambleSize-crcSize:]); crc != checksum(0, b[:preambleSize-crcSize]) {
		return Preamble{}, errors.New("the beginning of a frame has a wrong checksum")
	}
	if b[1] != 1 {
		return Preamble{}, fmt.Errorf("a frame has %d segments and not one", b[1])
	}
	p := Preamble{Tag: Tag(b[0]), Length: binary.LittleEndian.Uint32(b[2:])}
	if p.Length > maxAnswer {
		return Preamble{}, fmt.Errorf("a frame of %d bytes is no answer to a client without a key", p.Length)
	}
	return p, nil
}

// appendFrame writes a frame of one segment: FrameAssembler::asm_crc_rev1.
func appendFrame(b []byte, tag Tag, payload []byte) []byte {
	preamble := make([]byte, preambleSize)
	preamble[0], preamble[1] = byte(tag), 1
	binary.LittleEndian.PutUint32(preamble[2:], uint32(len(payload))) //nolint:gosec // The payloads are ours, and short.
	binary.LittleEndian.PutUint16(preamble[6:], 8)                    // segment_t::DEFAULT_ALIGNMENT
	binary.LittleEndian.PutUint32(preamble[preambleSize-crcSize:], checksum(0, preamble[:preambleSize-crcSize]))
	b = append(append(b, preamble...), payload...)
	return binary.LittleEndian.AppendUint32(b, checksum(^uint32(0), payload))
}

// DecodePayload checks and cuts off the checksum behind a payload.
func DecodePayload(b []byte) ([]byte, error) {
	if len(b) < crcSize {
		return nil, errors.New("a frame ends before its checksum")
	}
	payload, crc := b[:len(b)-crcSize], binary.LittleEndian.Uint32(b[len(b)-crcSize:])
	if crc != checksum(^uint32(0), payload) {
		return nil, errors.New("a frame has a wrong checksum")
	}
	return payload, nil
}

// checksum is ceph_crc32c: Castagnoli's, without the inversions at both ends that Go's has.
func checksum(seed uint32, b []byte) uint32 { return ^crc32.Update(^seed, castagnoli, b) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Hello is what both ends say by msgr v2 once the banners are exchanged: HelloFrame of frames_v2.h. It does not tell
// what a daemon advertises: that is in SERVER_IDENT, which only who has shown a key gets.
type Hello struct {
	Entity Entity
	// Seen is the address from which the other end sees us come.
	Seen netip.AddrPort
}

// DecodeHello reads the payload of a HELLO frame.
func DecodeHello(b []byte) (Hello, error) {
	if len(b) < 1 {
		return Hello{}, errors.New("a HELLO is empty")
	}
	seen, err := decodeAddress(b[1:])
	if err != nil {
		return Hello{}, fmt.Errorf("read a HELLO: %w", err)
	}
	return Hello{Entity: Entity(b[0]), Seen: seen}, nil
}

func appendHello(b []byte, h Hello) []byte {
	return appendFrame(b, TagHello, appendAddress([]byte{byte(h.Entity)}, h.Seen))
}

// appendAuthRequest writes an AUTH_REQUEST frame that no daemon can accept, with padding of so many bytes: of no method
// (CEPH_AUTH_UNKNOWN) and with no mode that would do. A daemon reads it to its end before it answers AUTH_BAD_METHOD and
// waits for the next: ProtocolV2::handle_auth_request and _auth_bad_method.
func appendAuthRequest(b []byte, padding int) []byte {
	const method, modes = 0, 0
	payload := binary.LittleEndian.AppendUint32(nil, method)
	payload = binary.LittleEndian.AppendUint32(payload, modes)
	payload = binary.LittleEndian.AppendUint32(payload, uint32(padding)) //nolint:gosec // The padding is ours, and short.
	return appendFrame(b, TagAuthRequest, append(payload, make([]byte, padding)...))
}
