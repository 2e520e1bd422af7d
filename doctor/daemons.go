package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func daemonChecks() []Check {
	return []Check{
		{Name: "exports", Needs: "kinds", Ask: askExports, Reads: snapshotRights},
		{Name: "sources", Needs: "kinds", Ask: askSources, Reads: append(sourceRights(), snapshotRights...)},
		{Name: "dns", Needs: "kinds", Ask: askDNS, Reads: snapshotRights},
		{Name: "daemons", Needs: "kinds", Ask: askDaemons, Reads: snapshotRights},
		{Name: "rook-memory", Needs: "kinds", Ask: askMemory, Reads: append([]right{{"get", "", "configmaps", rook.RememberedName, looked}}, snapshotRights...)},
	}
}

func sourceRights() []right {
	var rights []right
	for _, kind := range resolver.Kinds() {
		rights = append(rights, right{"list", kind.Group, kind.Plural, "", everywhere})
	}
	return rights
}

// everyDaemon returns the daemons of all namespaces that are looked at and whose CephCluster is served. What is left of one
// that is gone is none.
func (p *Patient) everyDaemon(ctx context.Context) ([]rook.DaemonFacts, error) {
	snapshots, err := p.Snapshots(ctx)
	if err != nil {
		return nil, err
	}
	var all []rook.DaemonFacts
	for _, s := range snapshots {
		if s.Cluster == nil || s.Cluster.State(true) == reason.Served {
			for _, d := range s.Daemons {
				if d.State().Code != reason.Leaving {
					all = append(all, d)
				}
			}
		}
	}
	return all, nil
}

const noDaemons = "there are no daemons yet"

func subject(d rook.DaemonFacts) string { return d.Daemon.Namespace + "/" + d.Daemon.Name() }

func askExports(ctx context.Context, p *Patient) (Finding, error) {
	daemons, err := p.everyDaemon(ctx)
	if err != nil {
		return Finding{}, err
	}
	return ofExports(daemons), nil
}

func ofExports(daemons []rook.DaemonFacts) Finding {
	var invalid, against []string
	valid := 0
	for _, d := range daemons {
		export := d.Export
		switch {
		case !export.Exists:
			invalid = append(invalid, subject(d)+" "+reason.ExportMissing.Sentence())
		case !export.Ours:
			invalid = append(invalid, subject(d)+" "+reason.ExportForeign.Sentence())
		case export.Valid != metav1.ConditionTrue:
			why := export
			why.Pinned, why.Refused = false, ""
			invalid = append(invalid, subject(d)+" "+why.Why(d.Daemon).Error())
		case export.Beside != "":
			against = append(against, subject(d)+": "+export.Beside)
		default:
			valid++
		}
	}
	switch {
	case len(daemons) == 0:
		return nothingThere(noDaemons)
	case len(invalid) > 0:
		return fails("See to the MCS implementation, whose words stand in the conditions: kubectl get serviceexports -A -o yaml",
			"%d of %d daemons have no ServiceExport of ours that is Valid", len(invalid), len(daemons)).with(append(invalid, against...))
	case len(against) > 0:
		return warns("See what the MCS implementation says: kubectl get serviceexports -A -o yaml", "%d of %d ServiceExports are Valid, with something against them", len(against), len(daemons)).with(against)
	}
	return well("%d ServiceExports are Valid", valid)
}

func request(d rook.DaemonFacts) resolver.Request {
	return resolver.Request{
		Namespace: d.Daemon.Namespace, Name: d.Daemon.Name(), ClusterIPs: d.ClusterIPs,
		Known: d.Export.GlobalIP, ForLife: d.Daemon.Type.KeepsAddressForLife(),
	}
}

// told is what a source says of a daemon: an answer, or why there is none.
type told struct {
	daemon rook.DaemonFacts
	answer resolver.Answer
	err    error
}

// askEach asks for each daemon that has a Service and an export.
func (p *Patient) askEach(ctx context.Context, most int, ask func(context.Context, resolver.Request, resolver.Membership) (resolver.Answer, error)) ([]told, error) {
	m, err := p.Membership(ctx)
	if err != nil {
		return nil, err
	}
	daemons, err := p.everyDaemon(ctx)
	if err != nil {
		return nil, err
	}
	var all []told
	for _, d := range daemons {
		if len(all) < most && d.Export.Ours && len(d.ClusterIPs) > 0 && d.Export.Identity != rook.IdentityCluster {
			answer, err := ask(ctx, request(d), m)
			all = append(all, told{d, answer, err})
		}
	}
	return all, nil
}

// mostAsked bounds what is asked of the sources for a check: enough for a thousand OSDs.
const mostAsked = 2000

func askSources(ctx context.Context, p *Patient) (Finding, error) {
	all, err := p.askEach(ctx, mostAsked, p.Addresses.Told)
	if err != nil {
		return Finding{}, err
	}
	return ofSources(all), nil
}

func ofSources(all []told) Finding {
	var wrong []string
	silent := 0
	for _, t := range all {
		refusal, refused := errors.AsType[*reason.Error](t.err)
		switch known := t.daemon.Export.GlobalIP; {
		case refused && refusal.Code == reason.NoAnswer && t.daemon.Export.Source == resolver.SourceDNS:
			silent++
		case t.err != nil:
			wrong = append(wrong, subject(t.daemon)+" "+t.err.Error())
		case known.IsValid() && t.answer.IP != known:
			wrong = append(wrong, fmt.Sprintf("%s has %s, and %s says %s", subject(t.daemon), known, t.answer.Source, t.answer.IP))
		}
	}
	switch {
	case len(all) == 0:
		return nothingThere(noDaemons)
	case len(wrong) > 0:
		return fails("Wait for a new export; else restart what is behind: kubectl -n submariner-operator rollout restart deployment/submariner-lighthouse-agent",
			"of %d of %d daemons the sources do not tell one address that can be taken", len(wrong), len(all)).with(wrong)
	case silent == len(all):
		return nothingThere("no object tells global IPs here: DNS does")
	}
	return well("the sources agree on the addresses of %d daemons", len(all)-silent)
}

// dnsSample is of how many daemons DNS is asked: it is one server, which knows all or none.
const dnsSample = 3

func askDNS(ctx context.Context, p *Patient) (Finding, error) {
	if !p.AsksDNS {
		return p.dnsUnreachable(ctx)
	}
	all, err := p.askEach(ctx, dnsSample, p.Addresses.AskDNS)
	if err != nil {
		return Finding{}, err
	}
	return ofDNS(all), nil
}

// dnsUnreachable is no lack of knowledge where no address hangs on DNS.
func (p *Patient) dnsUnreachable(ctx context.Context) (Finding, error) {
	daemons, err := p.everyDaemon(ctx)
	if err != nil {
		return Finding{}, err
	}
	f := nothingThere("the clusterset DNS is reached from a pod alone, and no address hangs on it")
	for _, d := range daemons {
		if d.Export.Source == resolver.SourceDNS {
			f = notTold("the clusterset DNS is reached from a pod alone, and addresses hang on it")
			f.Do = "Ask from a pod: kubectl -n rook-clusterset exec deploy/rook-clusterset -- rook-clusterset check; or give --dns-server"
		}
	}
	return f, nil
}

func ofDNS(all []told) Finding {
	var wrong []string
	verdict := warns
	for _, t := range all {
		switch known := t.daemon.Export.GlobalIP; {
		case t.err != nil:
			wrong = append(wrong, subject(t.daemon)+" "+t.err.Error())
		case known.IsValid() && t.answer.IP != known:
			wrong = append(wrong, fmt.Sprintf("%s has %s, and DNS says %s", subject(t.daemon), known, t.answer.IP))
		default:
			continue
		}
		if t.daemon.Export.Source == resolver.SourceDNS || !t.daemon.Export.GlobalIP.IsValid() {
			verdict = fails
		}
	}
	switch {
	case len(all) == 0:
		return nothingThere(noDaemons)
	case len(wrong) > 0:
		return verdict("See that the DNS of the cluster forwards clusterset.local: kubectl -n kube-system get configmap coredns -o yaml",
			"DNS does not tell the address of %d of %d daemons that were asked for", len(wrong), len(all)).with(wrong)
	}
	return well("DNS tells the addresses of %d daemons that were asked for", len(all))
}

func askDaemons(ctx context.Context, p *Patient) (Finding, error) {
	daemons, err := p.everyDaemon(ctx)
	if err != nil {
		return Finding{}, err
	}
	return ofDaemons(daemons), nil
}

func ofDaemons(daemons []rook.DaemonFacts) Finding {
	var bad []string
	for _, d := range daemons {
		if state := d.State(); !state.Well() {
			bad = append(bad, fmt.Sprintf("%s %s [%s]", subject(d), state, state.Code))
		}
	}
	switch {
	case len(daemons) == 0:
		return nothingThere(noDaemons)
	case len(bad) > 0:
		return fails("See each daemon beside the others: rook-clusterset status", "%d of %d daemons are not at their global IPs", len(bad), len(daemons)).with(bad)
	}
	return well("%d daemons are at their global IPs", len(daemons))
}

func askMemory(ctx context.Context, p *Patient) (Finding, error) {
	snapshots, err := p.Snapshots(ctx)
	if err != nil {
		return Finding{}, err
	}
	remembered := map[string]rook.Remembered{}
	for _, s := range snapshots {
		if s.Cluster != nil {
			if remembered[s.Namespace+"/"+s.Cluster.Name], err = p.View.Remembered(ctx, s.Namespace); err != nil {
				return Finding{}, err
			}
		}
	}
	return ofMemory(remembered), nil
}

// ofMemory takes what is remembered by the name of the CephCluster.
func ofMemory(all map[string]rook.Remembered) Finding {
	var stale, token []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		r := all[name]
		if r.Stale() {
			stale = append(stale, fmt.Sprintf("CephCluster %s: Rook remembers %s", name, rook.FormatEndpoints(r.Mons)))
		} else if r.Version != "" && r.TokenRight.IsZero() {
			token = append(token, fmt.Sprintf("CephCluster %s: its token for peers %s", name, reason.PeerTokenStale.Sentence()))
		}
	}
	const do = "Wait until Rook has reconciled; else see that its operator runs: kubectl -n rook-ceph get deployment rook-ceph-operator"
	switch {
	case len(all) == 0:
		return nothingThere("there is no CephCluster in a namespace that is looked at")
	case len(stale) > 0:
		return warns(do, "Rook remembers mons elsewhere than they are").with(stale)
	case len(token) > 0:
		return warns(do, "a token for peers is not to be copied yet").with(token)
	}
	return well("Rook remembers the mons where they are%s", tokensSince(all))
}

func tokensSince(all map[string]rook.Remembered) string {
	var newest time.Time
	for _, r := range all {
		if r.TokenRight.After(newest) {
			newest = r.TokenRight
		}
	}
	if newest.IsZero() {
		return ""
	}
	return ", and the tokens for peers are right since " + newest.UTC().Format(time.RFC3339)
}
