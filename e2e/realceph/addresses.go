package realceph

import (
	"encoding/json"
	"net/netip"
)

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

// UnmarshalJSON reads the form that Ceph has, and leaves out what is no address: a daemon that never ran has none.
func (a *Addresses) UnmarshalJSON(text []byte) error {
	var read struct {
		Addrvec []struct {
			Type string `json:"type"`
			Addr string `json:"addr"`
		} `json:"addrvec"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	for _, entry := range read.Addrvec {
		endpoint, err := netip.ParseAddrPort(entry.Addr)
		switch {
		case err != nil:
		case entry.Type == "v2":
			a.V2 = endpoint
		case entry.Type == "v1":
			a.V1 = endpoint
		}
	}
	return nil
}

// Monmap is what Ceph tells of the mons.
type Monmap struct {
	Mons []struct {
		Name   string    `json:"name"`
		Public Addresses `json:"public_addrs"`
	} `json:"mons"`
}
