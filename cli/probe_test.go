package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/pages"
	"github.com/rook-clusterset/rook-clusterset/probe"
)

// probing runs the command and returns its exit code, and all that it printed.
func probing(t *testing.T, in string, args ...string) (int, string) {
	t.Helper()
	var out, errOut bytes.Buffer
	all := append([]string{"rook-clusterset", "probe", "--timeout", "200ms"}, args...)
	code := Main(t.Context(), "v0", all, strings.NewReader(in), &out, &errOut)
	return code, out.String() + errOut.String()
}

// nobody returns an address of loopback at which nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	return listener.Addr().String()
}

func TestProbeExitsWithWhatItFound(t *testing.T) {
	const unborn = `{"apiVersion": "status.rook-clusterset.io/v1", "daemons": [{"namespace": "rook-ceph", "type": "osd", "id": "0", "globalIP": ""}]}`
	for name, c := range map[string]struct {
		in   string
		args []string
		code int
		says string
	}{
		"nothing is asked for":           {"", nil, 2, "give one of --token-file, --status and addresses"},
		"two things are asked for":       {unborn, []string{"--status", "-", "mon=127.0.0.1"}, 2, "give one of --token-file, --status and addresses"},
		"a name is asked for":            {"", []string{"mon=mon.example"}, 2, "is no IP address"},
		"a file is missing":              {"", []string{"--status", "missing.json"}, 2, "read whom to probe"},
		"a range is none":                {"", []string{"--global-cidr", "242.0.0.0", "mon=127.0.0.1:1"}, 2, "read --global-cidr"},
		"a format is none":               {"", []string{"-o", "xml", "mon=127.0.0.1:1"}, 2, "give table or json"},
		"a daemon has no address yet":    {unborn, []string{"--status", "-"}, 2, "no_address"},
		"nobody listens":                 {"", []string{"mon=" + nobody(t)}, 1, "refused"},
		"nobody listens, told in JSON":   {"", []string{"-o", "json", "mon=" + nobody(t)}, 1, `"verdict": "refused"`},
		"what to do stands in the table": {"", []string{"mon=" + nobody(t)}, 1, "look whether the daemon runs"},
	} {
		t.Run(name, func(t *testing.T) {
			code, printed := probing(t, c.in, c.args...)
			require.Equal(t, c.code, code, printed)
			require.Contains(t, printed, c.says)
		})
	}
}

func TestThePageShowsTheTableAsProbePrintsIt(t *testing.T) {
	const here, mon, osd = "242.1.255.1", "rook-ceph/mon.a", "rook-ceph/osd.0"
	var out bytes.Buffer
	require.NoError(t, printFindings(&out, []probe.Finding{
		{Daemon: mon, Address: "242.0.0.10:3300", Protocol: "v2", Entity: probe.EntityMon, SeenAs: here, Verdict: probe.OK, Level: probe.LevelOK},
		{Daemon: mon, Address: "242.0.0.10:6789", Protocol: "v1", Advertised: "242.0.0.10:6789", SeenAs: here, Verdict: probe.OK, Level: probe.LevelOK},
		{Daemon: osd, Address: "242.0.0.20:6800", Protocol: "v2", Entity: probe.EntityOSD, SeenAs: here, Verdict: probe.AdvertisesOther, Level: probe.LevelFault},
		{Daemon: osd, Address: "242.0.0.20:6801", Protocol: "v1", Advertised: "10.244.0.9:6801", SeenAs: here, Verdict: probe.AdvertisesOther, Level: probe.LevelFault},
	}, "table"))
	shown, err := pages.Shown("..", "docs/probe.md")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(out.String(), shown[0]), out.String())
}

func TestProbeNeverShowsTheKeyOfAToken(t *testing.T) {
	const key = "AQBzZWNyZXRzZWNyZXRzZWNyZXRzZWNyZXQ="
	for name, monHost := range map[string]string{"a token as it should be": "127.0.0.1:3300", "a token with a key in the wrong place": key} {
		text, err := json.Marshal(map[string]string{"fsid": "c9a1", "client_id": "rbd-mirror-peer", "key": key, "mon_host": monHost})
		require.NoError(t, err)
		token := base64.StdEncoding.EncodeToString(text)
		for _, output := range []string{"table", "json"} {
			t.Run(name+", as "+output, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "token")
				require.NoError(t, os.WriteFile(file, []byte(token), 0o600))
				code, printed := probing(t, "", "--token-file", file, "-o", output)
				require.NotZero(t, code)
				require.NotContains(t, printed, key)
				require.NotContains(t, printed, key[4:20])
				require.NotContains(t, printed, token[:16])
			})
		}
	}
}
