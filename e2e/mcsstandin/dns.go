package mcsstandin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"k8s.io/apimachinery/pkg/types"
)

const (
	clustersetDomain = "svc.clusterset.local."
	ttl              = 5
)

// DNSFault is what goes wrong with every answer of the DNS server.
type DNSFault int32

const (
	// DNSHealthy answers.
	DNSHealthy DNSFault = iota
	// DNSServerFailure answers SERVFAIL.
	DNSServerFailure
	// DNSSilent never answers.
	DNSSilent
	// DNSTruncated answers over UDP that the answer is to be had over TCP.
	DNSTruncated
	// DNSSlow answers after half a second.
	DNSSlow
	// DNSLying answers to every name, and with the highest address that any Service has.
	DNSLying
)

// slowness is less than clients wait for one answer.
const slowness = 500 * time.Millisecond

// SetDNSFault makes the fault true of every answer from now on.
func (s *Standin) SetDNSFault(f DNSFault) { s.dns.fault.Store(int32(f)) }

type dnsServer struct {
	standin *Standin
	addr    string
	fault   atomic.Int32
	turn    atomic.Uint32
	running sync.WaitGroup
}

// startDNS answers over UDP and TCP until the context ends.
func startDNS(ctx context.Context, s *Standin) (*dnsServer, error) {
	var packets net.PacketConn
	var listener net.Listener
	open := func() (err error) {
		packets, listener, err = listenBoth(ctx, cmp.Or(s.options.DNSAddress, "127.0.0.1:0"))
		return err
	}
	inside := s.options.Inside
	if inside == nil {
		inside = func(open func() error) error { return open() }
	}
	if err := inside(open); err != nil {
		return nil, fmt.Errorf("listen for DNS: %w", err)
	}
	d := &dnsServer{standin: s, addr: listener.Addr().String()}
	for _, server := range []*dns.Server{{PacketConn: packets, Handler: d}, {Listener: listener, Handler: d}} {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		d.running.Go(func() { _ = server.ActivateAndServe() })
		<-started
		context.AfterFunc(ctx, func() { _ = server.Shutdown() })
	}
	return d, nil
}

// listenBoth finds a port that is free for both protocols, unless the address names one.
func listenBoth(ctx context.Context, address string) (net.PacketConn, net.Listener, error) {
	var config net.ListenConfig
	for range 10 {
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, nil, err
		}
		packets, err := config.ListenPacket(ctx, "udp", listener.Addr().String())
		if err == nil {
			return packets, listener, nil
		}
		_ = listener.Close()
	}
	return nil, nil, errors.New("no port was free for both UDP and TCP")
}

// ServeDNS implements dns.Handler.
func (d *dnsServer) ServeDNS(w dns.ResponseWriter, request *dns.Msg) {
	reply := new(dns.Msg).SetReply(request)
	reply.Authoritative = true
	switch fault := DNSFault(d.fault.Load()); {
	case fault == DNSSilent:
		return
	case fault == DNSServerFailure:
		reply.Rcode = dns.RcodeServerFailure
	case fault == DNSTruncated && w.LocalAddr().Network() == "udp":
		reply.Truncated = true
	case len(request.Question) != 1:
		reply.Rcode = dns.RcodeFormatError
	default:
		if fault == DNSSlow {
			time.Sleep(slowness)
		}
		d.answer(reply, request.Question[0])
	}
	_ = w.WriteMsg(reply)
}

func (d *dnsServer) answer(reply *dns.Msg, question dns.Question) {
	service, clusterID, ok := parseName(question.Name)
	if !ok {
		reply.Rcode = dns.RcodeNameError
		return
	}
	addresses, known := d.lookup(service, clusterID)
	if DNSFault(d.fault.Load()) == DNSLying {
		addresses, known = d.standin.highest(), true
	}
	if !known {
		reply.Rcode = dns.RcodeNameError
		return
	}
	for _, address := range addresses {
		header := dns.RR_Header{Name: question.Name, Class: dns.ClassINET, Ttl: ttl}
		switch {
		case question.Qtype == dns.TypeA && address.Is4():
			header.Rrtype = dns.TypeA
			reply.Answer = append(reply.Answer, &dns.A{Hdr: header, A: address.AsSlice()})
		case question.Qtype == dns.TypeAAAA && address.Is6():
			header.Rrtype = dns.TypeAAAA
			reply.Answer = append(reply.Answer, &dns.AAAA{Hdr: header, AAAA: address.AsSlice()})
		}
	}
}

// highest returns what the Service tells that has the highest address.
func (s *Standin) highest() []netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []netip.Addr
	for _, r := range s.records {
		if len(r.advertised) > 0 && (found == nil || found[0].Less(r.advertised[0])) {
			found = r.advertised
		}
	}
	return found
}

// parseName takes [cluster ID.]service.namespace.svc.clusterset.local. apart.
func parseName(name string) (service types.NamespacedName, clusterID string, ok bool) {
	front, ok := strings.CutSuffix(strings.ToLower(name), "."+clustersetDomain)
	if !ok {
		return types.NamespacedName{}, "", false
	}
	labels := strings.Split(front, ".")
	switch len(labels) {
	case 2:
		return types.NamespacedName{Name: labels[0], Namespace: labels[1]}, "", true
	case 3:
		return types.NamespacedName{Name: labels[1], Namespace: labels[2]}, labels[0], true
	default:
		return types.NamespacedName{}, "", false
	}
}

// lookup answers as the CoreDNS plugin of lighthouse does: with a cluster ID the address of that cluster, be it
// healthy or not; without one the clusterset IP if there is one, else this cluster's if a pod is ready, else a peer's, each in turn, else none.
func (d *dnsServer) lookup(service types.NamespacedName, clusterID string) (addresses []netip.Addr, known bool) {
	s := d.standin
	// Asked before our own lock is taken: two members may ask each other at the same time.
	members := s.exportsAtMembers(service)
	s.mu.Lock()
	defer s.mu.Unlock()
	local, remote := s.records[service], slices.Concat(s.remote[service], members)
	if local != nil && !local.registered {
		local = nil
	}
	if local == nil && len(remote) == 0 {
		return nil, false
	}
	if clusterID != "" {
		if local != nil && clusterID == s.options.ClusterID {
			return local.advertised, true
		}
		for _, peer := range remote {
			if peer.clusterID == clusterID {
				return []netip.Addr{peer.address}, true
			}
		}
		return nil, false
	}
	if local != nil && local.vip.IsValid() {
		return []netip.Addr{local.vip}, true
	}
	if local != nil && local.ready {
		return local.advertised, true
	}
	if len(remote) > 0 {
		turn := int(d.turn.Add(1)-1) % len(remote)
		return []netip.Addr{remote[turn].address}, true
	}
	return nil, true
}
