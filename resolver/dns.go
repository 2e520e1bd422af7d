package resolver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

// SourceDNS is the name of the source that asks the clusterset DNS.
const SourceDNS = "DNS"

const (
	clustersetDomain     = "svc.clusterset.local."
	defaultDNSTryTimeout = time.Second
	defaultDNSTimeout    = 3 * time.Second
	// mostIDShown is how much of a cluster ID that cannot be one is shown.
	mostIDShown = 64
	// dnsRounds is how often each server is asked, because a datagram can get lost.
	dnsRounds = 2
)

// clustersetDNS asks for A records only: Globalnet maps no IPv6, so an AAAA record tells a ClusterIP.
type clustersetDNS struct {
	servers func() ([]string, error)
	// anyCluster asks for the name without a cluster ID too. Of Services of one name in two clusters either can answer.
	anyCluster          bool
	tryTimeout, timeout time.Duration
}

func newClustersetDNS(opts Options) clustersetDNS {
	return clustersetDNS{
		servers:    dnsServers(opts.DNSServer, opts.ResolvConf),
		anyCluster: opts.DNSWithoutClusterID,
		tryTimeout: cmp.Or(opts.DNSTryTimeout, defaultDNSTryTimeout),
		timeout:    cmp.Or(opts.DNSTimeout, defaultDNSTimeout),
	}
}

func (clustersetDNS) Name() string { return SourceDNS }

// Reads implements Source: no object tells what DNS does.
func (clustersetDNS) Reads() []kinds.Kind { return nil }

func (s clustersetDNS) Lookup(ctx context.Context, r Request, m Membership) (netip.Addr, error) {
	names, refusal := s.names(r, m)
	if refusal != nil {
		return netip.Addr{}, refusal
	}
	servers, err := s.servers()
	if err != nil {
		return netip.Addr{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	for _, name := range names {
		var ip netip.Addr
		if ip, refusal = s.ask(bounded, servers, name); refusal == nil {
			return ip, nil
		}
		if refusal.Code != reason.DNSNameError && refusal.Code != reason.DNSNoData {
			break
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return netip.Addr{}, reason.Errorf(reason.ClientGone, "%s", refusal.Detail)
	}
	return netip.Addr{}, refusal
}

// names returns what to ask for, the safest first. Each is absolute, so that no search domain can answer.
func (s clustersetDNS) names(r Request, m Membership) ([]string, *reason.Error) {
	plain := fmt.Sprintf("%s.%s.%s", r.Name, r.Namespace, clustersetDomain)
	var names []string
	if m.ClusterID != "" {
		// A dot would make the ID more than the one label that the implementation takes for it.
		if faults := validation.IsDNS1123Label(strings.ToLower(m.ClusterID)); len(faults) > 0 {
			return nil, reason.Errorf(reason.ClusterIDUnknown, "%q cannot stand in a DNS name: set --cluster-id", reason.Shorten(m.ClusterID, mostIDShown))
		}
		names = append(names, m.ClusterID+"."+plain)
	}
	if s.anyCluster {
		names = append(names, plain)
	}
	if len(names) == 0 {
		return nil, reason.Errorf(reason.ClusterIDUnknown, "the DNS is asked for <cluster ID>.%s: set --cluster-id", plain)
	}
	return names, nil
}

// ask puts the question to one server after the other until one knows.
func (s clustersetDNS) ask(ctx context.Context, servers []string, name string) (netip.Addr, *reason.Error) {
	var refusal *reason.Error
	for range dnsRounds {
		for _, server := range servers {
			reply, err := s.exchange(ctx, server, name)
			if err != nil {
				refusal = exchangeFailure(err, name, server)
				continue
			}
			var ip netip.Addr
			if ip, refusal = readReply(reply, name, server); refusal == nil || refusal.Code != reason.DNSServerFailure {
				return ip, refusal
			}
		}
	}
	return netip.Addr{}, refusal
}

// exchange asks over UDP, and over TCP where the answer was cut off.
func (s clustersetDNS) exchange(ctx context.Context, server, name string) (*dns.Msg, error) {
	question := new(dns.Msg).SetQuestion(name, dns.TypeA)
	reply, err := s.exchangeOver(ctx, "udp", server, question)
	if reply != nil && reply.Truncated {
		reply, err = s.exchangeOver(ctx, "tcp", server, question)
	}
	if err != nil {
		return nil, err
	}
	if !answers(reply, question) {
		return nil, errors.New("the reply is to another question")
	}
	return reply, nil
}

func (s clustersetDNS) exchangeOver(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, s.tryTimeout)
	defer cancel()
	client := &dns.Client{Net: network, Timeout: s.tryTimeout}
	conn, err := client.DialContext(ctx, server)
	if err != nil {
		return nil, fmt.Errorf("dial over %s: %w", network, err)
	}
	defer func() { _ = conn.Close() }()
	// The library looks at the context's deadline, but not at whether somebody still wants to know.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	reply, _, err := client.ExchangeWithConnContext(ctx, question, conn)
	if err != nil {
		// A reply that was cut off in the middle of a record comes with an error, and still says that it was.
		return reply, fmt.Errorf("ask over %s: %w", network, err)
	}
	return reply, nil
}

func answers(reply, question *dns.Msg) bool {
	if !reply.Response || len(reply.Question) != 1 {
		return false
	}
	asked, got := question.Question[0], reply.Question[0]
	return strings.EqualFold(got.Name, asked.Name) && got.Qtype == asked.Qtype && got.Qclass == asked.Qclass
}

// readReply returns the one address that the reply has for the very name. An alias is not followed: the names of a
// clusterset are none, and a wildcard somewhere is likelier than a reason for one.
func readReply(reply *dns.Msg, name, server string) (netip.Addr, *reason.Error) {
	switch reply.Rcode {
	case dns.RcodeSuccess:
	case dns.RcodeNameError:
		return netip.Addr{}, reason.Errorf(reason.DNSNameError, "%s at %s", name, server)
	default:
		return netip.Addr{}, reason.Errorf(reason.DNSServerFailure, "%s at %s: %s", name, server, rcodeName(reply.Rcode))
	}
	var ips []netip.Addr
	for _, record := range reply.Answer {
		a, ok := record.(*dns.A)
		if !ok || a.Hdr.Class != dns.ClassINET || !strings.EqualFold(a.Hdr.Name, name) {
			continue
		}
		if ip, ok := netip.AddrFromSlice(a.A); ok && !slices.Contains(ips, ip.Unmap()) {
			ips = append(ips, ip.Unmap())
		}
	}
	switch len(ips) {
	case 0:
		return netip.Addr{}, reason.Errorf(reason.DNSNoData, "%s at %s", name, server)
	case 1:
		return ips[0], nil
	}
	return netip.Addr{}, reason.Errorf(reason.SeveralAddresses, "%s at %s: %s", name, server, joined(ips))
}

// exchangeFailure tells a silent server from one that cannot be reached or speaks nonsense.
func exchangeFailure(err error, name, server string) *reason.Error {
	if netError, ok := errors.AsType[net.Error](err); ok && netError.Timeout() {
		return reason.Errorf(reason.DNSTimeout, "%s at %s", name, server)
	}
	return reason.Errorf(reason.DNSServerFailure, "%s at %s: %v", name, server, err)
}

func rcodeName(rcode int) string {
	if name, ok := dns.RcodeToString[rcode]; ok {
		return name
	}
	return fmt.Sprintf("rcode %d", rcode)
}
