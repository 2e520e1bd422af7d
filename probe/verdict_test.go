package probe

import (
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func answeredV2(endpoint string, entity Entity) Heard {
	return Heard{Endpoint: netip.MustParseAddrPort(endpoint), Protocol: "v2", Entity: entity, Seen: netip.MustParseAddrPort("242.1.0.5:40000")}
}

func answeredV1(endpoint, advertised string) Heard {
	h := Heard{Endpoint: netip.MustParseAddrPort(endpoint), Protocol: "v1", Seen: netip.MustParseAddrPort("242.1.0.5:40000")}
	if advertised != "" {
		h.Advertised = netip.MustParseAddrPort(advertised)
	}
	return h
}

func ended(endpoint string, outcome Outcome) Heard {
	return Heard{Endpoint: netip.MustParseAddrPort(endpoint), Outcome: outcome, Problem: "as it ended"}
}

func largeLost(h Heard) Heard {
	h.LargeLost = true
	return h
}

func TestEachConversationHasItsVerdict(t *testing.T) {
	const v2, v1, osdV2, osdV1 = "242.0.0.10:3300", "242.0.0.10:6789", "242.0.0.10:6800", "242.0.0.10:6801"
	ours, others := netip.MustParsePrefix("242.1.0.0/16"), netip.MustParsePrefix("242.9.0.0/16")
	for name, c := range map[string]struct {
		want   Entity
		heard  []Heard
		ranges []netip.Prefix
		is     []Verdict
	}{
		"all is well":                              {EntityMon, []Heard{answeredV2(v2, EntityMon), answeredV1(v1, v1)}, []netip.Prefix{others, ours}, []Verdict{OK, OK}},
		"our range is not known":                   {EntityMon, []Heard{answeredV2(v2, EntityMon)}, nil, []Verdict{OK}},
		"we come from outside our range":           {EntityMon, []Heard{answeredV2(v2, EntityMon)}, []netip.Prefix{others}, []Verdict{EgressNotGlobal}},
		"a mon answers where an OSD should":        {EntityOSD, []Heard{answeredV2(osdV2, EntityMon)}, nil, []Verdict{WrongDaemon}},
		"an mgr answers at an OSD's port":          {0, []Heard{answeredV2(osdV2, EntityMgr)}, nil, []Verdict{WrongDaemon}},
		"anything may answer at a port of no kind": {0, []Heard{answeredV2("242.0.0.10:6808", EntityMgr)}, nil, []Verdict{OK}},
		"another address is advertised":            {EntityOSD, []Heard{answeredV2(osdV2, EntityOSD), answeredV1(osdV1, "10.244.0.9:6801")}, nil, []Verdict{AdvertisesOther, AdvertisesOther}},
		"another port is advertised":               {EntityOSD, []Heard{answeredV2(osdV2, EntityOSD), answeredV1(osdV1, "242.0.0.10:6803")}, nil, []Verdict{OK, AdvertisesOther}},
		"no address is advertised":                 {EntityOSD, []Heard{answeredV1(osdV1, "")}, nil, []Verdict{AdvertisesOther}},
		"large frames are lost":                    {EntityMon, []Heard{largeLost(answeredV2(v2, EntityMon))}, []netip.Prefix{others}, []Verdict{LargeFramesLost}},
		"msgr v1 is off":                           {EntityMon, []Heard{answeredV2(v2, EntityMon), ended(v1, Refused)}, nil, []Verdict{OK, NoV1}},
		"msgr v2 is off":                           {EntityMon, []Heard{ended(v2, Refused), answeredV1(v1, v1)}, nil, []Verdict{ConnRefused, OK}},
		"nobody listens":                           {EntityMon, []Heard{ended(v2, Refused), ended(v1, Refused)}, nil, []Verdict{ConnRefused, ConnRefused}},
		"nobody listens, whoever it should be":     {0, []Heard{ended(v2, Refused), ended(osdV2, Refused)}, nil, []Verdict{ConnRefused, ConnRefused}},
		"it is an OSD, and could have been a mon":  {0, []Heard{ended(v2, Refused), ended(v1, Refused), answeredV2(osdV2, EntityOSD), answeredV1(osdV1, osdV1)}, nil, []Verdict{OK, OK}},
		"no route":                                    {EntityMon, []Heard{ended(v2, NoRoute)}, nil, []Verdict{NotRouted}},
		"a firewall swallows":                         {EntityMon, []Heard{ended(v2, Swallowed)}, nil, []Verdict{ConnSwallowed}},
		"a firewall swallows one port":                {EntityMon, []Heard{answeredV2(v2, EntityMon), ended(v1, Swallowed)}, nil, []Verdict{OK, ConnSwallowed}},
		"something takes connections and is silent":   {EntityMon, []Heard{ended(v2, Silent)}, nil, []Verdict{SaysNothing}},
		"something takes connections and closes them": {EntityMon, []Heard{ended(v2, HungUp)}, nil, []Verdict{HangsUp}},
		"something else answers":                      {EntityMon, []Heard{ended(v2, NotCeph)}, nil, []Verdict{OtherServer}},
		"it could not be told":                        {EntityMon, []Heard{ended(v2, Failed)}, nil, []Verdict{CouldNotBeProbed}},
	} {
		t.Run(name, func(t *testing.T) {
			findings := Judge(Target{Daemon: "it", Want: c.want, Address: netip.MustParseAddr("242.0.0.10")}, c.heard, c.ranges)
			var got []Verdict
			for _, f := range findings {
				got = append(got, f.Verdict)
				require.Equal(t, f.Level == LevelOK, f.Says == "", "what is not well is told, and nothing else")
				require.Equal(t, f.Level == LevelOK, f.Do == "")
			}
			require.Equal(t, c.is, got)
		})
	}
}

func TestADaemonWithoutAnAddressIsNotProbed(t *testing.T) {
	findings := Judge(Target{Daemon: "rook-ceph/osd.3"}, nil, nil)
	require.Len(t, findings, 1)
	require.Equal(t, NoAddress, findings[0].Verdict)
	require.Equal(t, LevelUnknown, Worst(findings))
}

func TestTheWorstIsWhatCounts(t *testing.T) {
	for name, c := range map[string]struct {
		levels []Level
		want   Level
	}{
		"nothing":                         {nil, LevelOK},
		"a warning among good ones":       {[]Level{LevelOK, LevelWarning, LevelOK}, LevelWarning},
		"a fault and what is not known":   {[]Level{LevelFault, LevelUnknown}, LevelFault},
		"a warning and what is not known": {[]Level{LevelUnknown, LevelWarning}, LevelUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			var findings []Finding
			for _, level := range c.levels {
				findings = append(findings, Finding{Level: level})
			}
			require.Equal(t, c.want, Worst(findings))
		})
	}
}

func TestThePageHasEachVerdict(t *testing.T) {
	page, err := os.ReadFile("../docs/probe.md")
	require.NoError(t, err)
	require.Len(t, Verdicts(), 14)
	for _, verdict := range Verdicts() {
		require.NotEmpty(t, verdict.Level())
		require.Contains(t, string(page), "| `"+string(verdict)+"` |")
	}
}
