package probe

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsProbedElsewhereIsWhatWouldBeProbedHere(t *testing.T) {
	for _, given := range []string{"mon=242.0.0.10", "osd=fd00::20", "osd=242.0.0.10:6808", "mon=[fd00::10]:3300", "242.0.0.10:6808", "242.0.0.10"} {
		target, err := ParseTarget(given)
		require.NoError(t, err)
		arguments := Arguments([]Target{target})
		require.Equal(t, []string{given}, arguments)
	}
	// What only the port tells is told by the port elsewhere too.
	target, err := ParseTarget("242.0.0.10:3300")
	require.NoError(t, err)
	require.Equal(t, []string{"mon=242.0.0.10:3300"}, Arguments([]Target{target}))
}

func TestWhatWasFoundElsewhereHasTheNamesThatAnAdminKnows(t *testing.T) {
	targets, err := TargetsOfStatus([]byte(`{"apiVersion": "status.rook-clusterset.io/v1", "daemons": [
	  {"namespace": "rook-ceph", "type": "osd", "id": "0", "globalIP": "242.0.0.20"},
	  {"namespace": "rook-ceph", "type": "osd", "id": "1", "globalIP": ""},
	  {"namespace": "rook-ceph", "type": "mon", "id": "a", "globalIP": "242.0.0.10"}]}`))
	require.NoError(t, err)
	require.Equal(t, []string{"osd=242.0.0.20", "mon=242.0.0.10"}, Arguments(targets))

	text, err := json.Marshal([]Finding{
		finding(Target{Daemon: "mon", Want: EntityMon}, Heard{Endpoint: netip.MustParseAddrPort("242.0.0.10:3300"), Entity: EntityMon}, OK, ""),
		finding(Target{Daemon: "osd", Want: EntityOSD}, Heard{Endpoint: netip.MustParseAddrPort("242.0.0.20:6800")}, ConnRefused, "nobody listens"),
	})
	require.NoError(t, err)
	var found []Finding
	require.NoError(t, json.Unmarshal(text, &found))
	named := Named(targets, found)
	require.Len(t, named, 3)
	for i, want := range []Finding{
		{Daemon: "rook-ceph/osd.0", Verdict: ConnRefused, Level: LevelFault},
		{Daemon: "rook-ceph/osd.1", Verdict: NoAddress, Level: LevelUnknown},
		{Daemon: "rook-ceph/mon.a", Verdict: OK, Level: LevelOK, Entity: EntityMon},
	} {
		require.Equal(t, want.Daemon, named[i].Daemon)
		require.Equal(t, want.Verdict, named[i].Verdict)
		require.Equal(t, want.Level, named[i].Level)
		require.Equal(t, want.Entity, named[i].Entity)
	}
}
