package cli

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/probe"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// lookedAt is when the status of these tests is looked at.
var lookedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// daemonIn returns a mon that is in the state.
func daemonIn(state reason.Code, id string) rook.DaemonFacts {
	ip := netip.MustParseAddr(globalIP)
	d := rook.DaemonFacts{
		Daemon: rook.Daemon{Type: rook.Mon, ID: id, Namespace: "rook-ceph"},
		Export: *exported(func(e *rook.Export) {
			e.Exists, e.Ours, e.Valid, e.Created = true, true, metav1.ConditionTrue, lookedAt.Add(-90*time.Minute)
		}),
		Deployed: true, Address: ip, Listed: ip,
	}
	old := netip.MustParseAddr(clusterIP)
	unborn := func() {
		d.Deployed, d.Address, d.Listed, d.Export.GlobalIP = false, netip.Addr{}, netip.Addr{}, netip.Addr{}
	}
	switch state {
	case reason.OK:
	case reason.ExportMissing:
		d.Export = rook.Export{}
	case reason.ExportForeign:
		d.Export.Ours = false
	case reason.ExportNotValid:
		unborn()
		d.Export.Valid, d.Export.ValidReason, d.Export.ValidMessage = metav1.ConditionFalse, "AwaitingExport", "awaiting aggregation"
	case reason.AddressUnknown:
		unborn()
	case reason.NoDeployment:
		d.Deployed, d.Address = false, netip.Addr{}
	case reason.IdentityCluster:
		d.Export.Identity, d.Address, d.Listed = rook.IdentityCluster, old, old
	case reason.AddressForeign:
		d.Foreign, d.Address = true, netip.MustParseAddr(nodeIP)
	case reason.NotAdvertised:
		d.Address = old
	case reason.EndpointWrong:
		d.Listed = old
	case reason.AddressDrifted:
		d.Export.Pinned, d.Export.Drift = true, netip.MustParseAddr("242.0.0.99")
	case reason.Leaving:
		d.Deployed, d.Address, d.Listed, d.Export.OrphanedSince = false, netip.Addr{}, netip.Addr{}, lookedAt.Add(-10*time.Minute)
	default:
		unborn()
		d.Export.Refused, d.Export.RefusedDetail = state, "as the source says it"
	}
	return d
}

// monID returns an ID as Rook gives them.
func monID(i int) string {
	if i < 26 {
		return string(rune('a' + i))
	}
	return "a" + string(rune('a'+i-26))
}

func everyState(t *testing.T) statusForm {
	t.Helper()
	var rows []daemonStatus
	for i, state := range rook.States() {
		row := statusRow(daemonIn(state, monID(i)))
		require.Equal(t, string(state), row.State, "no state is missing from the golden files")
		if i%2 == 0 {
			row.Secret = globalIP
		}
		rows = append(rows, row)
	}
	f := newStatusForm(lookedAt, rows, []string{"MutatingWebhookConfiguration rook-clusterset is not installed: what Rook writes is not corrected"})
	f.Warnings = append(f.Warnings, "rook-ceph: 1 mon and 0 OSDs remain to be moved to global IPs")
	f.PeerTokens = append(f.PeerTokens, "Secret rook-ceph/cluster-peer-token-my-cluster tells the global IPs of the mons since 2026-03-01T11:00:00Z, and may be copied to a peer")
	return f
}

func TestEveryStateIsShownAsInTheGoldenFiles(t *testing.T) {
	f := everyState(t)
	text := func(table statusTable) []byte { return []byte(strings.Join(table.lines(f), "\n") + "\n") }
	compareGolden(t, "status-table", text(statusTable{}))
	compareGolden(t, "status-wide", text(statusTable{wide: true}))
	compareGolden(t, "status-colours", text(statusTable{colours: true}))
	for _, output := range []string{"json", "yaml"} {
		var printed bytes.Buffer
		require.NoError(t, f.print(&printed, output))
		compareGolden(t, "status-"+output, printed.Bytes())
	}
}

func TestProbeReadsWhatStatusPrintsForPrograms(t *testing.T) {
	var printed bytes.Buffer
	require.NoError(t, everyState(t).print(&printed, "json"))
	targets, err := probe.TargetsOfStatus(printed.Bytes())
	require.NoError(t, err)
	require.Len(t, targets, len(rook.States()))
}

func TestAStatusWithoutDaemonsIsAListForProgramsAndALineForPeople(t *testing.T) {
	f := newStatusForm(lookedAt, nil, nil)
	require.Equal(t, []string{"no daemons"}, statusTable{}.lines(f))
	var printed bytes.Buffer
	require.NoError(t, f.print(&printed, "json"))
	for _, want := range []string{`"daemons": []`, `"problems": []`, `"warnings": []`, `"peerTokens": []`, `"states": {}`, `"well": false`} {
		require.Contains(t, printed.String(), want)
	}
}

func TestAThousandOSDsWithOneFaultAreToldOfInAFewLines(t *testing.T) {
	var rows []daemonStatus
	for range 1000 {
		row := statusRow(daemonIn(reason.NoAnswer, "a"))
		rows = append(rows, row)
	}
	lines := statusTable{}.lines(newStatusForm(lookedAt, rows, nil))
	require.Len(t, lines, 1+1000+mostMessages+1+1)
	require.Contains(t, lines, "and 990 more that are no_answer: -o json has all")
	require.Equal(t, "1000 daemons: 1000 no_answer", lines[len(lines)-1])
}

func TestColoursAreForTerminalsThatShallHaveThem(t *testing.T) {
	for name, c := range map[string]struct {
		terminal    bool
		environment map[string]string
		want        bool
	}{
		"a terminal":                   {true, map[string]string{"TERM": "xterm"}, true},
		"a file":                       {false, map[string]string{"TERM": "xterm"}, false},
		"NO_COLOR is set":              {true, map[string]string{"NO_COLOR": "1"}, false},
		"NO_COLOR is empty":            {true, map[string]string{"NO_COLOR": ""}, true},
		"a terminal that has none":     {true, map[string]string{"TERM": "dumb"}, false},
		"a terminal of no known kind":  {true, nil, true},
		"a file and nothing is set":    {false, nil, false},
		"NO_COLOR is set to any value": {true, map[string]string{"NO_COLOR": "false"}, false},
	} {
		require.Equal(t, c.want, coloursOn(c.terminal, func(name string) string { return c.environment[name] }), name)
	}
	var file bytes.Buffer
	require.Nil(t, terminal(&file))
}
