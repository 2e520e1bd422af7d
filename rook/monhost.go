package rook

import (
	"net/netip"
	"slices"
	"strings"
)

// CorrectMonHost replaces the addresses in a mon_host and says whether there were any to replace. It takes the form that
// Rook writes, [v2:IP:3300,v1:IP:6789],[v2:[fd00::1]:3300], and plain lists of addresses with or without a port.
func CorrectMonHost(monHost string, r Replacements) (string, bool) {
	told := monHostAddresses(monHost)
	return replaceInMonHost(monHost, r.among(func(address netip.Addr) bool { return slices.Contains(told, address) }).of)
}

// monHostAddresses returns the addresses in the order in which they stand, that of a group of protocols once.
func monHostAddresses(monHost string) []netip.Addr {
	var addresses []netip.Addr
	replaceInMonHost(monHost, func(address netip.Addr) (netip.Addr, bool) {
		addresses = append(addresses, address)
		return address, true
	})
	return slices.Compact(addresses)
}

func replaceInMonHost(monHost string, l lookup) (string, bool) {
	if isAbsurdList(monHost) {
		return monHost, false
	}
	var out strings.Builder
	changed := false
	for monHost != "" {
		end := strings.IndexAny(monHost, ",; \t\n")
		if end < 0 {
			end = len(monHost)
		}
		text, replaced := l.replaceInGroup(monHost[:end])
		changed = changed || replaced
		out.WriteString(text)
		if end < len(monHost) {
			out.WriteByte(monHost[end])
			end++
		}
		monHost = monHost[end:]
	}
	return out.String(), changed
}

// replaceInGroup replaces the address in what stands between two separators. Of the brackets at its ends, those of a
// group of addresses (the first of a group has one in front, the last one behind) are distinguished from those of IPv6 by what
// can be read as an address without them.
func (l lookup) replaceInGroup(text string) (string, bool) {
	inner, open := strings.CutPrefix(text, "[")
	if replaced, ok := l.replace(text); ok {
		return replaced, true
	}
	if open {
		if replaced, ok := l.replace(inner); ok {
			return "[" + replaced, true
		}
	}
	if closed, ok := strings.CutSuffix(text, "]"); ok {
		if replaced, ok := l.replace(closed); ok {
			return replaced + "]", true
		}
		if inner, ok := strings.CutPrefix(closed, "["); ok {
			if replaced, ok := l.replace(inner); ok {
				return "[" + replaced + "]", true
			}
		}
	}
	return text, false
}
