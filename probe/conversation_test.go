package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const patience = 400 * time.Millisecond

// serve has each connection handled, and returns where.
func serve(t *testing.T, handle func(net.Conn)) netip.AddrPort {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			}()
		}
	}()
	return netip.MustParseAddrPort(listener.Addr().String())
}

// ceph speaks msgr v2 as a daemon does, with a limit in bytes for what arrives in one frame.
func ceph(entity Entity, limit int) func(net.Conn) {
	return func(conn net.Conn) {
		l := line{conn: conn, timeout: 5 * time.Second}
		peer := netip.MustParseAddrPort(conn.RemoteAddr().String())
		_ = l.write(banner(Features{Supported: 3}))
		if _, err := l.read(make([]byte, len(bannerV2))); err != nil || l.hearFeatures() != nil {
			return
		}
		_ = l.write(appendHello(nil, Hello{Entity: entity, Seen: peer}))
		if _, err := l.hearFrame(TagHello); err != nil {
			return
		}
		for {
			payload, err := l.hearFrame(TagAuthRequest)
			if err != nil || len(payload) > limit {
				_, _ = io.Copy(io.Discard, conn)
				return
			}
			_ = l.write(appendFrame(nil, TagAuthBadMethod, make([]byte, 16)))
		}
	}
}

// saying returns what says something and waits to be left.
func saying(b []byte) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Write(b)
		_, _ = io.Copy(io.Discard, conn)
	}
}

func TestAConversationTellsWhoIsThere(t *testing.T) {
	badHello := appendHello(banner(Features{Supported: 3}), Hello{Entity: EntityMon, Seen: netip.MustParseAddrPort("10.0.0.1:1")})
	badHello[len(badHello)-1] ^= 1
	for name, c := range map[string]struct {
		handle  func(net.Conn)
		outcome Outcome
		problem string
	}{
		"a mon":                                  {ceph(EntityMon, maxAnswer), Answered, ""},
		"a daemon of msgr v1":                    {saying(recorded(t, "osd-v1")), Answered, ""},
		"nobody speaks":                          {saying(nil), Silent, "first words"},
		"it closes at once":                      {func(net.Conn) {}, HungUp, "first words"},
		"it closes in the middle of msgr v1":     {func(c net.Conn) { _, _ = c.Write(recorded(t, "osd-v1")[:100]) }, HungUp, "msgr v1"},
		"it stops in the middle of msgr v1":      {saying(recorded(t, "osd-v1")[:100]), Silent, "msgr v1"},
		"msgr v1 with an address of no family":   {saying([]byte(bannerV1 + strings.Repeat("\x07", 2*legacySize))), NotCeph, "family"},
		"an SSH server":                          {saying([]byte("SSH-2.0-OpenSSH_9.2p1\r\n")), NotCeph, `"SSH-2.0-"`},
		"it says little":                         {saying([]byte("hm")), NotCeph, `"hm" and no more`},
		"msgr v2 of an old Ceph":                 {saying(banner(Features{})), NotCeph, "older than 14.2.11"},
		"msgr v2 and then nothing":               {saying(banner(Features{Supported: 3})), Silent, "hear HELLO"},
		"msgr v2 with a bit that is wrong":       {saying(badHello), NotCeph, "checksum"},
		"msgr v2 with another frame than HELLO":  {saying(appendFrame(banner(Features{Supported: 3}), TagAuthBadMethod, []byte("x"))), NotCeph, "tag 3 where 1"},
		"small frames are not answered any more": {ceph(EntityMon, 0), Silent, "small frame"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			heard := Converse(t.Context(), serve(t, c.handle), patience)
			require.Equal(t, c.outcome, heard.Outcome, heard.Problem)
			require.Contains(t, heard.Problem, c.problem)
			require.False(t, heard.LargeLost)
		})
	}
}

func TestWhatWasHeardOfEachProtocol(t *testing.T) {
	heard := Converse(t.Context(), serve(t, ceph(EntityOSD, maxAnswer)), patience)
	require.Equal(t, "v2", heard.Protocol)
	require.Equal(t, EntityOSD, heard.Entity)
	require.Equal(t, "127.0.0.1", heard.Seen.Addr().String())
	require.False(t, heard.Advertised.IsValid())

	heard = Converse(t.Context(), serve(t, saying(recorded(t, "osd-v1"))), patience)
	require.Equal(t, "v1", heard.Protocol)
	require.Zero(t, heard.Entity)
	require.Equal(t, "10.9.0.3:6801", heard.Advertised.String())
	require.True(t, heard.Seen.IsValid())
}

func TestALargeFrameThatIsLostIsTold(t *testing.T) {
	heard := Converse(t.Context(), serve(t, ceph(EntityMon, 1500)), patience)
	require.Equal(t, Answered, heard.Outcome, heard.Problem)
	require.True(t, heard.LargeLost)
}

func TestAServerThatWaitsToBeSpokenToIsKnown(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	heard := Converse(t.Context(), netip.MustParseAddrPort(server.Listener.Addr().String()), patience)
	require.Equal(t, NotCeph, heard.Outcome)
	require.Contains(t, heard.Problem, `"HTTP/1.1"`)
}

func TestNobodyListens(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	endpoint := netip.MustParseAddrPort(listener.Addr().String())
	require.NoError(t, listener.Close())
	require.Equal(t, Refused, Converse(t.Context(), endpoint, patience).Outcome)
}

// TestAnAttemptToConnectIsSwallowed fills the queue of a listener: the kernel then answers nothing, as a firewall does.
func TestAnAttemptToConnectIsSwallowed(t *testing.T) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(socket) })
	require.NoError(t, unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(socket, 0))
	name, err := unix.Getsockname(socket)
	require.NoError(t, err)
	endpoint := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(name.(*unix.SockaddrInet4).Port))
	waiting, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", endpoint.String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = waiting.Close() })
	require.Equal(t, Swallowed, Converse(t.Context(), endpoint, patience).Outcome)
}

func TestACallerWithoutTimeIsToldNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience/4)
	defer cancel()
	began := time.Now()
	heard := Converse(ctx, serve(t, saying(nil)), 10*time.Second)
	require.Equal(t, Failed, heard.Outcome)
	require.Less(t, time.Since(began), 4*time.Second, "it does not wait for its own time")
}

func TestHowAnAttemptToConnectEnded(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Outcome
	}{
		{syscall.ECONNREFUSED, Refused},
		{syscall.EHOSTUNREACH, NoRoute},
		{syscall.ENETUNREACH, NoRoute},
		{os.ErrDeadlineExceeded, Swallowed},
		{syscall.ETIMEDOUT, Swallowed},
		{syscall.EACCES, Failed},
		{errors.New("else"), Failed},
	} {
		require.Equal(t, c.want, ofDial(t.Context(), &net.OpError{Op: "dial", Err: c.err}), c.err)
	}
}

func TestEveryTargetIsProbedInItsOrder(t *testing.T) {
	good := serve(t, ceph(EntityOSD, maxAnswer))
	var targets []Target
	for range 3 * atOnce {
		targets = append(targets, Target{Daemon: "osd", Want: EntityOSD, Address: good.Addr(), Ports: []uint16{good.Port()}})
	}
	targets = append(targets, Target{Daemon: "without"})
	findings := Run(t.Context(), targets, nil, 5*time.Second)
	require.Len(t, findings, len(targets))
	for _, f := range findings[:len(targets)-1] {
		require.Equal(t, OK, f.Verdict, f.Says)
	}
	require.Equal(t, NoAddress, findings[len(targets)-1].Verdict)
}
