package proof_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/rook-clusterset/rook-clusterset/e2e/node"
)

// end is one cluster's end of the wire between the two.
type end struct {
	node *node.Node
	// device and address are those of the end.
	device  string
	address netip.Addr
	// global is the range that is routed to the cluster, egress the address of it that the cluster's own traffic leaves with.
	global netip.Prefix
	egress netip.Addr
}

// connect lays the one wire between the two clusters, on which nothing but global addresses crosses: each end takes in
// only what comes from the peer's range and goes to its own, and counts what it turned away.
func connect(ctx context.Context, east, west end) error {
	peer := west.node.NetNS
	if err := east.run(ctx, "ip", "link", "add", east.device, "type", "veth", "peer", "name", west.device, "netns", peer); err != nil {
		return err
	}
	if err := east.attach(ctx, west); err != nil {
		return err
	}
	return west.attach(ctx, east)
}

func (e end) attach(ctx context.Context, peer end) error {
	// The rules below are for IPv4, and nothing else is to cross.
	_ = e.node.InNetNS(func() error {
		return os.WriteFile("/proc/sys/net/ipv6/conf/"+e.device+"/disable_ipv6", []byte("1"), 0o600)
	})
	for _, command := range [][]string{
		{"ip", "addr", "add", e.address.String() + "/30", "dev", e.device},
		{"ip", "link", "set", e.device, "up"},
		{"ip", "route", "add", peer.global.String(), "via", peer.address.String(), "dev", e.device, "onlink"},
		// As Globalnet does with what has no global address of its own. First, for kube-proxy's own rules come after.
		{"iptables", "-w", "-t", "nat", "-I", "POSTROUTING", "1", "-o", e.device, "-j", "SNAT", "--to-source", e.egress.String()},
		{"iptables", "-w", "-t", "raw", "-A", "PREROUTING", "-i", e.device, "!", "-s", peer.global.String(), "-j", "DROP"},
		{"iptables", "-w", "-t", "raw", "-A", "PREROUTING", "-i", e.device, "!", "-d", e.global.String(), "-j", "DROP"},
		{"iptables", "-w", "-t", "raw", "-A", "PREROUTING", "-i", e.device, "-j", "ACCEPT"},
	} {
		if err := e.run(ctx, command[0], command[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// traffic is how many packets an end took in from its peer, and how many it turned away because one of their addresses
// was not global.
type traffic struct{ taken, turnedAway int }

func (e end) traffic(ctx context.Context) (traffic, error) {
	out, err := e.node.Command(ctx, "iptables", "-w", "-t", "raw", "-nvxL", "PREROUTING").CombinedOutput()
	if err != nil {
		return traffic{}, fmt.Errorf("count the packets that %s took in: %w: %s", e.node.Name, err, out)
	}
	var t traffic
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if !strings.Contains(line, " "+e.device+" ") || len(fields) < 3 {
			continue
		}
		packets, err := strconv.Atoi(fields[0])
		if err != nil {
			return traffic{}, fmt.Errorf("count the packets that %s took in: %w", e.node.Name, err)
		}
		if fields[2] == "ACCEPT" {
			t.taken += packets
		} else {
			t.turnedAway += packets
		}
	}
	return t, nil
}

func (e end) run(ctx context.Context, program string, args ...string) error {
	if out, err := e.node.Command(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("wire %s: %s %s: %w: %s", e.node.Name, program, strings.Join(args, " "), err, out)
	}
	return nil
}
