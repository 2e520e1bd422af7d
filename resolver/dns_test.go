package resolver_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

const (
	prefixed   = "cluster-a.rook-ceph-mon-a.rook-ceph.svc.clusterset.local."
	unprefixed = "rook-ceph-mon-a.rook-ceph.svc.clusterset.local."
)

// handle is one way of answering; nil as a reply is silence.
type handle func(network string, question *dns.Msg) *dns.Msg

// nameserver is a real DNS server on one loopback port, over UDP and TCP.
type nameserver struct {
	address string
	udp     atomic.Int32
	tcp     atomic.Int32
}

func startNameserver(t testing.TB, h handle) *nameserver {
	t.Helper()
	return serve(t, func(network string, w dns.ResponseWriter, question *dns.Msg) {
		if reply := h(network, question); reply != nil {
			_ = w.WriteMsg(reply)
		}
	})
}

func serve(t testing.TB, h func(network string, w dns.ResponseWriter, question *dns.Msg)) *nameserver {
	t.Helper()
	var config net.ListenConfig
	var listener net.Listener
	var packets net.PacketConn
	var err error
	for range 10 {
		listener, err = config.Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		if packets, err = config.ListenPacket(t.Context(), "udp", listener.Addr().String()); err == nil {
			break
		}
		require.NoError(t, listener.Close())
	}
	require.NoError(t, err)
	n := &nameserver{address: listener.Addr().String()}
	answer := func(network string, count *atomic.Int32) dns.HandlerFunc {
		return func(w dns.ResponseWriter, question *dns.Msg) {
			count.Add(1)
			h(network, w, question)
		}
	}
	for _, server := range []*dns.Server{
		{PacketConn: packets, Handler: answer("udp", &n.udp)},
		{Listener: listener, Handler: answer("tcp", &n.tcp)},
	} {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go func() { _ = server.ActivateAndServe() }()
		<-started
		t.Cleanup(func() { _ = server.Shutdown() })
	}
	return n
}

func reply(question *dns.Msg, rcode int, records ...string) *dns.Msg {
	m := new(dns.Msg).SetRcode(question, rcode)
	for _, text := range records {
		record, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, record)
	}
	return m
}

// records answers each name with its records, and NXDOMAIN to every other.
func records(zone map[string][]string) handle {
	return func(_ string, question *dns.Msg) *dns.Msg {
		found, ok := zone[question.Question[0].Name]
		if !ok || question.Question[0].Qtype != dns.TypeA {
			return reply(question, dns.RcodeNameError)
		}
		return reply(question, dns.RcodeSuccess, found...)
	}
}

func rcode(code int) handle {
	return func(_ string, question *dns.Msg) *dns.Msg { return reply(question, code) }
}

func silence(string, *dns.Msg) *dns.Msg { return nil }

// dnsOnly is a cluster of which nothing is known but its range and what was set, and whose only source is the DNS.
func dnsOnly(options resolver.Options) world {
	options.GlobalCIDRs = ranges("242.0.0.0/8")
	return world{kinds: served{}, options: options}
}

func TestDNSTellsTheGlobalIP(t *testing.T) {
	a := func(name string, ips ...string) []string {
		var all []string
		for _, ip := range ips {
			all = append(all, name+" 5 IN A "+ip)
		}
		return all
	}
	tests := []struct {
		name        string
		handle      handle
		options     resolver.Options
		noClusterID bool
		silent      bool
		want        string
		code        reason.Code
		particulars []string
		udp, tcp    int32
	}{
		{
			name:   "one A record of the name with the cluster ID is the answer",
			handle: records(map[string][]string{prefixed: a(prefixed, "242.0.255.253"), unprefixed: a(unprefixed, "242.1.0.1")}),
			want:   "242.0.255.253", udp: 1,
		},
		{
			name:   "an answer in other letters is to the same name",
			handle: records(map[string][]string{prefixed: a(strings.ToUpper(prefixed), "242.0.255.253")}),
			want:   "242.0.255.253", udp: 1,
		},
		{
			name:   "one address in two records is one address",
			handle: records(map[string][]string{prefixed: a(prefixed, "242.0.255.253", "242.0.255.253")}),
			want:   "242.0.255.253", udp: 1,
		},
		{
			name: "an answer that was cut off is asked for again over TCP",
			handle: func(network string, q *dns.Msg) *dns.Msg {
				if network == "udp" {
					m := reply(q, dns.RcodeSuccess, prefixed+" 5 IN A 242.0.0.1")
					m.Truncated = true
					return m
				}
				return reply(q, dns.RcodeSuccess, prefixed+" 5 IN A 242.0.255.253")
			},
			want: "242.0.255.253", udp: 1, tcp: 1,
		},
		{
			name: "one failure of the server is not the last word",
			handle: func() handle {
				var asked atomic.Int32
				return func(_ string, q *dns.Msg) *dns.Msg {
					if asked.Add(1) == 1 {
						return reply(q, dns.RcodeServerFailure)
					}
					return reply(q, dns.RcodeSuccess, prefixed+" 5 IN A 242.0.255.253")
				}
			}(),
			want: "242.0.255.253", udp: 2,
		},
		{
			name: "one lost datagram is not the last word", silent: true,
			handle: func() handle {
				var asked atomic.Int32
				return func(_ string, q *dns.Msg) *dns.Msg {
					if asked.Add(1) == 1 {
						return nil
					}
					return reply(q, dns.RcodeSuccess, prefixed+" 5 IN A 242.0.255.253")
				}
			}(),
			want: "242.0.255.253", udp: 2,
		},
		{
			name: "two addresses leave no way to tell", handle: records(map[string][]string{prefixed: a(prefixed, "242.0.255.253", "242.0.255.252")}),
			code: reason.SeveralAddresses, particulars: []string{prefixed, "242.0.255.253, 242.0.255.252"}, udp: 1,
		},
		{
			name: "a name that does not exist is told", handle: rcode(dns.RcodeNameError),
			code: reason.DNSNameError, particulars: []string{prefixed, "127.0.0.1:"}, udp: 1,
		},
		{
			name: "a name without an address is told", handle: rcode(dns.RcodeSuccess),
			code: reason.DNSNoData, particulars: []string{prefixed, "127.0.0.1:"}, udp: 1,
		},
		{
			name: "a server that fails is told", handle: rcode(dns.RcodeServerFailure),
			code: reason.DNSServerFailure, particulars: []string{prefixed, "SERVFAIL"}, udp: 2,
		},
		{
			name: "a server that refuses is told", handle: rcode(dns.RcodeRefused),
			code: reason.DNSServerFailure, particulars: []string{"REFUSED"}, udp: 2,
		},
		{
			name: "a code without a name is told", handle: rcode(14),
			code: reason.DNSServerFailure, particulars: []string{"rcode 14"}, udp: 2,
		},
		{
			name: "a silent server is told", handle: silence, silent: true,
			code: reason.DNSTimeout, particulars: []string{prefixed, "127.0.0.1:"}, udp: 2,
		},
		{
			name: "a server that is silent over TCP is told", silent: true,
			handle: func(network string, q *dns.Msg) *dns.Msg {
				if network == "tcp" {
					return nil
				}
				m := reply(q, dns.RcodeSuccess)
				m.Truncated = true
				return m
			},
			code: reason.DNSTimeout, udp: 2, tcp: 2,
		},
		{
			name:   "an alias is not followed",
			handle: records(map[string][]string{prefixed: {prefixed + " 5 IN CNAME park.example.", "park.example. 5 IN A 242.0.0.66"}}),
			code:   reason.DNSNoData, udp: 1,
		},
		{
			name:   "a record of another name is no answer",
			handle: records(map[string][]string{prefixed: a(unprefixed, "242.1.0.1")}),
			code:   reason.DNSNoData, udp: 1,
		},
		{
			name:   "a record of another name beside the right one changes nothing",
			handle: records(map[string][]string{prefixed: append(a(unprefixed, "242.1.0.1"), a(prefixed, "242.0.255.253")...)}),
			want:   "242.0.255.253", udp: 1,
		},
		{
			name:   "a record of another class is no answer",
			handle: records(map[string][]string{prefixed: {prefixed + " 5 CH A 242.0.0.66"}}),
			code:   reason.DNSNoData, udp: 1,
		},
		{
			name:   "an IPv6 record is no answer",
			handle: records(map[string][]string{prefixed: {prefixed + " 5 IN AAAA fd00:96::7"}}),
			code:   reason.DNSNoData, udp: 1,
		},
		{
			name: "a reply to another question is a fault of the server",
			handle: func(_ string, q *dns.Msg) *dns.Msg {
				m := reply(q, dns.RcodeSuccess, prefixed+" 5 IN A 242.0.0.66")
				m.Question[0].Name = unprefixed
				return m
			},
			code: reason.DNSServerFailure, particulars: []string{"another question"}, udp: 2,
		},
		{
			name: "a question sent back is no reply",
			handle: func(_ string, q *dns.Msg) *dns.Msg {
				m := reply(q, dns.RcodeSuccess, prefixed+" 5 IN A 242.0.0.66")
				m.Response = false
				return m
			},
			code: reason.DNSServerFailure, udp: 2,
		},
		{
			name: "a reply of another ID is not waited for for ever", silent: true,
			handle: func(_ string, q *dns.Msg) *dns.Msg {
				m := reply(q, dns.RcodeSuccess, prefixed+" 5 IN A 242.0.0.66")
				m.Id++
				return m
			},
			code: reason.DNSTimeout, udp: 2,
		},
		{
			name:   "an answer passes the guards as any other",
			handle: records(map[string][]string{prefixed: a(prefixed, "127.0.0.1")}),
			code:   reason.Unroutable, particulars: []string{"DNS says 127.0.0.1"}, udp: 1,
		},
		{
			name:    "the name without a cluster ID is not asked unless wanted",
			handle:  records(map[string][]string{unprefixed: a(unprefixed, "242.1.0.1")}),
			options: resolver.Options{}, code: reason.DNSNameError, udp: 1,
		},
		{
			name:        "without a cluster ID nothing is asked unless wanted",
			handle:      records(map[string][]string{unprefixed: a(unprefixed, "242.1.0.1")}),
			noClusterID: true, code: reason.ClusterIDUnknown, particulars: []string{unprefixed, "--cluster-id"},
		},
		{
			name:    "the name without a cluster ID is asked if wanted, where the other does not exist",
			handle:  records(map[string][]string{unprefixed: a(unprefixed, "242.0.255.253")}),
			options: resolver.Options{DNSWithoutClusterID: true}, want: "242.0.255.253", udp: 2,
		},
		{
			name:    "the name without a cluster ID is asked if wanted, where the other has no address",
			handle:  records(map[string][]string{prefixed: nil, unprefixed: a(unprefixed, "242.0.255.253")}),
			options: resolver.Options{DNSWithoutClusterID: true}, want: "242.0.255.253", udp: 2,
		},
		{
			name:        "the name without a cluster ID is asked alone where there is no ID",
			handle:      records(map[string][]string{unprefixed: a(unprefixed, "242.0.255.253")}),
			options:     resolver.Options{DNSWithoutClusterID: true},
			noClusterID: true, want: "242.0.255.253", udp: 1,
		},
		{
			name:    "the name with the cluster ID is asked first",
			handle:  records(map[string][]string{prefixed: a(prefixed, "242.0.255.253"), unprefixed: a(unprefixed, "242.1.0.1")}),
			options: resolver.Options{DNSWithoutClusterID: true}, want: "242.0.255.253", udp: 1,
		},
		{
			name:    "a failure is not evaded by the name without a cluster ID",
			handle:  rcode(dns.RcodeServerFailure),
			options: resolver.Options{DNSWithoutClusterID: true}, code: reason.DNSServerFailure, particulars: []string{prefixed}, udp: 2,
		},
		{
			name:    "a cluster ID that is no label of a name is not asked for",
			handle:  rcode(dns.RcodeNameError),
			options: resolver.Options{ClusterID: "cluster-a.evil"}, code: reason.ClusterIDUnknown, particulars: []string{"cluster-a.evil", "--cluster-id"},
		},
		{
			name:    "a cluster ID of any length makes no message of any length",
			handle:  rcode(dns.RcodeNameError),
			options: resolver.Options{ClusterID: strings.Repeat("x", 65)}, code: reason.ClusterIDUnknown, particulars: []string{strings.Repeat("x", 64) + "..."},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := startNameserver(t, tt.handle)
			if tt.options.ClusterID == "" && !tt.noClusterID {
				tt.options.ClusterID = "cluster-a"
			}
			tt.options.DNSServer = server.address
			tt.options.DNSTimeout = 20 * time.Second
			if tt.silent {
				tt.options.DNSTryTimeout = 200 * time.Millisecond
			} else {
				// A slow machine must not make a lost datagram of one that is only late.
				tt.options.DNSTryTimeout = 10 * time.Second
			}
			r := dnsOnly(tt.options).resolver(t)
			begin := time.Now()
			got, err := resolve(t.Context(), r)
			require.Less(t, time.Since(begin), 5*time.Second, "the time of a lookup is bounded")
			if tt.code == "" {
				require.NoError(t, err)
				require.Equal(t, resolver.Answer{IP: netip.MustParseAddr(tt.want), Source: "DNS"}, got)
			} else {
				requireRefusal(t, err, tt.code, tt.particulars...)
			}
			require.Equal(t, tt.udp, server.udp.Load(), "questions over UDP")
			require.Equal(t, tt.tcp, server.tcp.Load(), "questions over TCP")
		})
	}
}

func TestDNSIsAskedOnlyWhereNoObjectAnswers(t *testing.T) {
	answering := records(map[string][]string{prefixed: {prefixed + " 5 IN A 242.0.255.1"}})
	pending := status(ingressIP, "{}")
	several := strings.Replace(serviceImport, "[{cluster: cluster-a}]", "[{cluster: cluster-a}, {cluster: cluster-b}]", 1)
	tests := []struct {
		name        string
		objects     []string
		handle      handle
		want        string
		code        reason.Code
		particulars []string
		asked       int32
	}{
		{name: "no object, so the DNS is asked", objects: []string{propertyA}, handle: answering, want: "242.0.255.1", asked: 1},
		{name: "an object answers, so the DNS is not asked", objects: []string{submarinerA, ingressIP}, handle: answering, want: "242.0.255.253"},
		{name: "an object is not ready, so the DNS is not asked", objects: []string{submarinerA, pending}, handle: answering, code: reason.GlobalIPNotAllocated},
		{name: "several clusters export, so the DNS is asked for this one's", objects: []string{propertyA, several}, handle: answering, want: "242.0.255.1", asked: 1},
		{
			name: "several clusters export and the DNS does not know, so the exporters are told first", objects: []string{propertyA, several},
			handle: rcode(dns.RcodeNameError), code: reason.SeveralExporters, particulars: []string{"cluster-a, cluster-b", prefixed}, asked: 1,
		},
		{
			name: "nothing answers, so the DNS's reason is told, and what the objects lack", objects: []string{submarinerA},
			handle: rcode(dns.RcodeNameError), code: reason.DNSNameError, asked: 1,
			particulars: []string{prefixed, "there is no GlobalIngressIP rook-ceph/rook-ceph-mon-a", "there is no ServiceImport"},
		},
		{
			name: "the DNS's answer is held against the range of this cluster", objects: []string{submarinerA, clusterA, clusterB},
			handle: records(map[string][]string{prefixed: {prefixed + " 5 IN A 242.1.0.1"}}),
			code:   reason.InsidePeerCIDR, particulars: []string{"DNS says 242.1.0.1", "cluster-b"}, asked: 1,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := startNameserver(t, tt.handle)
			w := world{objects: objects(t, tt.objects...), options: resolver.Options{DNSServer: server.address, GlobalCIDRs: ranges("242.0.0.0/16")}}
			got, err := resolve(t.Context(), w.resolver(t))
			if tt.code == "" {
				require.NoError(t, err)
				require.Equal(t, netip.MustParseAddr(tt.want), got.IP)
			} else {
				requireRefusal(t, err, tt.code, tt.particulars...)
			}
			require.Equal(t, tt.asked, server.udp.Load())
		})
	}
}

func TestTheTimeOfALookupIsBoundedWhateverTheNumberOfServers(t *testing.T) {
	var lines []string
	for range 3 {
		lines = append(lines, "nameserver "+startNameserver(t, silence).address)
	}
	r := dnsOnly(resolver.Options{
		ClusterID: "cluster-a", ResolvConf: resolvConf(t, lines...),
		DNSTryTimeout: 400 * time.Millisecond, DNSTimeout: 600 * time.Millisecond,
	}).resolver(t)
	begin := time.Now()
	_, err := resolve(t.Context(), r)
	requireRefusal(t, err, reason.DNSTimeout)
	require.GreaterOrEqual(t, time.Since(begin), 600*time.Millisecond, "a second server is asked")
	require.Less(t, time.Since(begin), 1800*time.Millisecond, "not every server is asked twice")
}

func TestAnAnswerThatIsCutOffInTheMiddleOfARecordIsAskedForAgainOverTCP(t *testing.T) {
	server := serve(t, func(network string, w dns.ResponseWriter, question *dns.Msg) {
		m := reply(question, dns.RcodeSuccess, prefixed+" 5 IN A 242.0.255.253")
		m.Truncated = network == "udp"
		packed, err := m.Pack()
		if err == nil && network == "udp" {
			packed = packed[:len(packed)-2]
		}
		_, _ = w.Write(packed)
	})
	r := dnsOnly(resolver.Options{ClusterID: "cluster-a", DNSServer: server.address}).resolver(t)
	got, err := resolve(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, netip.MustParseAddr("242.0.255.253"), got.IP)
	require.EqualValues(t, 1, server.tcp.Load())
}

func TestALookupThatNobodyWaitsForEndsAtOnce(t *testing.T) {
	asked := make(chan struct{}, 1)
	server := startNameserver(t, func(string, *dns.Msg) *dns.Msg { asked <- struct{}{}; return nil })
	r := world{kinds: served{}, options: resolver.Options{
		ClusterID: "cluster-a", DNSServer: server.address, DNSTryTimeout: time.Minute, DNSTimeout: time.Minute,
	}}.resolver(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	begin := time.Now()
	_, err := resolve(ctx, r)
	requireRefusal(t, err, reason.ClientGone, prefixed)
	require.Less(t, time.Since(begin), 5*time.Second)
}

func TestTheServersOfResolvConf(t *testing.T) {
	good := startNameserver(t, records(map[string][]string{prefixed: {prefixed + " 5 IN A 242.0.255.253"}}))
	broken := startNameserver(t, rcode(dns.RcodeServerFailure))
	nowhere := unusedAddress(t)
	tests := []struct {
		name        string
		lines       []string
		code        reason.Code
		particulars []string
	}{
		{name: "the search list is not applied", lines: []string{"search example.com", "options ndots:5", "nameserver " + good.address}},
		{name: "the second server answers where the first fails", lines: []string{"nameserver " + broken.address, "nameserver " + good.address}},
		{name: "the second server answers where the first is not there", lines: []string{"nameserver " + nowhere, "nameserver " + good.address}},
		{
			name: "a server that is not there is told", lines: []string{"nameserver " + nowhere},
			code: reason.DNSServerFailure, particulars: []string{nowhere, "refused"},
		},
		{
			name:  "no more than three servers are asked",
			lines: []string{"nameserver " + broken.address, "nameserver " + broken.address, "nameserver " + broken.address, "nameserver " + good.address},
			code:  reason.DNSServerFailure,
		},
		{
			name: "a file without servers is told", lines: []string{"search example.com"},
			code: reason.NoSource, particulars: []string{"names no DNS server", "--dns-server"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := dnsOnly(resolver.Options{ClusterID: "cluster-a", ResolvConf: resolvConf(t, tt.lines...)}).resolver(t)
			got, err := resolve(t.Context(), r)
			if tt.code != "" {
				requireRefusal(t, err, tt.code, tt.particulars...)
				return
			}
			require.NoError(t, err)
			require.Equal(t, netip.MustParseAddr("242.0.255.253"), got.IP)
		})
	}
}

func TestResolvConfIsReadAnewForEachLookup(t *testing.T) {
	good := startNameserver(t, records(map[string][]string{prefixed: {prefixed + " 5 IN A 242.0.255.253"}}))
	file := filepath.Join(t.TempDir(), "resolv.conf")
	r := dnsOnly(resolver.Options{ClusterID: "cluster-a", ResolvConf: file}).resolver(t)
	_, err := resolve(t.Context(), r)
	requireRefusal(t, err, reason.NoSource, file)

	require.NoError(t, os.WriteFile(file, []byte("nameserver "+good.address+"\n"), 0o600))
	_, err = resolve(t.Context(), r)
	require.NoError(t, err)
}

func resolvConf(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "resolv.conf")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return file
}

// unusedAddress is one at which nothing listens.
func unusedAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	packets, err := config.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, packets.Close()) }()
	return packets.LocalAddr().String()
}
