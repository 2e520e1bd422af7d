package probe

import (
	"fmt"
	"net/netip"
)

// bannerV1 is CEPH_BANNER of src/include/msgr.h.
const bannerV1 = "ceph v027"

// greetingSize is how many bytes a daemon sends first by msgr v1.
const greetingSize = len(bannerV1) + 2*legacySize

// Greeting is what a daemon says first by msgr v1: ProtocolV1::send_server_banner in src/msg/async/ProtocolV1.cc.
type Greeting struct {
	// Advertised is the address at which the daemon is known, and the only one for which it serves clients.
	Advertised netip.AddrPort
	// Seen is the address from which it sees us come.
	Seen netip.AddrPort
}

// DecodeGreeting reads the banner of msgr v1 and the two addresses behind it.
func DecodeGreeting(b []byte) (Greeting, error) {
	if len(b) < greetingSize || string(b[:len(bannerV1)]) != bannerV1 {
		return Greeting{}, fmt.Errorf("no banner of msgr v1 with two addresses in %d bytes", len(b))
	}
	b = b[len(bannerV1):]
	advertised, err := decodeLegacyAddress([legacySize]byte(b))
	if err != nil {
		return Greeting{}, fmt.Errorf("read what the daemon advertises: %w", err)
	}
	seen, err := decodeLegacyAddress([legacySize]byte(b[legacySize:]))
	if err != nil {
		return Greeting{}, fmt.Errorf("read from where the daemon sees us: %w", err)
	}
	return Greeting{Advertised: advertised, Seen: seen}, nil
}
