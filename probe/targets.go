package probe

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// The ports at which a daemon listens: those of mons in src/include/msgr.h, those of OSDs as Rook's pods have them.
const (
	portMonV2 = 3300
	portMonV1 = 6789
	portOSDV2 = 6800
	portOSDV1 = 6801
)

// Target is a daemon that should be reached.
type Target struct {
	// Daemon is its name, as an admin knows it.
	Daemon string
	// Want is the kind of daemon that should answer. 0 is any.
	Want Entity
	// Address is not valid for a daemon that has none.
	Address netip.Addr
	// Ports are those to dial.
	Ports []uint16
}

func portsOf(kind Entity) []uint16 {
	switch kind {
	case EntityMon:
		return []uint16{portMonV2, portMonV1}
	case EntityOSD:
		return []uint16{portOSDV2, portOSDV1}
	default:
		return []uint16{portMonV2, portMonV1, portOSDV2, portOSDV1}
	}
}

// TargetsOfToken returns the mons of a bootstrap peer token: base64 of JSON with fsid, client_id, key and mon_host, which
// Rook writes into Secret cluster-peer-token-*. The key is not read, and no error has a part of the token in it.
func TargetsOfToken(token []byte) ([]Target, error) {
	decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(token)), ""))
	if err != nil {
		return nil, errors.New("the token is not base64")
	}
	defer clear(decoded)
	var read struct {
		MonHost string `json:"mon_host"`
	}
	if json.Unmarshal(decoded, &read) != nil {
		return nil, errors.New("the token is not base64 of a JSON object")
	}
	mons, err := monsOf(read.MonHost)
	if err != nil {
		return nil, err
	}
	if len(mons) == 0 {
		return nil, errors.New("the token has no mon_host")
	}
	var targets []Target
	for _, mon := range mons {
		targets = append(targets, Target{Daemon: "mon", Want: EntityMon, Address: mon, Ports: portsOf(EntityMon)})
	}
	return targets, nil
}

// nonce is what may follow an address of Ceph.
var nonce = regexp.MustCompile(`/\d+`)

// monsOf returns each address of a mon_host once, in its order. It takes [v2:IP:3300/0,v1:IP:6789/0] and plain lists.
func monsOf(monHost string) ([]netip.Addr, error) {
	var mons []netip.Addr
	known := map[netip.Addr]bool{}
	for _, piece := range strings.FieldsFunc(nonce.ReplaceAllString(monHost, ""), func(r rune) bool { return strings.ContainsRune(",; \t\n", r) }) {
		address, ok := monAddress(piece)
		if !ok {
			return nil, errors.New("mon_host has something in it that is no IP address")
		}
		if !known[address] {
			mons = append(mons, address)
		}
		known[address] = true
	}
	return mons, nil
}

// monAddress reads an address with or without a port and a protocol. Brackets of a group may stand at either end of it,
// and look like those of IPv6.
func monAddress(text string) (netip.Addr, bool) {
	open, closed := strings.TrimPrefix(text, "["), strings.TrimSuffix(text, "]")
	for _, inner := range []string{text, open, closed, strings.TrimSuffix(open, "]")} {
		inner = strings.TrimPrefix(strings.TrimPrefix(inner, "v1:"), "v2:")
		if endpoint, err := netip.ParseAddrPort(inner); err == nil {
			return endpoint.Addr().Unmap(), true
		}
		if address, err := netip.ParseAddr(inner); err == nil {
			return address.Unmap(), true
		}
	}
	return netip.Addr{}, false
}

// StatusVersion is the form of status that is read.
const StatusVersion = "status.rook-clusterset.io/v1"

// TargetsOfStatus returns the daemons in what rook-clusterset status -o json printed in the other cluster. A daemon
// without a global IP has no address.
func TargetsOfStatus(status []byte) ([]Target, error) {
	var form struct {
		APIVersion string `json:"apiVersion"`
		Daemons    []struct {
			Namespace string `json:"namespace"`
			Type      string `json:"type"`
			ID        string `json:"id"`
			GlobalIP  string `json:"globalIP"`
		} `json:"daemons"`
	}
	if err := json.Unmarshal(status, &form); err != nil {
		return nil, fmt.Errorf("read the output of status -o json: %w", err)
	}
	if form.APIVersion != StatusVersion {
		return nil, fmt.Errorf("read the output of status -o json: its apiVersion is %q, and %s is read: use the same release on both sides", form.APIVersion, StatusVersion)
	}
	var targets []Target
	for _, row := range form.Daemons {
		kind, ok := map[string]Entity{"mon": EntityMon, "osd": EntityOSD}[row.Type]
		if !ok {
			return nil, fmt.Errorf("read the output of status -o json: %q is neither mon nor osd", row.Type)
		}
		address, err := netip.ParseAddr(row.GlobalIP)
		if err != nil && row.GlobalIP != "" {
			return nil, fmt.Errorf("read the output of status -o json: %w", err)
		}
		targets = append(targets, Target{
			Daemon: row.Namespace + "/" + row.Type + "." + row.ID, Want: kind, Address: address.Unmap(), Ports: portsOf(kind),
		})
	}
	if len(targets) == 0 {
		return nil, errors.New("the output of status -o json has no daemons")
	}
	return targets, nil
}

// ParseTarget reads an address as a person gives it: mon=IP, osd=IP, either with a port, or without the kind, which then
// follows from the port.
func ParseTarget(text string) (Target, error) {
	kind, rest, named := strings.Cut(text, "=")
	target := Target{Daemon: text}
	if named {
		target.Daemon = kind
		switch kind {
		case "mon":
			target.Want = EntityMon
		case "osd":
			target.Want = EntityOSD
		default:
			return Target{}, fmt.Errorf("%q: give mon=ADDRESS or osd=ADDRESS", text)
		}
	} else {
		rest = text
	}
	if endpoint, err := netip.ParseAddrPort(rest); err == nil {
		target.Address, target.Ports = endpoint.Addr().Unmap(), []uint16{endpoint.Port()}
		if !named {
			target.Daemon, target.Want = "port "+strconv.Itoa(int(endpoint.Port())), kindAt(endpoint.Port())
		}
		return target, nil
	}
	address, err := netip.ParseAddr(rest)
	if err != nil {
		return Target{}, fmt.Errorf("%q is no IP address: give mon=ADDRESS or osd=ADDRESS, with or without a port", text)
	}
	if !named {
		target.Daemon = "any"
	}
	target.Address, target.Ports = address.Unmap(), portsOf(target.Want)
	return target, nil
}

// kindAt returns the kind of daemon that listens at a port in Rook's pods, or 0.
func kindAt(port uint16) Entity {
	switch port {
	case portMonV2, portMonV1:
		return EntityMon
	case portOSDV2, portOSDV1:
		return EntityOSD
	default:
		return 0
	}
}
