package realceph

import "net/netip"

// Addresses are those at which a messenger of a daemon is known: one for each version of the protocol.
type Addresses struct {
	V2, V1 netip.AddrPort
}

// Addr returns the IP address; it is not valid where there is none.
func (a Addresses) Addr() netip.Addr {
	if a.V2.IsValid() {
		return a.V2.Addr()
	}
	return a.V1.Addr()
}

// addrvec is the form of addresses in the JSON of Ceph.
type addrvec struct {
	Addrvec []struct {
		Type string `json:"type"`
		Addr string `json:"addr"`
	} `json:"addrvec"`
}

// addresses leaves out what is no address: a daemon that never ran has none.
func (v addrvec) addresses() Addresses {
	var all Addresses
	for _, entry := range v.Addrvec {
		endpoint, err := netip.ParseAddrPort(entry.Addr)
		if err != nil {
			continue
		}
		switch entry.Type {
		case "v2":
			all.V2 = endpoint
		case "v1":
			all.V1 = endpoint
		}
	}
	return all
}

type monJSON struct {
	Name   string  `json:"name"`
	Public addrvec `json:"public_addrs"`
}
