package probe

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorded returns what a daemon of Ceph 18.2.7 said to a probe: a mon at 10.9.0.1, and an OSD at 10.9.0.2 that advertises
// 10.9.0.3.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	require.NoError(t, err)
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	return b
}

func TestTheGreetingOfARealDaemonIsRead(t *testing.T) {
	greeting, err := DecodeGreeting(recorded(t, "mon-v1"))
	require.NoError(t, err)
	require.Equal(t, "10.9.0.1:6789", greeting.Advertised.String())
	require.Equal(t, "10.9.0.1", greeting.Seen.Addr().String())

	greeting, err = DecodeGreeting(recorded(t, "osd-v1"))
	require.NoError(t, err)
	require.Equal(t, "10.9.0.3:6801", greeting.Advertised.String(), "it was dialled at 10.9.0.2")
}

func TestTheFramesOfARealDaemonAreRead(t *testing.T) {
	for name, entity := range map[string]Entity{"mon-v2": EntityMon, "osd-v2": EntityOSD} {
		t.Run(name, func(t *testing.T) {
			said := recorded(t, name)
			prefix := len(bannerV2) + 2 + 16
			require.Equal(t, bannerV2, string(said[:len(bannerV2)]))
			features, err := DecodeFeatures(said[len(bannerV2)+2 : prefix])
			require.NoError(t, err)
			require.Equal(t, Features{Supported: 3}, features)

			rest := said[prefix:]
			var tags []Tag
			for len(rest) > 0 {
				preamble, err := DecodePreamble(rest)
				require.NoError(t, err)
				end := preambleSize + int(preamble.Length) + crcSize
				payload, err := DecodePayload(rest[preambleSize:end])
				require.NoError(t, err)
				if preamble.Tag == TagHello {
					hello, err := DecodeHello(payload)
					require.NoError(t, err)
					require.Equal(t, entity, hello.Entity)
					require.True(t, hello.Seen.IsValid())
				}
				tags, rest = append(tags, preamble.Tag), rest[end:]
			}
			require.Equal(t, []Tag{TagHello, TagAuthBadMethod, TagAuthBadMethod}, tags)
		})
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, text := range []string{"242.0.0.10:3300", "[fd00::10]:3300"} {
		t.Run(text, func(t *testing.T) {
			want := Hello{Entity: EntityClient, Seen: netip.MustParseAddrPort(text)}
			frame := appendHello(nil, want)
			preamble, err := DecodePreamble(frame)
			require.NoError(t, err)
			require.Equal(t, TagHello, preamble.Tag)
			payload, err := DecodePayload(frame[preambleSize:])
			require.NoError(t, err)
			got, err := DecodeHello(payload)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestWhatIsNoFrameIsTold(t *testing.T) {
	frame := appendFrame(nil, TagHello, []byte("payload"))
	for name, change := range map[string]func([]byte) []byte{
		"the beginning is cut off":   func(b []byte) []byte { return b[:preambleSize-1] },
		"a bit of the beginning":     func(b []byte) []byte { b[2] ^= 1; return b },
		"the payload is cut off":     func(b []byte) []byte { return b[:len(b)-1] },
		"a bit of the payload":       func(b []byte) []byte { b[preambleSize] ^= 1; return b },
		"the checksum is not there":  func(b []byte) []byte { return b[:preambleSize+crcSize-1] },
		"it is longer than any such": func([]byte) []byte { return appendFrame(nil, TagHello, make([]byte, maxAnswer+1)) },
	} {
		t.Run(name, func(t *testing.T) {
			b := change(bytes.Clone(frame))
			_, err := DecodePreamble(b)
			if err == nil {
				_, err = DecodePayload(b[preambleSize:])
			}
			require.Error(t, err)
		})
	}
}

func TestFeaturesThatWeDoNotShareAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		features Features
		wrong    string
	}{
		"as Ceph has them today":        {Features{Supported: 3}, ""},
		"it requires what we know":      {Features{Supported: 3, Required: 1}, ""},
		"it is too old":                 {Features{}, "older than 14.2.11"},
		"it requires what is not known": {Features{Supported: 7, Required: 4}, "0x4"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := DecodeFeatures(banner(c.features)[len(bannerV2)+2:])
			if c.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.wrong)
		})
	}
}

func FuzzFrames(f *testing.F) {
	for _, name := range []string{"mon-v1", "osd-v1", "mon-v2", "osd-v2"} {
		f.Add(recorded(f, name))
	}
	f.Add(recorded(f, "mon-v2")[len(bannerV2)+2+16:])
	f.Add(appendAddress([]byte{1}, netip.MustParseAddrPort("[fd00::10]:3300")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if greeting, err := DecodeGreeting(b); err == nil {
			require.GreaterOrEqual(t, len(b), greetingSize)
			_ = greeting
		}
		if preamble, err := DecodePreamble(b); err == nil {
			require.LessOrEqual(t, preamble.Length, uint32(maxAnswer))
		}
		if payload, err := DecodePayload(b); err == nil {
			require.Len(t, payload, len(b)-crcSize)
		}
		_, _ = DecodeFeatures(b)
		hello, err := DecodeHello(b)
		if err != nil || !hello.Seen.IsValid() {
			return
		}
		again, err := DecodeHello(appendAddress([]byte{byte(hello.Entity)}, hello.Seen))
		require.NoError(t, err)
		require.Equal(t, hello, again)
	})
}
