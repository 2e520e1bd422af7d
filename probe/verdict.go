package probe

import (
	"fmt"
	"net/netip"
	"slices"
)

// Verdict is what is to be made of a conversation. Each has a section in docs/probe.md.
type Verdict string

// The verdicts.
const (
	OK               Verdict = "ok"
	NoV1             Verdict = "no_v1"
	EgressNotGlobal  Verdict = "egress_not_global"
	NotRouted        Verdict = "no_route"
	ConnRefused      Verdict = "refused"
	ConnSwallowed    Verdict = "swallowed"
	SaysNothing      Verdict = "says_nothing"
	HangsUp          Verdict = "hangs_up"
	OtherServer      Verdict = "not_ceph"
	WrongDaemon      Verdict = "wrong_daemon"
	AdvertisesOther  Verdict = "advertises_other"
	LargeFramesLost  Verdict = "large_frames_lost"
	NoAddress        Verdict = "no_address"
	CouldNotBeProbed Verdict = "could_not_be_probed"
)

// Level is how bad a verdict is.
type Level string

// The levels.
const (
	LevelOK      Level = "ok"
	LevelWarning Level = "warning"
	LevelFault   Level = "fault"
	LevelUnknown Level = "unknown"
)

// known has of each verdict how bad it is and what to do.
var known = map[Verdict]struct {
	level Level
	do    string
}{
	OK:               {LevelOK, ""},
	NoV1:             {LevelWarning, "nothing where the CephCluster has requireMsgr2; else export port and protocol of msgr v1"},
	EgressNotGlobal:  {LevelWarning, "look why packets leave this cluster with an address that is not global (Submariner's gateway, its global egress)"},
	NotRouted:        {LevelFault, "look at the routes to the other cluster's global IPs: subctl show connections, and the node's ip route get"},
	ConnRefused:      {LevelFault, "look whether the daemon runs, and whether its Service and ServiceExport have this port"},
	ConnSwallowed:    {LevelFault, "look for a firewall or a NetworkPolicy between the clusters, and whether the global IP is still that of the Service"},
	SaysNothing:      {LevelFault, "look at what stands between: it takes connections for the daemon and forwards nothing"},
	HangsUp:          {LevelFault, "look whether the daemon is starting or stopping, and what stands between"},
	OtherServer:      {LevelFault, "look whose address this is: kubectl get service,globalingressip -A in the other cluster"},
	WrongDaemon:      {LevelFault, "look whose address this is: a global IP was given to another Service, or the list is old"},
	AdvertisesOther:  {LevelFault, "run rook-clusterset status in the other cluster: this daemon throws out every client that dials this address"},
	LargeFramesLost:  {LevelFault, "lower the MTU of the pod network or clamp the MSS on the gateways: packets of full size are lost without a word"},
	NoAddress:        {LevelUnknown, "run rook-clusterset status in the other cluster: the daemon has no global IP"},
	CouldNotBeProbed: {LevelUnknown, "see what is said, and probe again"},
}

// Level returns how bad the verdict is.
func (v Verdict) Level() Level { return known[v].level }

// Verdicts returns all of them, in order of their names.
func Verdicts() []Verdict {
	var all []Verdict
	for verdict := range known {
		all = append(all, verdict)
	}
	slices.Sort(all)
	return all
}

// Finding is what was found at one port of a daemon.
type Finding struct {
	Daemon string `json:"daemon"`
	// Address is what was dialled, with the port.
	Address string `json:"address"`
	// Protocol is v1 or v2 of Ceph's messenger.
	Protocol string `json:"protocol,omitempty"`
	// Entity is the kind of daemon that answered.
	Entity Entity `json:"entity,omitempty"`
	// Advertised is what the daemon tells clients to dial.
	Advertised string `json:"advertised,omitempty"`
	// SeenAs is the address from which the daemon sees us come.
	SeenAs  string  `json:"seenAs,omitempty"`
	Verdict Verdict `json:"verdict"`
	Level   Level   `json:"level"`
	// Says is what was found, in one sentence.
	Says string `json:"says,omitempty"`
	// Do is what to do about it.
	Do string `json:"do,omitempty"`
}

// Judge makes of the conversations with one daemon what an admin should know. Where the ranges of this cluster's global
// IPs are not known, it does not judge from where the daemon sees us come.
func Judge(target Target, conversations []Heard, ranges []netip.Prefix) []Finding {
	if !target.Address.IsValid() {
		return []Finding{finding(target, Heard{}, NoAddress, "it has no address to dial")}
	}
	var findings []Finding
	for _, heard := range conversations {
		if heard.Outcome == Refused && target.Want == 0 && slices.ContainsFunc(conversations, answered) {
			continue
		}
		verdict, says := judge(target, heard, ranges)
		if verdict == ConnRefused && kindOf(target, heard) != 0 && heard.isV1() && slices.ContainsFunc(conversations, overV2) {
			verdict, says = NoV1, "it does not listen for msgr v1, by which alone it would tell what it advertises"
		}
		if elsewhere, ok := advertisedElsewhere(target, heard, conversations); ok && verdict.Level() != LevelFault {
			verdict, says = AdvertisesOther, "by msgr v1 this daemon advertises "+told(elsewhere)
		}
		findings = append(findings, finding(target, heard, verdict, says))
	}
	return findings
}

// advertisedElsewhere returns what the daemon advertises by msgr v1, if that is another address than it was dialled at by
// msgr v2, which does not tell.
func advertisedElsewhere(target Target, heard Heard, conversations []Heard) (netip.AddrPort, bool) {
	if !overV2(heard) {
		return netip.AddrPort{}, false
	}
	for _, other := range conversations {
		if answered(other) && other.Protocol == "v1" && kindOf(target, other) == kindOf(target, heard) &&
			other.Advertised.Addr() != heard.Endpoint.Addr() {
			return other.Advertised, true
		}
	}
	return netip.AddrPort{}, false
}

func answered(h Heard) bool { return h.Outcome == Answered }

func overV2(h Heard) bool { return h.Outcome == Answered && h.Protocol == "v2" }

// isV1 says whether the port is one of msgr v1.
func (h Heard) isV1() bool { return h.Endpoint.Port() == portMonV1 || h.Endpoint.Port() == portOSDV1 }

// kindOf returns the kind of daemon that should answer, or 0.
func kindOf(target Target, heard Heard) Entity {
	if target.Want != 0 {
		return target.Want
	}
	return kindAt(heard.Endpoint.Port())
}

func finding(target Target, heard Heard, verdict Verdict, says string) Finding {
	f := Finding{
		Daemon: target.Daemon, Protocol: heard.Protocol, Entity: heard.Entity,
		Verdict: verdict, Level: verdict.Level(), Says: says, Do: known[verdict].do,
	}
	if heard.Endpoint.IsValid() {
		f.Address = heard.Endpoint.String()
	}
	if heard.Advertised.IsValid() {
		f.Advertised = heard.Advertised.String()
	}
	if heard.Seen.IsValid() {
		f.SeenAs = heard.Seen.Addr().String()
	}
	return f
}

// judge makes a verdict of one conversation, and a sentence.
func judge(target Target, heard Heard, ranges []netip.Prefix) (Verdict, string) {
	switch heard.Outcome {
	case Answered:
		return judgeAnswer(kindOf(target, heard), heard, ranges)
	case NoRoute:
		return NotRouted, "the network says that there is no way: " + heard.Problem
	case Refused:
		return ConnRefused, "nobody listens there: " + heard.Problem
	case Swallowed:
		return ConnSwallowed, "no answer at all comes back: " + heard.Problem
	case Silent:
		return SaysNothing, "it takes the connection and does not answer: " + heard.Problem
	case HungUp:
		return HangsUp, "it takes the connection and closes it: " + heard.Problem
	case NotCeph:
		return OtherServer, heard.Problem
	default:
		return CouldNotBeProbed, heard.Problem
	}
}

func judgeAnswer(want Entity, heard Heard, ranges []netip.Prefix) (Verdict, string) {
	if heard.Entity != 0 && want != 0 && heard.Entity != want {
		return WrongDaemon, fmt.Sprintf("here answers a daemon of kind %s and not %s", heard.Entity, want)
	}
	if heard.Protocol == "v1" && heard.Advertised != heard.Endpoint {
		return AdvertisesOther, fmt.Sprintf("it advertises %s and not %s", told(heard.Advertised), heard.Endpoint)
	}
	if heard.LargeLost {
		return LargeFramesLost, fmt.Sprintf("it answers small frames, and not one of %d bytes", largeFrame)
	}
	if len(ranges) > 0 && !slices.ContainsFunc(ranges, func(r netip.Prefix) bool { return r.Contains(heard.Seen.Addr()) }) {
		return EgressNotGlobal, fmt.Sprintf("it sees us come from %s, which is outside the global IPs of this cluster", told(heard.Seen))
	}
	return OK, ""
}

func told(address netip.AddrPort) string {
	if !address.IsValid() {
		return "no address"
	}
	return address.String()
}

// Worst returns the level of the worst finding: a fault is worse than what could not be told.
func Worst(findings []Finding) Level {
	worst := LevelOK
	order := []Level{LevelOK, LevelWarning, LevelUnknown, LevelFault}
	for _, f := range findings {
		if slices.Index(order, f.Level) > slices.Index(order, worst) {
			worst = f.Level
		}
	}
	return worst
}
