package probe

import (
	"fmt"
	"net/netip"
	"slices"
)

// Arguments returns the targets as ParseTarget reads them, for a probe that is made elsewhere. Who has no address is left out.
func Arguments(targets []Target) []string {
	var arguments []string
	for _, t := range targets {
		if !t.Address.IsValid() {
			continue
		}
		kind := ""
		if t.Want != 0 {
			kind = t.Want.String() + "="
		}
		if slices.Equal(t.Ports, portsOf(t.Want)) {
			arguments = append(arguments, kind+t.Address.String())
			continue
		}
		for _, port := range t.Ports {
			arguments = append(arguments, fmt.Sprintf("%s%s", kind, netip.AddrPortFrom(t.Address, port)))
		}
	}
	return slices.Compact(arguments)
}

// Named returns what was found elsewhere, by the names and in the order of the targets; of who has no address it says so.
func Named(targets []Target, found []Finding) []Finding {
	var all []Finding
	for _, t := range targets {
		if !t.Address.IsValid() {
			all = append(all, Judge(t, nil, nil)...)
			continue
		}
		for _, f := range found {
			dialled, err := netip.ParseAddrPort(f.Address)
			if err == nil && dialled.Addr() == t.Address && slices.Contains(t.Ports, dialled.Port()) {
				f.Daemon = t.Daemon
				all = append(all, f)
			}
		}
	}
	return all
}
