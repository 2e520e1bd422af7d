package migration

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// dialling returns a prober that finds what each address says first; all others cannot be dialled.
func dialling(says map[string]string) prober {
	return prober{dial: func(_ context.Context, _, address string) (net.Conn, error) {
		banner, listens := says[address]
		if !listens {
			return nil, errors.New("no route to host")
		}
		ours, theirs := net.Pipe()
		go func() {
			_, _ = theirs.Write([]byte(banner))
			_ = theirs.Close()
		}()
		return ours, nil
	}}
}

func TestAProbeTellsSomethingOnlyWhereAnotherDaemonAnswers(t *testing.T) {
	mon := rook.Daemon{Type: rook.Mon, ID: "a", Namespace: ns}
	at := func(d rook.Daemon, ip string, global bool) rook.DaemonFacts {
		facts := rook.DaemonFacts{Daemon: d, Deployed: true, Export: rook.Export{GlobalIP: netip.MustParseAddr(ip)}, Rollout: rook.Rollout{Available: true}}
		if global {
			facts.Address = facts.Export.GlobalIP
		}
		return facts
	}
	f := Facts{Snapshot: view.Snapshot{Daemons: []rook.DaemonFacts{
		at(mon, "242.0.0.1", false),
		at(rook.Daemon{Type: rook.Mon, ID: "b", Namespace: ns}, "242.0.0.2", false),
		at(rook.Daemon{Type: rook.Mon, ID: "d", Namespace: ns}, "242.0.0.4", true),
		at(rook.Daemon{Type: rook.OSD, ID: "0", Namespace: ns}, "242.0.0.10", true),
	}}}
	for name, c := range map[string]struct {
		says map[string]string
		want Probe
	}{
		"it answers":                               {map[string]string{"242.0.0.1:3300": "ceph v2\n"}, Answered},
		"nobody answers here":                      {nil, NotTold},
		"only a mon at its ClusterIP answers":      {map[string]string{"242.0.0.2:3300": "ceph v2\n"}, NotTold},
		"a mon at its global IP answers":           {map[string]string{"242.0.0.4:3300": "ceph v2\n"}, Unanswered},
		"an OSD at its global IP answers":          {map[string]string{"242.0.0.10:6800": "ceph v2\n"}, Unanswered},
		"it says something else, and a mon does":   {map[string]string{"242.0.0.1:3300": "HTTP/1.1", "242.0.0.4:3300": "ceph v2\n"}, Unanswered},
		"it says something else, and so do others": {map[string]string{"242.0.0.1:3300": "HTTP/1.1", "242.0.0.4:3300": "HTTP/1.1"}, NotTold},
		"it hangs up":                              {map[string]string{"242.0.0.1:3300": ""}, NotTold},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, dialling(c.says).ask(t.Context(), f, mon)) })
	}
}

// What others tell of, or what passes by itself, is no event of ours; all that holds back a step otherwise is.
func TestWhatIsToldByEvents(t *testing.T) {
	require.True(t, quiet("", "settling"))
	require.True(t, quiet("osd_written", "status_before_step"))
	require.True(t, quiet("", "migration_done"), "a cluster that never had anything to move")
	require.False(t, quiet("osd_written", "migration_done"))
	require.True(t, quiet("", "export_not_valid"), "the exporter tells")
	require.True(t, quiet("", "cephcluster_host_network"), "the exporter tells")
	for _, code := range own {
		if code != "migration_done" {
			require.False(t, quiet("", code), code)
		}
		require.True(t, code.Known(), code)
	}
	require.Subset(t, own, warnings)
}
