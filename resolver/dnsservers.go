package resolver

import (
	"cmp"
	"net"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/rook-clusterset/rook-clusterset/reason"
)

const (
	defaultResolvConf = "/etc/resolv.conf"
	dnsPort           = "53"
	// mostDNSServers is how many the resolver of every C library looks at.
	mostDNSServers = 3
)

// dnsServers returns a function that tells the servers to ask. The file is read anew each time, since the one of a
// node can change under a running process.
func dnsServers(server, resolvConf string) func() ([]string, error) {
	if server != "" {
		return func() ([]string, error) { return []string{withPort(server, dnsPort)}, nil }
	}
	file := cmp.Or(resolvConf, defaultResolvConf)
	return func() ([]string, error) {
		config, err := dns.ClientConfigFromFile(file)
		if err != nil {
			return nil, reason.Errorf(reason.NoSource, "find the DNS server: %v: set --dns-server", err)
		}
		var servers []string
		for _, s := range config.Servers {
			if len(servers) < mostDNSServers {
				servers = append(servers, withPort(s, config.Port))
			}
		}
		if len(servers) == 0 {
			return nil, reason.Errorf(reason.NoSource, "%s names no DNS server: set --dns-server", file)
		}
		return servers, nil
	}
}

// withPort adds the port to a server that has none. An IPv6 address has colons, but they are not a port's.
func withPort(server, port string) string {
	if ip, err := netip.ParseAddr(server); err == nil {
		return net.JoinHostPort(ip.String(), port)
	}
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server
	}
	return net.JoinHostPort(strings.Trim(server, "[]"), port)
}
