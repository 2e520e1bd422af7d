package probe

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

const key = "AQBsecretsecretsecretsecretsecretsecret=="

func tokenOf(t testing.TB, monHost string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]string{
		"fsid": "c9a1", "client_id": "rbd-mirror-peer", "key": key, "mon_host": monHost, "namespace": "rook-ceph",
	})
	require.NoError(t, err)
	return []byte(base64.StdEncoding.EncodeToString(text) + "\n")
}

func addressesOf(targets []Target) []string {
	var all []string
	for _, target := range targets {
		all = append(all, target.Address.String())
	}
	return all
}

func TestTheMonsOfATokenAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		monHost string
		want    []string
	}{
		"as Rook writes it":                 {"242.0.0.10:3300,242.0.0.11:3300", []string{"242.0.0.10", "242.0.0.11"}},
		"as Ceph writes it":                 {"[v2:242.0.0.10:3300/0,v1:242.0.0.10:6789/0],[v2:242.0.0.11:3300/0,v1:242.0.0.11:6789/0]", []string{"242.0.0.10", "242.0.0.11"}},
		"IPv6":                              {"[v2:[fd00::10]:3300,v1:[fd00::10]:6789],[fd00::11]:3300,fd00::12", []string{"fd00::10", "fd00::11", "fd00::12"}},
		"without a port, and with a blank":  {"242.0.0.10 242.0.0.11", []string{"242.0.0.10", "242.0.0.11"}},
		"a group of one, with a semicolon":  {"[v2:242.0.0.10:3300];[v1:242.0.0.11:6789]", []string{"242.0.0.10", "242.0.0.11"}},
		"a mon that stands there two times": {"242.0.0.10:3300,242.0.0.10:6789", []string{"242.0.0.10"}},
	} {
		t.Run(name, func(t *testing.T) {
			targets, err := TargetsOfToken(tokenOf(t, c.monHost))
			require.NoError(t, err)
			require.Equal(t, c.want, addressesOf(targets))
			for _, target := range targets {
				require.Equal(t, EntityMon, target.Want)
				require.Equal(t, []uint16{3300, 6789}, target.Ports)
			}
		})
	}
}

func TestAnErrorAboutATokenTellsNothingOfIt(t *testing.T) {
	whole := tokenOf(t, "mon.example")
	for name, token := range map[string][]byte{
		"no base64":                 []byte(key + "!"),
		"base64 of what is no JSON": []byte(base64.StdEncoding.EncodeToString([]byte(key))),
		"mon_host is no text":       []byte(base64.StdEncoding.EncodeToString([]byte(`{"key":"` + key + `","mon_host":["` + key + `"]}`))),
		"no mon_host":               tokenOf(t, ""),
		"a name in mon_host":        whole,
		"a key in mon_host":         tokenOf(t, key),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := TargetsOfToken(token)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "secret")
			require.NotContains(t, err.Error(), string(whole[:8]))
		})
	}
}

func TestTheDaemonsOfAStatusAreFound(t *testing.T) {
	const form = `{"apiVersion": "status.rook-clusterset.io/v1", "kind": "Status", "fieldOfTomorrow": true, "daemons": `
	targets, err := TargetsOfStatus([]byte(form + `[
	  {"namespace": "rook-ceph", "type": "mon", "id": "a", "globalIP": "242.0.0.10", "state": "ok"},
	  {"namespace": "rook-ceph", "type": "osd", "id": "12", "globalIP": "242.0.0.20"},
	  {"namespace": "rook-ceph", "type": "osd", "id": "13", "globalIP": ""}]}`))
	require.NoError(t, err)
	require.Len(t, targets, 3)
	require.Equal(t, "rook-ceph/mon.a", targets[0].Daemon)
	require.Equal(t, EntityOSD, targets[1].Want)
	require.Equal(t, []uint16{6800, 6801}, targets[1].Ports)
	require.False(t, targets[2].Address.IsValid())

	for _, wrong := range []string{
		"", "{}", "[]", form + "[]}", form + `[{"type":"mds"}]}`, form + `[{"type":"mon","globalIP":"-"}]}`,
		`{"apiVersion": "status.rook-clusterset.io/v2", "daemons": [{"type":"mon","id":"a"}]}`,
	} {
		_, err := TargetsOfStatus([]byte(wrong))
		require.Error(t, err, wrong)
	}
}

func TestAnAddressIsReadAsAPersonGivesIt(t *testing.T) {
	for text, want := range map[string]Target{
		"mon=242.0.0.10":      {Daemon: "mon", Want: EntityMon, Ports: []uint16{3300, 6789}},
		"osd=242.0.0.10":      {Daemon: "osd", Want: EntityOSD, Ports: []uint16{6800, 6801}},
		"osd=242.0.0.10:6808": {Daemon: "osd", Want: EntityOSD, Ports: []uint16{6808}},
		"242.0.0.10:6789":     {Daemon: "port 6789", Want: EntityMon, Ports: []uint16{6789}},
		"242.0.0.10:6808":     {Daemon: "port 6808", Ports: []uint16{6808}},
		"242.0.0.10":          {Daemon: "any", Ports: []uint16{3300, 6789, 6800, 6801}},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := ParseTarget(text)
			require.NoError(t, err)
			require.Equal(t, "242.0.0.10", got.Address.String())
			want.Address = got.Address
			require.Equal(t, want, got)
		})
	}
	for _, wrong := range []string{"", "mon", "mds=242.0.0.10", "mon=a.example", "a.example:3300", "mon="} {
		_, err := ParseTarget(wrong)
		require.Error(t, err, wrong)
	}
}

func FuzzTargetsOfToken(f *testing.F) {
	f.Add(tokenOf(f, "[v2:242.0.0.10:3300/0,v1:242.0.0.10:6789/0],[fd00::11]:3300"))
	f.Add([]byte("e30="))
	f.Fuzz(func(t *testing.T, token []byte) {
		targets, err := TargetsOfToken(token)
		if err == nil {
			require.NotEmpty(t, targets)
		}
		for _, target := range targets {
			require.True(t, target.Address.IsValid())
		}
	})
}
