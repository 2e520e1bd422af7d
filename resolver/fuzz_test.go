package resolver_test

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
)

// FuzzDNSReply has a real server answer a real question with any bytes.
func FuzzDNSReply(f *testing.F) {
	question := new(dns.Msg).SetQuestion(prefixed, dns.TypeA)
	for _, m := range []*dns.Msg{
		reply(question, dns.RcodeSuccess, prefixed+" 5 IN A 242.0.255.253"),
		reply(question, dns.RcodeSuccess, prefixed+" 5 IN A 242.0.255.253", prefixed+" 5 IN A 242.0.0.1"),
		reply(question, dns.RcodeSuccess, prefixed+" 5 IN CNAME evil.example.", "evil.example. 5 IN A 242.0.0.66"),
		reply(question, dns.RcodeSuccess, prefixed+" 5 IN AAAA fd00::1"),
		reply(question, dns.RcodeNameError),
		reply(question, dns.RcodeServerFailure),
	} {
		text, err := m.Pack()
		require.NoError(f, err)
		f.Add(text)
		m.Truncated = true
		text, err = m.Pack()
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0x80})

	var answer atomic.Pointer[[]byte]
	server := serve(f, func(_ string, w dns.ResponseWriter, question *dns.Msg) {
		text := append([]byte{}, *answer.Load()...)
		if len(text) >= 2 {
			// With another ID nobody would look at the rest.
			binary.BigEndian.PutUint16(text, question.Id)
		}
		_, _ = w.Write(text)
	})
	r := dnsOnly(resolver.Options{ClusterID: "cluster-a", DNSServer: server.address, DNSTryTimeout: 50 * time.Millisecond}).resolver(f)
	ours := netip.MustParsePrefix("242.0.0.0/8")
	f.Fuzz(func(t *testing.T, text []byte) {
		answer.Store(&text)
		got, err := resolve(t.Context(), r)
		if err != nil {
			_, known := errors.AsType[*reason.Error](err)
			require.True(t, known, "%v", err)
			return
		}
		require.True(t, ours.Contains(got.IP), got.IP)
	})
}
