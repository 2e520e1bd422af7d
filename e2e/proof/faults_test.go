package proof_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/node"
	"github.com/rook-clusterset/rook-clusterset/probe"
)

// TestTheProbeTellsTheFaultsApart brings about each fault between a probe and real daemons. docs/proof.md has the table.
func TestTheProbeTellsTheFaultsApart(t *testing.T) {
	if os.Getenv(proofVariable) == "" {
		t.Skip("it needs root and real Ceph: make e2e asks for it by " + proofVariable)
	}
	require.Empty(t, node.Lacking(), "what this machine lacks")
	before := readMachine(t)
	t.Run("with a mon and an OSD", func(t *testing.T) {
		l := newLab(t)
		for _, f := range faults(l) {
			t.Run(f.name, func(t *testing.T) {
				if f.bringAbout != nil {
					f.bringAbout()
					defer f.undo()
				}
				f.isTold(t, l)
			})
		}
	})
	require.Empty(t, readMachine(t).without(before), "what the test left behind")
}

// fault is what is wrong between a probe and the daemons, and what the probe makes of it.
type fault struct {
	name             string
	bringAbout, undo func()
	addresses        []string
	exit             int
	is               []probe.Verdict
}

func faults(l lab) []fault {
	rule := func(args ...string) (func(), func()) {
		change := func(op string) func() {
			return func() {
				l.in(labEast, append([]string{"iptables", "-w", op, "INPUT", "-p", "tcp", "-i", "wire"}, args...)...)
			}
		}
		return change("-A"), change("-D")
	}
	leaveWith := func(source string) func() {
		return func() { l.in(labWest, "ip", "route", "replace", "242.0.0.0/16", "via", "10.99.0.1", "src", source) }
	}
	swallow, swallowNot := rule("-d", labMon, "-j", "DROP")
	lose, loseNot := rule("-m", "length", "--length", "1400:65535", "-j", "DROP")
	both := []string{"mon=" + labMon, "osd=" + labOSD}
	return []fault{
		{"nothing is wrong", nil, nil, both, 0, []probe.Verdict{probe.OK, probe.OK, probe.OK, probe.OK}},
		{"there is no route", nil, nil, []string{"mon=242.9.0.10"}, 1, []probe.Verdict{probe.NotRouted, probe.NotRouted}},
		{"nobody listens", nil, nil, []string{"mon=" + labNobody}, 1, []probe.Verdict{probe.ConnRefused, probe.ConnRefused}},
		{"a firewall swallows", swallow, swallowNot, both, 1, []probe.Verdict{probe.ConnSwallowed, probe.ConnSwallowed, probe.OK, probe.OK}},
		{"a web server has the address", nil, nil, []string{"mon=" + labWeb + ":3300"}, 1, []probe.Verdict{probe.OtherServer}},
		{"a mon is where an OSD should be", nil, nil, []string{"osd=" + labMon + ":3300"}, 1, []probe.Verdict{probe.WrongDaemon}},
		{"the OSD advertises another global IP", nil, nil, []string{"osd=" + labOther}, 1, []probe.Verdict{probe.AdvertisesOther, probe.AdvertisesOther}},
		{"packets leave with an address that is not global", leaveWith(labWire), leaveWith(labEgress), both, 0, []probe.Verdict{
			probe.EgressNotGlobal, probe.EgressNotGlobal, probe.EgressNotGlobal, probe.EgressNotGlobal,
		}},
		{"large packets are lost", lose, loseNot, both, 1, []probe.Verdict{probe.LargeFramesLost, probe.OK, probe.LargeFramesLost, probe.OK}},
		{"nothing is wrong any more", nil, nil, both, 0, []probe.Verdict{probe.OK, probe.OK, probe.OK, probe.OK}},
	}
}

// isTold runs the probe in west.
func (f fault) isTold(t *testing.T, l lab) {
	args := append([]string{"netns", "exec", labWest, l.program, "probe", "-o", "json", "--timeout", "2s", "--global-cidr", "242.1.0.0/16"}, f.addresses...)
	out, err := exec.CommandContext(t.Context(), "ip", args...).Output()
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		require.NoError(t, err)
	}
	var findings []struct {
		Address    string        `json:"address"`
		Entity     string        `json:"entity"`
		Advertised string        `json:"advertised"`
		SeenAs     string        `json:"seenAs"`
		Verdict    probe.Verdict `json:"verdict"`
		Says       string        `json:"says"`
	}
	require.NoError(t, json.Unmarshal(out, &findings), string(out))
	var got []probe.Verdict
	for _, found := range findings {
		got = append(got, found.Verdict)
		t.Logf("%s: %s answers, advertises %s, sees us as %s: %s %s",
			found.Address, found.Entity, found.Advertised, found.SeenAs, found.Verdict, found.Says)
	}
	require.Equal(t, f.is, got)
	require.Equal(t, f.exit, code)
}
